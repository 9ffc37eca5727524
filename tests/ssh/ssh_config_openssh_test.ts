import assert from "node:assert/strict";
import { hostname, userInfo } from "node:os";
import fc from "fast-check";
import { I2ptunError } from "../../src/errors.ts";
import {
  readSshConfig,
  type SshConfigContext,
  type SshHostConfig,
} from "../../src/ssh/ssh_config.ts";
import { HAVE_OPENSSH, run, withFolder } from "./openssh.ts";

/** Each is read for the hosts "foo", "bar.example.org" and "FOO". */
const CORPUS = [
  "",
  "Host foo\nPort 3\nUser x",
  "Port 3\nHost foo\nPort 4\nUser x\nHost *\nUser y",
  "Host foo\r\n\tPort 3\r\n  User x\r\n",
  'host=foo\nPORT = 3\nuser ="x y"\nhostname="%h.net"',
  'Host "foo" other\n\tPort\t3',
  "Host f?o !bar*\nPort 3\nHost *.example.org !*.org\nPort 4",
  "Host !foo *\nPort 3\nHost * !foo\nUser x",
  "Host !foo\nPort 3",
  "Host *,foo\nPort 3",
  "Host FOO\nPort 3\nHost foo\nUser lower",
  "Host foo # the host\nPort 3 # the port\n  # all\nUser a#b",
  'Host "foo#" \'foo\'\nUser "a # b"',
  'User "a\\"b"\nHost fo\\o\nPort 3',
  'User x"y z"w',
  '"Port" 3\n"User"x',
  "HostName %h.net\nHost foo.net\nPort 3\nMatch host foo.net\nPort 4",
  "HostName a%%b",
  "HostName UPPER.Case\nMatch host upper.case\nPort 3",
  "Match host foo\nPort 3\nMatch originalhost FOO\nUser x",
  "Match user ME\nPort 3\nMatch localuser ME\nUser x",
  "User deploy\nMatch user deploy,root host foo\nPort 3\nMatch !user deploy\nPort 4",
  "Match !host foo\nPort 3\nMatch host *,!foo\nUser x",
  "Match all\nPort 3\nMatch !all\nUser x",
  'Match host "f*,!foo"\nPort 3\nMatch host "*" # rest\nUser x',
  "Match final\nPort 3\nMatch canonical\nUser x",
  "HostName bar\nMatch final host bar\nPort 3\nHost bar\nUser x",
  "Match !final\nPort 3\nMatch final\nPort 4\nHostName late",
  "Match canonical\nPort 3\nMatch !canonical\nUser x",
  "Host foo\nMatch final\nHost *\nIdentityFile /a\nLocalForward 1 a:1",
  'IdentityFile ~/a\nIdentityFile /b\nIdentityFile ~/a\nHost foo\nIdentityFile "c d"',
  'IdentityFile ~/a\\ b\nIdentityFile "/c\\ d"',
  "IdentityFile none",
  "CertificateFile ~/a\nHost *\nCertificateFile /b",
  "IdentityFile none\nIdentityFile /x",
  "ProxyJump a\nProxyCommand nc\nProxyJump b",
  "ProxyJump u@a:22,ssh://x@b:33,[::1]:44",
  "ProxyJump=a,b,c # jump\n",
  "Host foo\nProxyJump none\nHost *\nProxyJump gate",
  "ProxyCommand none\nProxyJump a",
  'UserKnownHostsFile ~/a "%d/b c" /%h-%n-%p-%r-%u-%i-%k-%%\nHostName x\nPort 3\nUser u',
  "HostKeyAlias Alias\nUserKnownHostsFile /%k-%L-%l-%C",
  "UserKnownHostsFile none\nGlobalKnownHostsFile ~/g /h",
  "LocalForward 8080 localhost:80\nLocalForward 8080 localhost:80\nLocalForward *:8081 [::1]:80",
  "RemoteForward 1.2.3.4:9 /tmp/%h\nRemoteForward 0 a:1\nRemoteForward [::1]:2 b:2\nDynamicForward localhost:1080",
  "ClearAllForwardings yes\nLocalForward 1 a:1\nDynamicForward 2",
  "ConnectTimeout none\nConnectTimeout 1m30\nServerAliveInterval 1W\nServerAliveCountMax 4",
  "StrictHostKeyChecking Accept-New\nAddressFamily INET6\nCompression YES\nHashKnownHosts TRUE",
  "StrictHostKeyChecking off\nIdentitiesOnly yes\nGatewayPorts yes\nExitOnForwardFailure true",
  "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPubkeyAuthentication no\nNumberOfPasswordPrompts 0",
  "PreferredAuthentications password,publickey\nBindAddress 10.0.0.1\nIdentityAgent ~/%h.sock",
  "IgnoreUnknown Fr*,bob\nFrob x y\nBob z\nUser x",
  "Include DIR/*.conf\nHost foo\nInclude DIR/foo\nUser x\nHost *\nUser last",
  "Host bar*\nInclude DIR/*\nHost *\nPort 9",
  "Match host foo\nInclude DIR/foo DIR/nothing\nPort 9",
  "Host foo\nPort 0\n",
  "Host nobody\nCompression sometimes\n",
  "Match host\n",
  "Match all user x\n",
  "Match user\n",
  'User "open\n',
  "ProxyJump a,,b\n",
  "Host\nUser x",
];

const INCLUDED = {
  "1.conf": "Host foo\nPort 1\nHost *\nServerAliveInterval 11\n",
  "2.conf": "Host foo\nPort 2\nMatch host bar*\nPort 22\n",
  ".3.conf": "Port 33\n",
  "foo": "Match all\nPort 44\nHost never\nUser never\n",
};

Deno.test({
  name: "reads what ssh -G reads: handwritten files",
  ignore: !HAVE_OPENSSH,
  fn: () =>
    withOracle(async (compare, folder) => {
      for (const [name, text] of Object.entries(INCLUDED)) {
        await Deno.writeTextFile(`${folder}/inc/${name}`, text);
      }
      const { username } = userInfo();
      for (const template of CORPUS) {
        const text = template.replaceAll("DIR", `${folder}/inc`)
          .replaceAll("ME", username);
        for (const host of ["foo", "bar.example.org", "FOO"]) {
          await compare(text, host, {});
        }
      }
      for (const host of ["foo", "bar"]) {
        const text =
          `User x\nPort 3\nMatch user deploy host ${host}\nHostName y`;
        await compare(text, host, { user: "deploy" });
        await compare(text, host, { user: "other", port: 9 });
      }
    }),
});

Deno.test({
  name: "reads what ssh -G reads: generated files",
  ignore: !HAVE_OPENSSH,
  fn: () =>
    withOracle(async (compare) => {
      const host = fc.constantFrom("foo", "bar", "foo.net", "10.0.0.1", "::1");
      const pattern = fc.constantFrom(
        ...["foo", "bar", "f*", "*", "?oo", "*.net", "!foo", "!*.net", "10.*"],
        ...["baz", "::1", '"bar"', "foo.???"],
      );
      const list = fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 });
      const criterion = fc.oneof(
        list.map((all) => `host ${all.join(",").replaceAll('"', "")}`),
        list.map((all) => `originalhost ${all.join(",").replaceAll('"', "")}`),
        fc.constantFrom(
          "user u1",
          "user u*,!u2",
          "!user u2",
          "final",
        ),
      );
      const line = fc.oneof(
        list.map((all) => `Host ${all.join(" ")}`),
        fc.array(criterion, { minLength: 1, maxLength: 2 }).map((all) =>
          `Match ${all.join(" ")}`
        ),
        fc.constantFrom(
          ...[
            "Match all",
            "User u1",
            "User u2",
            "Port 3",
            "Port 0x3",
            "Port 4",
          ],
          ...["HostName %h.net", "HostName Bar", 'HostName "foo" # x'],
          ...["IdentityFile /a", "IdentityFile ~/b", "IdentityFile none"],
          ...["ProxyJump gate", "ProxyJump none", "ProxyJump u@g:2,h"],
          ...["ProxyCommand none", "LocalForward 1 a:1", "LocalForward 2 b:2"],
          ...["Compression yes", "Compression", "HashKnownHosts yes"],
          ...["UserKnownHostsFile /%h/%r", "HostKeyAlias Al", "# Port 5", ""],
        ),
      );
      const indented = fc.tuple(
        fc.constantFrom("", "  ", "\t", " \t "),
        line,
        fc.constantFrom(" ", "\t", "=", " = ", "  "),
        fc.constantFrom("", " ", "\r", "\t# end"),
        fc.boolean(),
      ).map(([indent, line, separator, end, upper]) => {
        const [keyword = "", ...rest] = line.split(" ");
        const spelt = upper ? keyword.toUpperCase() : keyword;
        if (rest.length === 0) return indent + spelt;
        return indent + spelt + separator + rest.join(" ") + end;
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(indented, { maxLength: 12 }),
          host,
          async (lines, host) => await compare(lines.join("\n"), host, {}),
        ),
        { numRuns: 250 },
      );
    }),
});

type Compare = (
  text: string,
  host: string,
  overrides: { user?: string; port?: number },
) => Promise<void>;

async function withOracle(
  body: (compare: Compare, folder: string) => Promise<void>,
) {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/inc`);
    const file = `${folder}/config`;
    const { username, homedir: home, uid } = userInfo();
    const context: SshConfigContext = {
      files: [file],
      home: home!,
      localUser: username,
      localHostname: hostname(),
      uid,
      env: (name) => Deno.env.get(name),
    };
    await Deno.writeTextFile(file, "");
    const defaults = (await askSsh(file, "default.host", {}))!;
    await body(async (text, host, overrides) => {
      await Deno.writeTextFile(file, text);
      const asked = await askSsh(file, host, overrides);
      const config = await readSshConfig(host, overrides, context).catch(
        (error) => {
          if (error instanceof I2ptunError) return undefined;
          throw error;
        },
      );
      assert.deepEqual(
        config && { ...defaults, ...asSshShows(config) },
        asked && settle(asked, home!),
        `${host} with\n${text}`,
      );
    }, folder);
  });
}

const SHOWN = new Set(
  `hostname user port addressfamily compression identitiesonly hashknownhosts
  serveraliveinterval serveralivecountmax connecttimeout hostkeyalias
  bindaddress numberofpasswordprompts passwordauthentication
  kbdinteractiveauthentication pubkeyauthentication stricthostkeychecking
  exitonforwardfailure gatewayports preferredauthentications identityagent
  proxyjump localforward remoteforward dynamicforward identityfile certificatefile
  userknownhostsfile globalknownhostsfile`.split(/\s+/),
);

/** What ssh makes of the file, undefined if it refuses it. */
async function askSsh(
  file: string,
  host: string,
  { user, port }: { user?: string; port?: number },
): Promise<Record<string, string[]> | undefined> {
  const options = [
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
  ];
  const { code, out } = await run("ssh", "-G", "-F", file, ...options, host);
  if (code !== 0) return undefined;
  const shown: Record<string, string[]> = {};
  for (const line of out.trimEnd().split("\n")) {
    const [, keyword, value] = /^(\S+) (.*)$/.exec(line)!;
    if (SHOWN.has(keyword!)) (shown[keyword!] ??= []).push(bare(value!));
  }
  return shown;
}

/** ssh adds brackets and white space of its own. */
function bare(value: string): string {
  return value.replace(/[[\]]/g, "").replaceAll("ssh://", "");
}

/**
 * ssh shows some files before it expands them, and `none` among them or, with
 * a comment behind it, as a jump host.
 */
function settle(shown: Record<string, string[]>, home: string) {
  const { identityfile, certificatefile, ...others } = shown;
  const { globalknownhostsfile, proxyjump, ...rest } = others;
  const expand = (file: string) => file.replace(/^~/, home);
  const usual = identityfile!.includes("~/.ssh/id_rsa");
  return {
    ...rest,
    ...(certificatefile
      ? { certificatefile: certificatefile.map(expand) }
      : {}),
    identityfile: usual
      ? identityfile
      : identityfile!.filter((file) => file !== "none")
        .map(expand),
    globalknownhostsfile: [globalknownhostsfile![0]!.replaceAll("~", home)],
    ...(proxyjump && proxyjump[0] !== "none" ? { proxyjump } : {}),
  };
}

function asSshShows(config: SshHostConfig): Record<string, string[]> {
  const text = (value: unknown) => {
    if (typeof value === "boolean") return value ? "yes" : "no";
    return String(value);
  };
  const shown: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(config)) {
    const keyword = name.toLowerCase();
    if (SHOWN.has(keyword) && value !== undefined) {
      shown[keyword] = [text(value)];
    }
  }
  const spaced = (value: string) =>
    bare(value.replace(/(:)((?:[^:[\]]+|\[.*\]):\d+|\/.*)$/, " $2"));
  const lists = {
    identityfile: config.identityFiles,
    certificatefile: config.certificateFiles,
    localforward: config.localForwards.map(spaced),
    remoteforward: config.remoteForwards.map(spaced),
    dynamicforward: config.dynamicForwards.map(bare),
  };
  for (const [keyword, list] of Object.entries(lists)) {
    const isUsed = keyword === "identityfile" ? list : list?.length;
    if (isUsed) shown[keyword] = list!;
  }
  const files = (list: string[]) => [list.join(" ") || "none"];
  if (config.userKnownHostsFile) {
    shown["userknownhostsfile"] = files(config.userKnownHostsFile);
  }
  if (config.globalKnownHostsFile) {
    shown["globalknownhostsfile"] = files(config.globalKnownHostsFile);
  }
  delete shown["proxyjump"];
  if (config.proxyJump?.length) {
    shown["proxyjump"] = [
      config.proxyJump.map(({ user, host, port }) =>
        (user ? `${user}@` : "") + host + (port ? `:${port}` : "")
      ).join(","),
    ];
  }
  const spelt: Record<string, string> = { yes: "true", no: "false" };
  for (const keyword of ["stricthostkeychecking", "pubkeyauthentication"]) {
    const value = shown[keyword]?.[0];
    if (value && spelt[value]) shown[keyword] = [spelt[value]];
  }
  return shown;
}
