/**
 * How soon channels are asked for, and first spoken over, when many are wanted.
 *
 * OpenSSH's server goes over all its channels in turns. What they have to send
 * in one turn, 32 KiB each, it puts into one buffer, and copies all of it for
 * each packet that makes it longer (serverloop.c, sshbuf.c): thousands that
 * begin together take it half a minute, a few at a time half a second. They
 * begin when they are opened, or when targets that wait for it are asked
 * something.
 *
 * @module
 */

import type { RoundTrip } from "./receive_window.ts";

/**
 * So many to one target may wait for an answer. One counts until there is one,
 * or until the server has answered a second question after it: then what holds it
 * up is the target, which may never answer.
 */
const LIMIT = 24;

/**
 * When so many wait, others may as well wait where they cost nothing: in the
 * system's queue of a listener, which is no shorter.
 */
const MANY = 64;

/**
 * As many again for each such part of the round trip, in milliseconds, which
 * would pass in waiting.
 */
const PART_MS = 10;

/** But not for what is beyond this: hundreds take the server longer than the way. */
const LONGEST_MS = 140;

/** The round trip as long as it is not known, in milliseconds. */
const LIKELY_MS = 20;

/** A server that takes so much longer than it once did is busy; milliseconds. */
const BUSY_MS = 20;

/** Asks the server something that it answers at once, after what was before. */
export type Question = (answered: () => void) => void;

/** Asks for something; `answered` is to be called when there is an answer. */
export type Ask = (answered: () => void) => void;

/** Targets do not wait for one another. */
export class OpeningQueue {
  readonly #targets = new Map<string, Target>();
  readonly #roundTrip: RoundTrip;
  readonly #question: Question;
  #isOver = false;

  constructor(roundTrip: RoundTrip, question: Question) {
    this.#roundTrip = roundTrip;
    this.#question = question;
  }

  /** Calls `ask`, which opens a channel, when it is its turn, mostly at once. */
  open(name: string, ask: Ask): void {
    if (this.#isOver) ask(() => {});
    else this.#target(name).open(ask);
  }

  /** As {@link open}, for what is sent first over a channel; before all of those. */
  begin(name: string, ask: Ask): void {
    if (this.#isOver) ask(() => {});
    else this.#target(name).begin(ask);
  }

  #target(name: string): Target {
    let target = this.#targets.get(name);
    if (!target) {
      target = new Target(
        this.#roundTrip,
        this.#question,
        () => this.#targets.delete(name),
      );
      this.#targets.set(name, target);
    }
    return target;
  }

  /** If many wait already: resolves when others may come. */
  room(name: string): Promise<void> | undefined {
    return this.#targets.get(name)?.room();
  }

  /** Lets nobody wait any more, since the connection is lost. */
  flush(): void {
    this.#isOver = true;
    const targets = [...this.#targets.values()];
    this.#targets.clear();
    for (const target of targets) target.flush();
  }
}

class Target {
  readonly #roundTrip: RoundTrip;
  readonly #question: Question;
  readonly #onIdle: () => void;
  /** Those that wait to open a channel, and those that have one. */
  readonly #opening: Ask[] = [];
  readonly #beginning: Ask[] = [];
  /** Those that count. */
  readonly #asked = new Set<object>();
  /** Those that did when the last question but one was asked. */
  #older: object[] = [];
  /** Resolves when fewer wait. */
  #room: PromiseWithResolvers<void> | undefined;
  #isAsking = false;
  #isBusy = false;

  constructor(roundTrip: RoundTrip, question: Question, onIdle: () => void) {
    this.#roundTrip = roundTrip;
    this.#question = question;
    this.#onIdle = onIdle;
  }

  open(ask: Ask): void {
    this.#opening.push(ask);
    this.#serve();
  }

  begin(ask: Ask): void {
    this.#beginning.push(ask);
    this.#serve();
  }

  room(): Promise<void> | undefined {
    if (this.#opening.length < MANY) return;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  flush(): void {
    for (const ask of this.#beginning.splice(0)) ask(() => {});
    for (const ask of this.#opening.splice(0)) ask(() => {});
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #serve(): void {
    while (this.#asked.size < this.#limit) {
      const ask = this.#beginning.shift() ?? this.#opening.shift();
      if (!ask) break;
      const one = {};
      this.#asked.add(one);
      ask(() => {
        if (this.#asked.delete(one)) this.#serve();
      });
    }
    if (this.#opening.length < MANY / 2) this.#makeRoom();
    // early, so that who comes next need not wait for targets that do not answer
    if (this.#asked.size > this.#limit / 2) this.#askServer();
    else if (this.#asked.size === 0 && !this.#isAsking) this.#onIdle();
  }

  get #limit(): number {
    const { ms } = this.#roundTrip;
    const way = this.#isBusy ? 0 : Math.min(ms || LIKELY_MS, LONGEST_MS);
    return LIMIT * (1 + Math.round(way / PART_MS));
  }

  /** Two questions, since OpenSSH's server answers the first in the same turn. */
  #askServer(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const before = [...this.#asked];
    const took = this.#roundTrip.start();
    this.#question(() => {
      this.#isAsking = false;
      this.#isBusy = took() > this.#roundTrip.ms + BUSY_MS;
      for (const one of this.#older) this.#asked.delete(one);
      this.#older = before;
      this.#serve();
    });
  }
}
