import assert from "node:assert/strict";
import fc from "fast-check";
import {
  addForwards,
  addProfile,
  profileText,
  removeProfile,
  replaceProfile,
} from "../../src/profile/edit.ts";
import { parseProfiles } from "../../src/profile/parse.ts";
import type { ProfileSource } from "../../src/profile/schema.ts";

const SOURCE: ProfileSource = {
  server: "i2p@[::1]:22",
  keepalive: { interval: "5s", count: 2 },
  forwards: ["console", { local: "*:80:h:1", name: "x" }, { dynamic: "1080" }],
};

const names = (text: string) => parseProfiles(text, "f").map((p) => p.name);

/** Some lines that mean nothing, at `indent`. */
const filler = (indent: number) =>
  fc.array(
    fc.constantFrom("", "   ", `${" ".repeat(indent)}# remark: { [ "`),
    { maxLength: 2 },
  );

const forwardLines = (indent: number) =>
  fc.tuple(filler(indent + 2), fc.constantFrom(0, 2)).chain(([between, deep]) =>
    fc.constantFrom(
      ["forwards: []"],
      ["forwards: [ console,", "    irc ]  # two"],
      ['forwards:   # "some"', `${" ".repeat(deep)}- console # one`],
      [
        "forwards:",
        `${" ".repeat(deep)}- { service: 'irc', listen: 6669 }`,
        ...between.map((line) => line.slice(indent)),
        `${" ".repeat(deep)}-   local: >-`,
        `${" ".repeat(deep)}      8080:h:80`,
        `${" ".repeat(deep)}# - sam`,
      ],
    )
  );

/** The lines of a profile: values quoted and spaced in many ways. */
const profileLines = (name: string, indent: number, step: number) =>
  fc.tuple(
    fc.constantFrom("server: a@b", "server:   'a@b' # there", 'server: "a@b"'),
    filler(indent + step),
    forwardLines(indent + step),
    filler(indent + step),
    fc.constantFrom("", "  # its remark", " "),
    fc.boolean(),
  ).map(([server, between, forwards, after, remark, isFlow]) => {
    if (isFlow) {
      return [`${" ".repeat(indent)}${name}: { server: a, forwards: [] }`];
    }
    const pad = " ".repeat(indent + step);
    return [
      `${" ".repeat(indent)}${name}:${remark}`,
      pad + server,
      ...between,
      ...forwards.map((line) => line.trim() === "" ? line : pad + line),
      ...after,
    ];
  });

/** Files as people write them. */
const anyFile = fc.tuple(
  fc.constantFrom(1, 2, 4),
  fc.constantFrom(2, 3),
  fc.integer({ min: 0, max: 4 }),
).chain(([indent, step, count]) =>
  fc.record({
    head: fc.constantFrom([], ["# mine", ""], ["version: 1"], ["---"], [
      "%YAML 1.2",
      "---",
      "version: 1 # one",
      "",
    ]),
    // A mapping that is not there cannot hold what stands at its indentation.
    inside: filler(indent),
    profiles: fc.tuple(
      ...Array.from(
        { length: count },
        (_, i) => profileLines(`p${i}`, indent, step),
      ),
    ),
    between: filler(indent),
    tail: fc.constantFrom([], [""], ["", "# end"], ["# end", "", ""], ["..."]),
    lineBreak: fc.constantFrom("\n", "\r\n"),
    isOpen: fc.boolean(),
  }).map(({ head, inside, profiles, between, tail, lineBreak, isOpen }) => {
    const all = profiles.flatMap((lines) => [...lines, ...between]);
    const lines = [...head, "profiles:  # all", ...inside, ...all, ...tail];
    return lines.join(lineBreak) + (isOpen ? "" : lineBreak);
  })
);

Deno.test("a profile added and removed again leaves every byte as it was", () => {
  fc.assert(
    fc.property(anyFile, (text) => {
      const before = names(text);
      const added = addProfile(text, "new", SOURCE);
      assert.deepEqual(names(added), [...before, "new"]);
      assert(!/(?<!\r)\n/.test(added) || !text.includes("\r\n"));
      assert.equal(removeProfile(added, "new"), text);
    }),
    { numRuns: 300 },
  );
});

Deno.test("a profile removed takes no line of another with it", () => {
  fc.assert(fc.property(anyFile, fc.nat(3), (text, pick) => {
    const before = names(text);
    const name = before[pick];
    if (name === undefined) return;
    const removed = removeProfile(text, name);
    assert.deepEqual(names(removed), before.filter((other) => other !== name));
    for (const other of names(removed)) {
      assert.equal(
        profileText(removed, other)?.trimEnd(),
        profileText(text, other)?.trimEnd(),
      );
    }
  }));
});

Deno.test("a profile replaced and put back leaves every byte as it was", () => {
  fc.assert(fc.property(anyFile, fc.nat(3), (text, pick) => {
    const name = names(text)[pick];
    if (name === undefined) return;
    const lines = profileText(text, name)!;
    assert.equal(replaceProfile(text, name, lines), text);
    const other = `${name}: # changed\n  server: other\n  forwards: []\n`;
    const replaced = replaceProfile(text, name, other);
    assert.deepEqual(names(replaced), names(text));
    assert.equal(
      parseProfiles(replaced, "f").find((p) => p.name === name)?.server.host,
      "other",
    );
    const withoutBlanks = (some: string) =>
      some.replaceAll(/[ \t]+(?=\r?$)/gm, "");
    assert.equal(
      withoutBlanks(replaceProfile(replaced, name, lines)),
      withoutBlanks(text),
    );
  }));
});

Deno.test("forwards added to a profile change no other line", () => {
  fc.assert(fc.property(anyFile, fc.nat(3), (text, pick) => {
    const name = names(text)[pick];
    if (name === undefined) return;
    const added = addForwards(text, name, ["bob", { dynamic: "1" }]);
    const profiles = parseProfiles(added, "f");
    const profile = profiles.find((one) => one.name === name);
    assert.deepEqual(profile?.forwards.slice(-2).map((one) => one.name), [
      "bob",
      "dynamic-1",
    ]);
    const own = profileText(added, name)!;
    const replaced = replaceProfile(added, name, profileText(text, name)!);
    assert.notEqual(own, profileText(text, name));
    const withoutBlanks = (some: string) =>
      some.replaceAll(/[ \t]+(?=\r?$)/gm, "");
    assert.equal(withoutBlanks(replaced), withoutBlanks(text));
  }));
});

Deno.test("the first profile of a file, and how it is written", () => {
  const lines = `  new:
    server: i2p@[::1]:22
    keepalive: { interval: 5s, count: 2 }
    forwards:
      - console
      - { local: "*:80:h:1", name: x }
      - { dynamic: "1080" }
`;
  const files: [before: string, after: string][] = [
    ["", `version: 1\nprofiles:\n${lines}`],
    ["# mine", `# mine\nversion: 1\nprofiles:\n${lines.trimEnd()}`],
    ["version: 1 # v\n", `version: 1 # v\nprofiles:\n${lines}`],
    ["profiles: {}  # none\n\n# end\n", `profiles:  # none\n${lines}\n# end\n`],
    [
      "profiles:\n  # none\nversion: 1\n",
      `profiles:\n  # none\n${lines}version: 1\n`,
    ],
  ];
  for (const [before, after] of files) {
    assert.equal(addProfile(before, "new", SOURCE), after);
  }
});

Deno.test("profiles set off by blank lines stay so", () => {
  const one = (name: string) => `  ${name}:\n    server: a\n    forwards: []\n`;
  const file = (...names: string[]) =>
    `profiles:\n${names.map(one).join("\n")}\n# end\n`;
  const minimal = { server: "a", forwards: [] };
  assert.equal(addProfile(file("a", "b"), "c", minimal), file("a", "b", "c"));
  for (const gone of ["a", "b", "c"]) {
    assert.equal(
      removeProfile(file("a", "b", "c"), gone),
      file(...["a", "b", "c"].filter((name) => name !== gone)),
    );
  }
});

Deno.test("a file in braces keeps its meaning and its comments", () => {
  const text =
    "# mine\n{ version: 1, profiles: { a: { server: s, forwards: [ irc ] } } }\n";
  const added = addProfile(text, "new", SOURCE);
  assert.deepEqual(names(added), ["a", "new"]);
  assert(added.startsWith("# mine\n"));
  const more = addForwards(added, "a", ["sam"]);
  assert.equal(parseProfiles(more, "f")[0]?.forwards.length, 2);
  assert.deepEqual(names(removeProfile(more, "a")), ["new"]);
  const lines = profileText(text, "a")!;
  assert.equal(lines, "a: { server: s, forwards: [ irc ] }\n");
  const replaced = replaceProfile(text, "a", lines.replace("s,", "t,"));
  assert.equal(parseProfiles(replaced, "f")[0]?.server.host, "t");
});
