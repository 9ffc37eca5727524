/**
 * A channel that carries a forwarded connection (RFC 4254 §5).
 *
 * Not ssh2's: its channels are Node streams with a receive window of 2 MiB,
 * which is all that a distant server may send in a round trip, and every byte
 * goes through their buffers.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { Ask } from "./opening_queue.ts";
import { ReceiveWindow, type RoundTrip } from "./receive_window.ts";

/** Takes what comes over a channel, in this order. */
export interface Receiver {
  /** `bytes` are overwritten after the call; see {@link Channel.consumed}. */
  data(bytes: Uint8Array): void;
  /** The other side sends no more. */
  end(): void;
  /**
   * Nothing more comes or goes. A channel may be closed without an end before
   * (RFC 4254 §5.3), and those of servers written with Go's x/crypto/ssh mostly
   * are: as for ssh(1), that is an orderly end.
   *
   * @param isCut whether that is because the connection was lost
   */
  closed(isCut: boolean): void;
}

/** How a channel's messages reach the server. */
export interface Wire {
  /** No more than one packet takes. */
  data(channel: number, bytes: Uint8Array): void;
  windowAdjust(channel: number, bytes: number): void;
  eof(channel: number): void;
  close(channel: number): void;
  /** Answers a request that is not known. */
  requestFailed(channel: number): void;
  /** Whether data has to wait for the link: see {@link Wire.whenRoom}. */
  isFull(): boolean;
  /** Calls back once it has not. */
  whenRoom(callback: () => void): void;
}

/** The other side of a channel. */
export interface Peer {
  /** Its number of the channel. */
  id: number;
  /** How much it lets us send, in bytes. */
  window: number;
  /** The most it takes in one message, in bytes. */
  packetBytes: number;
}

export class Channel {
  readonly #peer: Peer;
  readonly #wire: Wire;
  readonly #window: ReceiveWindow;
  #receiver: Receiver | undefined;
  /** What has come before there was a receiver. */
  readonly #early = new ByteQueue();
  #state: "open" | "closing" | "closed" = "open";
  #isCut = false;
  #hasEnd = false;
  #hasSentEnd = false;
  #onReady: (() => void) | undefined;
  /** Calls it when something may be sent first; undefined once it was told to. */
  #begin: ((ask: Ask) => void) | undefined;
  #isWaitingToBegin = false;
  /** To be called when what was sent first is answered. */
  #onAnswer: (() => void) | undefined;

  /** @param begin default: what is sent first waits for nobody */
  constructor(
    peer: Peer,
    wire: Wire,
    roundTrip: RoundTrip,
    begin?: (ask: Ask) => void,
  ) {
    this.#peer = peer;
    this.#wire = wire;
    this.#begin = begin;
    this.#window = new ReceiveWindow((bytes) => {
      if (this.#state === "open") wire.windowAdjust(peer.id, bytes);
    }, roundTrip);
  }

  /** Whether nothing can be sent any more. */
  get isClosed(): boolean {
    return this.#state !== "open";
  }

  /** Says who takes what comes, and what has come already; nobody: it waits. */
  receive(receiver: Receiver | undefined): void {
    this.#receiver = receiver;
    if (!receiver) return;
    while (this.#early.length > 0) {
      const bytes = this.#early.peek();
      receiver.data(bytes);
      this.#early.consume(bytes.length);
    }
    if (this.#hasEnd) receiver.end();
    if (this.#state === "closed") receiver.closed(this.#isCut);
  }

  /** That so many bytes need no memory any more: the server may send others. */
  consumed(length: number): void {
    this.#window.consumed(length);
  }

  /**
   * Sends as much of `bytes` as the server and the link take now.
   *
   * @returns how many; if not all, wait until it is {@link ready}
   */
  send(bytes: Uint8Array): number {
    if (this.#begin && bytes.length > 0) this.#waitToBegin(this.#begin);
    let sent = 0;
    while (sent < bytes.length && this.#canSend) {
      const length = Math.min(
        bytes.length - sent,
        this.#peer.window,
        this.#peer.packetBytes,
      );
      this.#peer.window -= length;
      this.#wire.data(this.#peer.id, bytes.subarray(sent, sent + length));
      sent += length;
    }
    return sent;
  }

  /** Resolves when more can be sent, or nothing any more. */
  async ready(): Promise<void> {
    while (!this.isClosed && !this.#canSend) {
      await new Promise<void>((resolve) => {
        this.#onReady = resolve;
        if (this.#peer.window > 0 && !this.#isWaitingToBegin) {
          this.#wire.whenRoom(resolve);
        }
      });
    }
  }

  /** Says that no more will be sent. */
  sendEnd(): void {
    if (this.#state !== "open" || this.#hasSentEnd) return;
    this.#hasSentEnd = true;
    this.#wire.eof(this.#peer.id);
  }

  /** Closes both directions; {@link Receiver.closed} follows. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#wire.close(this.#peer.id);
    this.#wake();
  }

  /** @internal SSH_MSG_CHANNEL_DATA. */
  onData(bytes: Uint8Array): void {
    this.#answered();
    if (this.#state === "closed" || this.#hasEnd) return;
    // who sends more than it was let would fill our memory
    if (!this.#window.received(bytes.length)) return this.close();
    if (this.#receiver) this.#receiver.data(bytes);
    else this.#early.append(bytes);
  }

  /** @internal SSH_MSG_CHANNEL_WINDOW_ADJUST. */
  onWindowAdjust(bytes: number): void {
    this.#peer.window += bytes;
    this.#wake();
  }

  /** @internal SSH_MSG_CHANNEL_EOF. */
  onEnd(): void {
    if (this.#hasEnd || this.#state === "closed") return;
    this.#hasEnd = true;
    this.#receiver?.end();
  }

  /** @internal SSH_MSG_CHANNEL_REQUEST with `want reply`. */
  onRequest(): void {
    if (this.#state === "open") this.#wire.requestFailed(this.#peer.id);
  }

  /** @internal SSH_MSG_CHANNEL_CLOSE, or that the connection is lost. */
  onClosed(isCut: boolean): void {
    if (this.#state === "closed") return;
    if (!isCut) this.close();
    this.#state = "closed";
    this.#answered();
    this.#isCut = isCut;
    this.#window.close();
    this.#wake();
    this.#receiver?.closed(isCut);
  }

  get #canSend(): boolean {
    return this.#state === "open" && this.#peer.window > 0 &&
      !this.#isWaitingToBegin && !this.#wire.isFull();
  }

  #waitToBegin(begin: (ask: Ask) => void): void {
    this.#begin = undefined;
    this.#isWaitingToBegin = true;
    begin((answered) => {
      this.#isWaitingToBegin = false;
      this.#onAnswer = answered;
      // one after the other, however many were closed while they waited
      if (this.isClosed) queueMicrotask(() => this.#answered());
      this.#wake();
    });
  }

  #answered(): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.();
  }

  #wake(): void {
    const ready = this.#onReady;
    this.#onReady = undefined;
    ready?.();
  }
}

interface Refusal {
  said: string;
  why?: string;
  remedy: string;
}

/** RFC 4254 §5.1, two of the reason codes of SSH_MSG_CHANNEL_OPEN_FAILURE. */
export const ADMINISTRATIVELY_PROHIBITED = 1;
export const CONNECT_FAILED = 2;

/** By their codes. */
const OPEN_FAILURES: Record<number, Refusal | undefined> = {
  [ADMINISTRATIVELY_PROHIBITED]: {
    said: "the server forbids it",
    remedy:
      "its sshd_config must allow it: AllowTcpForwarding, PermitOpen, or the key's options in authorized_keys",
  },
  [CONNECT_FAILED]: {
    said: "nothing answers there",
    why: "the service does not run on the server, or listens elsewhere",
    remedy: "check that the service runs on the server and listens there",
  },
  3: {
    said: "the server does not know this kind of channel",
    remedy: "the SSH server cannot forward connections; use another one",
  },
  4: {
    said: "the server has no resources left",
    remedy: "try again later, or look at the server's load",
  },
};

/** gai_strerror(3), which sshd passes on. */
const NO_SUCH_NAME = /not known|name resolution|no address associated/i;

const NAME_FAILURE: Refusal = {
  said: "the server cannot find its address",
  why: "the name is misspelt, or known only elsewhere",
  remedy:
    "check the name; names that end in .i2p are for the router's own proxies",
};

/** Of sockets, sshd tells nothing more, also where it forbids them. */
const SOCKET_FAILURE: Refusal = {
  said: "the server cannot connect to that socket",
  why:
    "no program listens there, it is another user's, or sshd_config forbids it",
  remedy:
    "on the server, see which program has the socket and who may open it, and whether sshd_config allows it: AllowStreamLocalForwarding",
};

function refusalOf(
  reason: number,
  description: string,
  target: string,
): Refusal | undefined {
  if (reason === CONNECT_FAILED && target.includes("/")) return SOCKET_FAILURE;
  if (reason === CONNECT_FAILED && NO_SUCH_NAME.test(description)) {
    return NAME_FAILURE;
  }
  return OPEN_FAILURES[reason];
}

/** Whether a channel was not opened because the SSH server forbids it. */
export function isForbidden(error: I2ptunError): boolean {
  const { reason } = (error.cause ?? {}) as { reason?: unknown };
  return Number(reason) === ADMINISTRATIVELY_PROHIBITED;
}

/**
 * Explains why a channel to `target` was not opened; the cause's `reason` and
 * `message` are the server's own.
 */
export function openFailure(
  reason: number,
  description: string,
  target: string,
): I2ptunError {
  const { said = "the server does not open it", why, remedy } =
    refusalOf(reason, description, target) ?? {};
  const details = description === "" ? "" : ` (${description})`;
  return new I2ptunError("forward", `${target}: ${said}${details}`, {
    why,
    remedy,
    cause: Object.assign(new Error(description), { reason }),
  });
}
