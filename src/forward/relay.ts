/**
 * Bytes between a socket on this machine and a channel, both ways, each way
 * ending on its own.
 *
 * @module
 */

import { Transform } from "node:stream";
import { wasCut } from "../ssh/channel.ts";
import type { ClientChannel } from "../ssh/ssh2.ts";
import type { Body } from "./http_body.ts";
import type { Socket } from "./socket.ts";
import type { Traffic } from "./traffic.ts";

/**
 * How long a socket whose channel is closed may still be sending before it is
 * cut off: closing it at once would make its system discard the end of the
 * answer that is on its way to it (RFC 1122 §4.2.2.13).
 */
const LINGER_MS = 2000;

/** Ends a socket so that all that was written to it arrives. */
export function hangUp(socket: Socket): void {
  if (socket.destroyed) return;
  socket.resume();
  const linger = () => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  };
  socket.end();
  if (socket.writableFinished) linger();
  else socket.once("finish", linger);
}

/**
 * Relays until both directions have ended or either side has failed.
 *
 * @param body what of the socket's bytes is passed on; undefined: all
 */
export function relay(
  socket: Socket,
  channel: ClientChannel,
  traffic: Traffic,
  body?: Body,
): void {
  const toChannel = body === undefined ? socket : socket.pipe(only(body));
  toChannel.on("data", (data) => traffic.bytes.sent += data.length);
  channel.on(
    "data",
    (data: Uint8Array) => traffic.bytes.received += data.length,
  );

  // RFC 4254 §5.3: whoever has sent and received EOF closes the channel
  let halves = 2;
  const halfDone = () => {
    if (--halves === 0) channel.close();
  };
  channel.once("finish", halfDone);
  channel.once("end", () => {
    halfDone();
    if (!wasCut(channel)) socket.end();
  });
  // also without EOF, which servers written in Go leave out, as for ssh(1)
  channel.once("close", () => {
    // what has come still goes to the client, but not as if it were all
    if (wasCut(channel)) {
      socket.write(new Uint8Array(), () => socket.reset());
      return;
    }
    toChannel.unpipe(channel);
    toChannel.resume();
    hangUp(socket);
  });
  channel.on("error", () => socket.reset());

  socket.once("close", () => {
    if (socket.errored || !socket.readableEnded) channel.close();
    // nobody reads any more: let the rest of the window go by
    channel.resume();
  });

  channel.pipe(socket, { end: false });
  toChannel.pipe(channel);
}

/** Passes on what belongs to `body`, and swallows the rest. */
function only(body: Body): Transform {
  return new Transform({
    transform: (chunk, _encoding, done) => done(null, body.take(chunk)),
  });
}
