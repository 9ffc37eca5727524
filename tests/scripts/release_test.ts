import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { sectionOf, withRelease } from "../../scripts/changelog.ts";
import { pack } from "../../scripts/release.ts";
import { findProgram, testWith } from "../support/requirements.ts";
import { execute, makeScratchDir, removeDir } from "../support/scratch.ts";

const RELEASE = {
  version: "1.2.3",
  date: "2026-01-31",
  targets: ["linux-x64", "windows-x64"],
};

/** Packs a little script in the executables' place. @returns its folder */
async function packScript(dir: string, name: string): Promise<URL> {
  const program = pathToFileURL(`${dir}/program`);
  await Deno.writeTextFile(program, "#!/bin/sh\necho it runs\n");
  const to = pathToFileURL(`${dir}/${name}/`);
  const names = await pack(RELEASE, () => program, to);
  assert.deepEqual(names, [
    "i2ptun-1.2.3-linux-x64.tar.gz",
    "i2ptun-1.2.3-windows-x64.zip",
    "SHA256SUMS",
  ]);
  return to;
}

testWith(["linux", "python3"], "archives that others can unpack", async () => {
  const dir = await makeScratchDir();
  try {
    const to = fileURLToPath(await packScript(dir, "release"));
    await execute("sh", [
      "-c",
      `cd '${to}' && sha256sum -c --quiet SHA256SUMS`,
    ]);

    await execute("tar", [
      "-xzf",
      `${to}/i2ptun-1.2.3-linux-x64.tar.gz`,
      "-C",
      dir,
    ]);
    const at = `${dir}/i2ptun-1.2.3-linux-x64`;
    assert.equal(await execute(`${at}/i2ptun`, []), "it runs\n");
    for (const name of ["README.md", "LICENSE", "docs/install.md"]) {
      assert.equal(
        await Deno.readTextFile(`${at}/${name}`),
        await Deno.readTextFile(new URL(`../../${name}`, import.meta.url)),
      );
    }
    const page = await Deno.readTextFile(`${at}/i2ptun.1`);
    assert.match(page, /^\.TH I2PTUN 1 2026-01-31 "i2ptun 1\.2\.3"/);
    const bash = await Deno.readTextFile(`${at}/completions/i2ptun.bash`);
    assert.match(bash, /^complete -F _i2ptun i2ptun$/m);

    const archive = `${to}/i2ptun-1.2.3-windows-x64.zip`;
    assert.match(
      await execute(findProgram("python3")!, ["-m", "zipfile", "-t", archive]),
      /Done testing/,
    );
    const windows = `${dir}/windows`;
    await execute(findProgram("python3")!, [
      "-m",
      "zipfile",
      "-e",
      archive,
      windows,
    ]);
    assert.equal(
      await Deno.readTextFile(`${windows}/i2ptun-1.2.3-windows-x64/i2ptun.exe`),
      await Deno.readTextFile(`${dir}/program`),
    );
  } finally {
    await removeDir(dir);
  }
});

Deno.test("the same files give the same archives", async () => {
  const dir = await makeScratchDir();
  try {
    const [a, b] = [await packScript(dir, "a"), await packScript(dir, "b")];
    const sums = (folder: URL) =>
      Deno.readTextFileSync(new URL("SHA256SUMS", folder));
    assert.equal(sums(a), sums(b));
  } finally {
    await removeDir(dir);
  }
});

Deno.test("a changelog gets each release once, the newest first", () => {
  const date = "2026-01-31";
  const first = withRelease("", "1.0.0", date, ["Begin"]);
  assert.equal(first, "# Changes\n\n## 1.0.0 (2026-01-31)\n\n- Begin\n");
  const second = withRelease(first, "1.1.0", date, ["Mend a", "Mend b"]);
  assert.equal(sectionOf(second, "1.1.0"), "- Mend a\n- Mend b");
  assert.equal(sectionOf(second, "1.0.0"), "- Begin");
  assert(second.indexOf("1.1.0") < second.indexOf("1.0.0"));
  assert(second.startsWith("# Changes\n\n## 1.1.0 "));
  const byHand = second.replace("- Mend a\n- Mend b", "All is well.");
  assert.equal(withRelease(byHand, "1.1.0", date, ["x"]), byHand);
  assert.equal(sectionOf(second, "1.1"), undefined);
});
