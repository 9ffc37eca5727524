import assert from "node:assert/strict";
import { OpeningQueue } from "../../src/ssh/opening_queue.ts";
import { RoundTrip } from "../../src/ssh/receive_window.ts";

/**
 * A queue, a server that answers when it is told to, and a clock.
 *
 * @param knownMs the round trip, if it is known
 */
function start(knownMs?: number) {
  let now = 0;
  const roundTrip = new RoundTrip(() => now);
  if (knownMs !== undefined) {
    const took = roundTrip.start();
    now += knownMs;
    took();
  }
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  const questions: (() => void)[] = [];
  const queue = new OpeningQueue(
    roundTrip,
    (answered) => questions.push(answered),
  );
  const ask = (name: string) => (answered: () => void) => {
    asked.push(name);
    answers.set(name, answered);
  };
  return {
    queue,
    roundTrip,
    asked,
    questions,
    /** Wants to open some, called 0, 1, … */
    want: (count: number, target = "a") => {
      for (let i = 0; i < count; i++) queue.open(target, ask(`${target}${i}`));
    },
    /** Wants to say something over one that is open. */
    begin: (name: string, target = "a") => queue.begin(target, ask(name)),
    answer: (name: string) => answers.get(name)!(),
    /** Answers the only question, after a time. */
    answerQuestion: (ms = 1) => {
      now += ms;
      assert.equal(questions.length, 1);
      questions.shift()!();
    },
  };
}

Deno.test("two dozen are asked for at once", () => {
  const { want, asked } = start(1);
  want(24);
  assert.equal(asked.length, 24);
});

Deno.test("a dozen cost nothing else", () => {
  const { want, questions } = start(1);
  want(12);
  assert.deepEqual(questions, []);
});

Deno.test("of more, each answer lets the next go, in order", () => {
  const { want, asked, answer } = start(1);
  want(27);
  assert.equal(asked.length, 24);
  answer("a7");
  answer("a0");
  assert.deepEqual(asked.slice(24), ["a24", "a25"]);
  answer("a0"); // a second time
  assert.equal(asked.length, 26);
});

Deno.test("all that are answered leave room for as many", () => {
  const { want, asked, answer } = start(1);
  for (let round = 1; round <= 3; round++) {
    want(24);
    assert.equal(asked.length, 24 * round);
    for (let i = 0; i < 24; i++) answer(`a${i}`);
  }
});

Deno.test("who has a channel goes before those who want one", () => {
  const { want, begin, asked, answer } = start(1);
  want(26);
  begin("b0");
  begin("b1");
  assert.equal(asked.length, 24);
  for (let i = 0; i < 3; i++) answer(`a${i}`);
  assert.deepEqual(asked.slice(24), ["b0", "b1", "a24"]);
  answer("b0");
  assert.equal(asked.at(-1), "a25");
});

Deno.test("a target that does not answer is held up by two questions only", () => {
  const { want, asked, questions, answerQuestion } = start(1);
  want(60);
  answerQuestion();
  assert.equal(asked.length, 24, "it may still be the server");
  answerQuestion();
  assert.equal(asked.length, 24 + 13, "the others were asked for since");
  answerQuestion();
  assert.equal(asked.length, 48);
  answerQuestion();
  assert.equal(asked.length, 60);
  while (questions.length > 0) answerQuestion();
});

Deno.test("who comes later does not wait for what is never answered", () => {
  const { begin, want, asked, questions, answerQuestion } = start(1);
  for (let i = 0; i < 20; i++) begin(`b${i}`);
  while (questions.length > 0) answerQuestion();
  want(16);
  assert.equal(asked.length, 36);
});

Deno.test("an answer that comes after all counts once", () => {
  const { want, asked, answer, answerQuestion } = start(1);
  want(60);
  answerQuestion();
  answerQuestion();
  assert.equal(asked.length, 37);
  for (let i = 0; i < 13; i++) answer(`a${i}`);
  assert.equal(asked.length, 37);
  answer("a13");
  assert.equal(asked.length, 38);
});

Deno.test("a question whose answer nobody waits for changes nothing", () => {
  const { want, asked, answer, answerQuestion } = start(1);
  want(13);
  for (let i = 0; i < 13; i++) answer(`a${i}`);
  want(24);
  answerQuestion();
  want(1);
  assert.equal(asked.length, 13 + 24);
});

Deno.test("targets do not wait for one another", () => {
  const { want, asked } = start(1);
  want(200, "dead");
  want(1, "good");
  assert.equal(asked.at(-1), "good0");
});

Deno.test("far away more may wait, for the way takes the time", () => {
  const { want, asked, answerQuestion } = start();
  want(2000);
  assert.equal(asked.length, 72, "nothing is known yet: enough for a page");
  answerQuestion(60);
  assert.equal(asked.length, 24 * 7);
  answerQuestion(81);
  assert.equal(asked.length, 24 * 7, "slower than the way: it is busy");
  answerQuestion(81);
  assert.equal(asked.length, 24 * 8);
  answerQuestion(70);
  assert.equal(asked.length, 24 * 14);
});

Deno.test("but not thousands, however far", () => {
  const { want, asked } = start(300);
  want(2000);
  assert.equal(asked.length, 24 * 15);
});

Deno.test("when many wait, others learn when there is room again", async () => {
  const { queue, want, answer } = start(1);
  want(24 + 63);
  assert.equal(queue.room("a"), undefined);
  want(24 + 64, "b");
  assert.equal(queue.room("a"), undefined, "targets are apart");
  let isRoom = false;
  queue.room("b")!.then(() => isRoom = true);
  for (let i = 0; i < 32; i++) answer(`b${i}`);
  await Promise.resolve();
  assert.equal(isRoom, false);
  answer("b32");
  await Promise.resolve();
  assert.equal(isRoom, true);
  assert.equal(queue.room("b"), undefined);
  want(64, "b");
  const room = queue.room("b");
  assert.ok(room);
  queue.flush();
  await room;
});

Deno.test("the time of a question tells the round trip", () => {
  const { want, roundTrip, answerQuestion } = start(9);
  want(25);
  answerQuestion(7);
  assert.equal(roundTrip.ms, 7);
});

Deno.test("when the connection is lost, nobody waits any more", () => {
  const { queue, want, begin, asked } = start(1);
  want(30, "a");
  want(30, "b");
  begin("c", "b");
  assert.equal(asked.length, 48);
  queue.flush();
  assert.equal(asked.length, 61);
  want(30);
  begin("d");
  assert.equal(asked.length, 92);
});
