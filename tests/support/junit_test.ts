import assert from "node:assert/strict";
import { countTests } from "./junit.ts";

Deno.test("counts what deno itself reports, steps aside", async () => {
  const dir = await Deno.makeTempDir({ prefix: "i2ptun-" });
  try {
    await Deno.writeTextFile(
      `${dir}/sample_test.ts`,
      `Deno.test("passes", () => {});
       Deno.test("other", () => {});
       Deno.test("a > b", () => {});
       Deno.test('fails in a step <&"', async (t) => {
         await t.step("good", () => {});
         await t.step("bad > \\"worse\\"", () => { throw new Error("</testcase>"); });
       });
       Deno.test("steps well", async (t) => {
         await t.step({ name: "left out", ignore: true, fn() {} });
       });
       Deno.test({ name: 'left out & "quoted"', ignore: true, fn() {} });`,
    );
    await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "-q",
        "--filter=/^[^o]/",
        "--no-config",
        "--junit-path=report.xml",
      ],
      cwd: dir,
      stdout: "null",
      stderr: "null",
    }).output();
    const xml = await Deno.readTextFile(`${dir}/report.xml`);
    assert.deepEqual(countTests(xml), {
      passed: 3,
      failed: 1,
      skipped: ['left out & "quoted"'],
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("counts nothing where there is no report", () => {
  assert.deepEqual(countTests(""), { passed: 0, failed: 0, skipped: [] });
});
