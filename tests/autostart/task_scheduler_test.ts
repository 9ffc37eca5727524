/** A task, held against what is documented of its schema: task.xsd. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { autostartManager } from "../../src/autostart/manager.ts";
import { utf16 } from "../../src/autostart/task_scheduler.ts";
import { testWith } from "../support/requirements.ts";
import { validate } from "./task_schema.ts";

interface Given {
  name?: string;
  command?: string[];
  userName?: string;
  domain?: string | undefined;
}

/** The bytes of the file that `autostart enable` gives to schtasks. */
function task({
  name = "home",
  command = ["C:\\i2ptun.exe", "profile", "start", "home"],
  userName = "zoe",
  domain,
}: Given = {}): Uint8Array<ArrayBuffer> {
  const { file } = autostartManager({
    task: { name, command, variables: {} },
    environment: {
      system: "windows",
      home: "C:\\Users\\zoe",
      userName,
      variable: (key) => key === "USERDOMAIN" ? domain : undefined,
    },
    state: "C:\\Users\\zoe\\AppData\\Local\\i2ptun",
    system: false,
  });
  return utf16(file.content);
}

/** What a folder, a file or a user of Windows may be called; all but control. */
const WORD = fc.stringMatching(/^[^\p{C}\\/:*?"<>|\s]{1,20}$/u);
const PATH = fc.array(WORD, { minLength: 1, maxLength: 6 })
  .map((words) => `C:\\${words.join(" & \\")}`);

testWith(["xmllint"], "every task is what its schema says", async () => {
  const config = ["--config", "C:\\Users\\Zoë & Co\\<ä> 'b'\\profiles.yaml"];
  const given: Given[] = [
    {},
    { domain: "PC" },
    { name: "a.b_c-1", userName: "Zoë & <Co> Müller", domain: "ПК" },
    { command: ["C:\\i2ptun.exe", "profile", "start", "home", ...config] },
    { command: ["C:\\Program Files\\ключ & \u{1f511}\\i2ptun.exe"] },
    // from its source
    {
      command: [
        ...["C:\\deno.exe", "run", "-q", "-P=i2ptun", "C:\\my src\\main.ts"],
        ...["profile", "start", "home", ...config],
      ],
    },
    ...fc.sample(
      fc.record({
        command: fc.tuple(PATH, PATH),
        userName: WORD,
        domain: fc.option(WORD, { nil: undefined }),
      }),
      100,
    ),
  ];
  const said = await validate(given.map(task));
  for (const [i, each] of said.entries()) {
    assert.equal(each, "", JSON.stringify(given[i]));
  }
});

/** What is wrong, the text that is replaced, and by what. */
const MISTAKES: [string, RegExp, string][] = [
  ["order", /(<Enabled>.*<\/Enabled>)(\s*)(<UserId>.*)/, "$3$2$1"],
  ["unknown element", /<Settings>/, "$&<Colour>red</Colour>"],
  ["twice", /<Description>.*/, "$&$&"],
  ["no boolean", /(<StopIfGoingOnBatteries>)false/, "$1no"],
  ["unknown value", /IgnoreNew/, "ignoreNew"],
  ["unknown logon", /InteractiveToken/, "Interactive"],
  ["no duration", /PT0S/, "0"],
  ["too short", /PT1M/, "PT59S"],
  ["too many", /(<Count>)255/, "$1256"],
  ["incomplete", /<Count>.*/, ""],
  ["too high", /(<Priority>)\d+/, "$111"],
  ["empty", /(<Principal [^]*<UserId>)[^<]*/, "$1"],
  ["nobody", /Context="Author"/, 'Context="Nobody"'],
  ["no command", /<Command>.*/, ""],
  ["long command", /(<Command>)/, `$1${"x".repeat(260)}`],
  ["no action", /<Exec>[^]*<\/Exec>/, ""],
  ["no version", /version="1.2"/, 'version="1"'],
  ["another namespace", /2004\/02\/mit/, "2005/02/mit"],
  ["not escaped", /zoe/, "a & b"],
];

testWith(["xmllint"], "a task with a mistake is refused", async () => {
  const right = new TextDecoder("utf-16le").decode(task());
  const wrong = MISTAKES.map(([, from, to]) => right.replace(from, to));
  const said = await validate(wrong.map(utf16));
  for (const [i, [what]] of MISTAKES.entries()) {
    assert.notEqual(wrong[i], right, what);
    assert.notEqual(said[i], "", what);
  }
});

testWith(["xmllint"], "a task's file is in the encoding it says", async () => {
  const bytes = task({ userName: "Zoë" });
  // little endian and marked: else schtasks says that it is malformed
  assert.deepEqual([...bytes.slice(0, 4)], [0xff, 0xfe, 0x3c, 0]);
  const text = new TextDecoder("utf-16le").decode(bytes);
  assert.match(text, /^<\?xml version="1\.0" encoding="UTF-16"\?>\n/);
  const [utf8] = await validate([new TextEncoder().encode(text)]);
  assert.match(utf8!, /labelled UTF-16 but has UTF-8/);
});

Deno.test("what a task starts has the priority of a program", () => {
  const text = new TextDecoder("utf-16le").decode(task());
  // 4: normal for processor, disk and memory
  assert.match(text, /<Priority>4<\/Priority>/);
});
