import assert from "node:assert/strict";
import { explainDenial } from "../../src/cli/permissions.ts";
import { I2ptunError } from "../../src/errors.ts";

const said = (message: string) =>
  explainDenial(new I2ptunError("unforeseen", message));

Deno.test("what Deno says of a missing permission is told in our words", () => {
  const share = said(
    String
      .raw`cannot write \\nas\me\p.yaml: Requires write access to "\\nas\me\", run again with the --allow-write flag`,
  );
  assert.equal(
    share.message,
    String.raw`i2ptun may not write \\nas\me\, only drives with a letter`,
  );
  assert.match(share.remedy ?? "", /net use/);
  const variable = said('Requires env access to "X", specify …');
  assert.equal(
    variable.message,
    "i2ptun may not read the environment variable X",
  );
  for (const other of ["no route", 'Requires write access to "/x", …']) {
    assert.equal(said(other).message, other);
  }
});
