/**
 * Our side of tests/e2e/insider.ts, who tries what a tunnel must not be able to
 * do from inside its process.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Attempts } from "../e2e/insider.ts";

/** Its source, relative to the root. */
export const INSIDER = "tests/e2e/insider.ts";

/** Who listens to one insider. */
export class Insider implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  #connection: Deno.TcpConn | undefined;
  #before: Attempts = {};

  /** What it is told first. */
  get port(): string {
    return `${this.#listener.addr.port}`;
  }

  /** Waits until it has tried everything before the program began. */
  async hasBegun(): Promise<void> {
    this.#connection = await this.#listener.accept();
    this.#before = await this.#told();
  }

  /** Tries everything now. */
  async tries(): Promise<Attempts> {
    await this.#connection!.write(new TextEncoder().encode("\n"));
    return await this.#told();
  }

  /** Checks that each attempt is denied, and that it is for the tunnel's being up. */
  async assertConfined(): Promise<void> {
    for (const [attempt, result] of Object.entries(this.#before)) {
      const expected = {
        "load a library": "NotCapable",
        "read all variables": "NotCapable",
        "remove a file": "NotFound",
      }[attempt] ?? "done";
      assert.equal(result, expected, `${attempt}, before`);
    }
    const now = await this.tries();
    assert.deepEqual(Object.keys(now), Object.keys(this.#before));
    for (const [attempt, result] of Object.entries(now)) {
      // they tell it that the network has changed
      const isAllowed = attempt === "know the machine's addresses";
      assert.equal(result, isAllowed ? "done" : "NotCapable", attempt);
    }
  }

  [Symbol.dispose](): void {
    this.#connection?.close();
    this.#listener.close();
  }

  async #told(): Promise<Attempts> {
    const buffer = new Uint8Array(65_536);
    let text = "";
    while (!text.endsWith("\n")) {
      const length = await this.#connection!.read(buffer);
      assert(length !== null, "the insider has ended");
      text += new TextDecoder().decode(buffer.subarray(0, length));
    }
    return JSON.parse(text);
  }
}
