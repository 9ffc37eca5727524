/**
 * The channels of one connection that carry forwarded connections; they share
 * the link in turn.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { formatTarget, type TargetAddress } from "../forward/address.ts";
import type { I2ptunError } from "../errors.ts";
import {
  ADMINISTRATIVELY_PROHIBITED,
  Channel,
  CONNECT_FAILED,
  openFailure,
  type Peer,
  type Wire,
} from "./channel.ts";
import { Link } from "./link.ts";
import { type Ask, OpeningQueue } from "./opening_queue.ts";
import { FIRST_WINDOW, RoundTrip } from "./receive_window.ts";
import type { SshClient } from "./ssh2.ts";
import {
  type ChannelMessages,
  type ChannelOpen,
  ChannelProtocol,
  type PacketLink,
} from "./ssh2_channels.ts";
import { PromptAck } from "./prompt_ack.ts";
import { ReadCoalescing } from "./read_coalescing.ts";
import { askForLife, sendNothing } from "./ssh2_internals.ts";

/** So much may wait for the link before channels wait in turn, in bytes. */
const LINK_LIMIT = 256 * 1024;

/** Where a forwarded connection came from (RFC 4254 §7.2, originator). */
export interface Originator {
  address: string;
  port: number;
}

/** What a connection runs over, as far as its channels mind. */
export interface ChannelLink extends PacketLink {
  /** How many bytes wait to be written. */
  readonly queued: number;
  /** Called whenever some of them were written. */
  onWritten: (() => void) | undefined;
  /** Sends at once what is to be sent at the end of the turn. */
  flush(): void;
}

/** @returns the transport as a link */
export function linkOver(transport: Duplex): ChannelLink {
  if (transport instanceof Link) return transport;
  const link: ChannelLink = {
    send: (bytes) => void transport.write(Buffer.from(bytes)),
    copiesData: false,
    get queued() {
      return transport.writableLength;
    },
    onWritten: undefined,
    flush: () => {},
  };
  transport.on("drain", () => link.onWritten?.());
  return link;
}

interface Opening {
  /** Of the target. */
  name: string;
  resolve(channel: Channel): void;
  reject(reason: number, description: string): void;
  lost(): void;
}

/** A connection that came in at the server and waits for an answer. */
export interface Incoming {
  accept(): Channel;
  refuse(): void;
}

export class Channels {
  readonly #protocol: ChannelProtocol;
  readonly #link: ChannelLink;
  readonly #open = new Map<number, Channel>();
  readonly #opening = new Map<number, Opening>();
  readonly #waiting: (() => void)[] = [];
  #next = 0;
  #isLost = false;
  readonly roundTrip = new RoundTrip();
  readonly #wire: Wire = {
    data: (to, bytes) => {
      this.#coalescing.asked();
      this.#protocol.data(to, bytes);
    },
    windowAdjust: (to, bytes) => this.#protocol.windowAdjust(to, bytes),
    eof: (to) => this.#protocol.eof(to),
    close: (to) => this.#protocol.close(to),
    requestFailed: (to) => this.#protocol.requestFailed(to),
    isFull: () => this.#isFull,
    whenRoom: (callback) => this.#waiting.push(callback),
  };
  readonly #queue: OpeningQueue;
  readonly #coalescing = new ReadCoalescing();
  /** Takes a channel that the server opens, or says no. */
  onIncoming: (open: ChannelOpen, incoming: Incoming) => boolean = () => false;

  /**
   * @param client one whose `connect` has just been called
   * @param transport what it was told to connect over
   */
  constructor(client: SshClient, transport: Duplex) {
    const link = linkOver(transport);
    this.#link = link;
    this.#protocol = new ChannelProtocol(client, link, this.#messages());
    this.#queue = new OpeningQueue(
      this.roundTrip,
      (answered) => askForLife(client, answered),
    );
    const resume = () => {
      while (!this.#isFull) {
        const next = this.#waiting.shift();
        if (!next) return;
        next();
      }
    };
    link.onWritten = resume;
    if (transport instanceof Link) {
      transport.coalescing = this.#coalescing;
      transport.promptAck = new PromptAck(
        () => this.#open.size + this.#opening.size > 0,
        () => sendNothing(client),
      );
    }
    // also after each exchange of keys
    client.on("handshake", resume);
    client.on("close", () => this.#lost());
  }

  /**
   * Opens a connection from the server to `target` (RFC 4254 §7.2,
   * or direct-streamlocal@openssh.com for a Unix socket).
   *
   * @param lost what is thrown if the connection is lost before it is open
   * @throws {I2ptunError} `forward` if the server does not open it
   */
  open(
    target: TargetAddress,
    from: Originator,
    lost: () => I2ptunError,
  ): Promise<Channel> {
    const name = formatTarget(target);
    return new Promise((resolve, reject) => {
      this.#queue.open(name, (answered) => {
        if (this.#isLost) return reject(lost());
        const id = this.#newId();
        const took = this.roundTrip.start();
        this.#opening.set(id, {
          name,
          resolve: (channel) => {
            took();
            resolve(channel);
            answered();
          },
          reject: (reason, description) => {
            reject(openFailure(reason, description, name));
            answered();
          },
          lost: () => reject(lost()),
        });
        this.#coalescing.asked();
        this.#protocol.open(id, FIRST_WINDOW, target, from);
        // nothing else of this turn is waited for
        this.#link.flush();
      });
    });
  }

  /** If many wait for channels to `target`: resolves when others may come. */
  room(target: TargetAddress): Promise<void> | undefined {
    return this.#queue.room(formatTarget(target));
  }

  #messages(): ChannelMessages {
    const channel = (id: number) => this.#open.get(id);
    return {
      opened: (id, peer) => {
        const opening = this.#opening.get(id);
        this.#opening.delete(id);
        opening?.resolve(
          this.#add(id, peer, (ask) => this.#queue.begin(opening.name, ask)),
        );
      },
      openFailed: (id, reason, description) => {
        this.#opening.get(id)?.reject(reason, description);
        this.#opening.delete(id);
      },
      incoming: (open) => {
        const refuse = (reason: number) =>
          this.#protocol.refuse(open.peer.id, reason);
        const isTaken = this.onIncoming(open, {
          accept: () => {
            const id = this.#newId();
            this.#protocol.confirm(open.peer.id, id, FIRST_WINDOW);
            return this.#add(id, open.peer);
          },
          refuse: () => refuse(CONNECT_FAILED),
        });
        if (!isTaken) refuse(ADMINISTRATIVELY_PROHIBITED);
      },
      data: (id, bytes) => channel(id)?.onData(bytes),
      windowAdjust: (id, bytes) => channel(id)?.onWindowAdjust(bytes),
      eof: (id) => channel(id)?.onEnd(),
      request: (id) => channel(id)?.onRequest(),
      close: (id) => {
        channel(id)?.onClosed(false);
        this.#open.delete(id);
      },
    };
  }

  #add(id: number, peer: Peer, begin?: (ask: Ask) => void): Channel {
    const channel = new Channel(peer, this.#wire, this.roundTrip, begin);
    this.#open.set(id, channel);
    return channel;
  }

  get #isFull(): boolean {
    return this.#link.queued >= LINK_LIMIT || this.#protocol.isExchangingKeys;
  }

  #newId(): number {
    return this.#next++;
  }

  #lost(): void {
    this.#isLost = true;
    for (const opening of this.#opening.values()) opening.lost();
    this.#opening.clear();
    this.#queue.flush();
    for (const channel of this.#open.values()) channel.onClosed(true);
    this.#open.clear();
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
