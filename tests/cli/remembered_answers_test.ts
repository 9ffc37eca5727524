import assert from "node:assert/strict";
import { RememberedAnswers } from "../../src/cli/remembered_answers.ts";
import type { Question } from "../../src/ssh/prompter.ts";

const login = "me@host:22";
const password: Question = { kind: "password", login, attempt: 1 };
const passphrase: Question = { kind: "passphrase", path: "/k", attempt: 1 };
const interactive = (prompt: string): Question => ({
  ...{ kind: "interactive", login, prompt, echo: false } as const,
  ...{ name: "", instructions: "" },
});

/** Answers that tell how often the person was asked. */
function remembered() {
  let asked = 0;
  return new RememberedAnswers(() => Promise.resolve(`answer ${++asked}`));
}

Deno.test("a second login asks for no password again", async () => {
  const answers = remembered();
  assert.equal(answers.hasPassword, false);
  assert.equal(await answers.prompter()(password), "answer 1");
  assert.equal(answers.hasPassword, true);
  // servers ask for it in two ways
  const second = answers.prompter();
  assert.equal(await second(interactive("Password: ")), "answer 1");
  // but not for another user's
  const other: Question = { ...password, login: "you@host:22" };
  assert.equal(await second(other), "answer 2");
});

Deno.test("what was wrong is asked for again, and forgotten", async () => {
  const answers = remembered();
  const first = answers.prompter();
  await first(password);
  assert.equal(await first({ ...password, attempt: 2 }), "answer 2");
  const second = answers.prompter();
  assert.equal(await second(password), "answer 2");
  assert.equal(await second({ ...password, attempt: 2 }), "answer 3");
  answers.forget();
  assert.equal(await answers.prompter()(password), "answer 4");
});

Deno.test("passphrases are kept, one-time codes are not", async () => {
  const answers = remembered();
  const first = answers.prompter();
  await first(passphrase);
  await first(interactive("Verification code: "));
  assert.equal(answers.hasPassword, false);
  const second = answers.prompter();
  assert.equal(await second(passphrase), "answer 1");
  assert.equal(await second(interactive("Verification code: ")), "answer 3");
});
