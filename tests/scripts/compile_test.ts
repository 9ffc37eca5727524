import assert from "node:assert/strict";
import { findProgram, testWith } from "../support/requirements.ts";
import { copySource } from "../support/source_copy.ts";

testWith(
  ["linux"],
  "compile says what is wrong, and leaves nothing that does not run",
  async () => {
    await using copy = await copySource();
    const dist = new URL("dist/", copy.root);
    const compile = async (denort: string, ...targets: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-q", "--no-prompt", "-P=i2ptun"],
          ...["scripts/compile.ts", ...targets],
        ],
        cwd: copy.root,
        env: { DENORT_BIN: denort },
      }).output();
      assert.equal(code, 1);
      assert.equal(new TextDecoder().decode(stdout), "");
      return new TextDecoder().decode(stderr);
    };
    const [target = ""] = /^[^-]+/.exec(Deno.build.target)!;
    const own = target === "aarch64" ? "linux-arm64" : "linux-x64";
    assert.match(
      await compile("", "linux-x86"),
      /^error: there is no target linux-x86\ntry: linux-x64 .*\n$/,
    );
    assert.match(
      await compile("denort"),
      /^error: DENORT_BIN is the runtime of one target\ntry: .*\n$/,
    );
    assert.match(
      await compile("/nowhere/denort", own),
      /^error: cannot make dist\/i2ptun-linux[^]*\/nowhere\/denort[^]*^try: .*\n$/m,
    );
    // Deno puts the program into any executable
    assert.match(
      await compile(findProgram("true")!, own),
      /^error: cannot make dist\/i2ptun-linux.*: it does not run: [^]*^try: .*\n$/m,
    );
    assert.deepEqual([...Deno.readDirSync(dist)], []);
  },
);
