import assert from "node:assert/strict";
import {
  type Environment,
  expandHome,
  pathsOf,
  type System,
} from "../../src/platform/paths.ts";

function environment(
  system: System,
  home: string,
  variables: Record<string, string> = {},
): Environment {
  return { system, home, userName: "i2p", variable: (name) => variables[name] };
}

Deno.test("Linux follows the XDG base directories", () => {
  const usual = pathsOf(environment("linux", "/home/i2p"));
  assert.equal(usual.profiles, "/home/i2p/.config/i2ptun/profiles.yaml");
  assert.equal(usual.state, "/home/i2p/.local/state/i2ptun");
  const moved = pathsOf(environment("linux", "/home/i2p", {
    XDG_CONFIG_HOME: "/c",
    XDG_STATE_HOME: "/s",
    SSH_AUTH_SOCK: "/run/agent",
  }));
  assert.equal(moved.profiles, "/c/i2ptun/profiles.yaml");
  assert.equal(moved.run, "/s/i2ptun/run");
  assert.equal(moved.agent, "/run/agent");
  const relative = pathsOf(
    environment("linux", "/home/i2p", { XDG_CONFIG_HOME: "c" }),
  );
  assert.equal(relative.profiles, "/home/i2p/.config/i2ptun/profiles.yaml");
});

Deno.test("macOS keeps both under Application Support", () => {
  const paths = pathsOf(environment("darwin", "/Users/i2p"));
  const folder = "/Users/i2p/Library/Application Support/i2ptun";
  assert.equal(paths.profiles, `${folder}/profiles.yaml`);
  assert.equal(paths.log, `${folder}/state/log`);
});

Deno.test("Windows uses APPDATA and LOCALAPPDATA", () => {
  const paths = pathsOf(environment("windows", "C:\\Users\\Zoë", {
    APPDATA: "C:\\Users\\Zoë\\AppData\\Roaming",
    LOCALAPPDATA: "D:\\Local",
  }));
  assert.equal(
    paths.profiles,
    "C:\\Users\\Zoë\\AppData\\Roaming\\i2ptun\\profiles.yaml",
  );
  assert.equal(paths.run, "D:\\Local\\i2ptun\\run");
  assert.equal(paths.knownHosts, "C:\\Users\\Zoë\\.ssh\\known_hosts");
  assert.equal(paths.agent, "\\\\.\\pipe\\openssh-ssh-agent");
});

Deno.test("I2PTUN_CONFIG and I2PTUN_STATE_DIR win everywhere", () => {
  for (const system of ["linux", "darwin", "windows"] as const) {
    const paths = pathsOf(environment(system, "/h", {
      I2PTUN_CONFIG: "/elsewhere.yaml",
      I2PTUN_STATE_DIR: "/state",
    }));
    assert.equal(paths.profiles, "/elsewhere.yaml");
    assert.equal(paths.state, "/state");
  }
});

Deno.test("a leading ~/ is the home folder, and nothing else is", () => {
  const linux = environment("linux", "/home/i2p");
  assert.equal(expandHome("~/.ssh/key", linux), "/home/i2p/.ssh/key");
  assert.equal(expandHome("/a/~/b", linux), "/a/~/b");
  assert.equal(expandHome("~\\key", linux), "~\\key");
  const windows = environment("windows", "C:\\Users\\a");
  assert.equal(expandHome("~\\key", windows), "C:\\Users\\a\\key");
  assert.equal(expandHome("~/.ssh/key", windows), "C:\\Users\\a\\.ssh\\key");
});
