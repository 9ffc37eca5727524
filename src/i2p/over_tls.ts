/**
 * TLS as a client over any stream.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { connect } from "node:tls";
import { listenAt, Socket } from "../forward/socket.ts";

/**
 * Speaks TLS over a stream. Whose certificate it is does not matter here: the
 * stream ends within SSH, and routers sign their own.
 *
 * @returns what is inside; undefined if the other side does not speak TLS
 */
export async function overTls(
  stream: Duplex,
  signal: AbortSignal,
): Promise<Duplex | undefined> {
  // Deno 2.7 does TLS over sockets of the system only, so there is one between
  const near = Promise.withResolvers<Socket>();
  const listening = listenAt(
    { host: "127.0.0.1", port: 0 },
    (conn) => near.resolve(new Socket(conn)),
  );
  const tls = connect({
    host: "127.0.0.1",
    port: listening.port,
    rejectUnauthorized: false,
    // or the name in the certificate would be looked at
    checkServerIdentity: () => undefined,
  });
  near.promise.then((socket) => {
    const hangUp = () => socket.destroy();
    stream.on("error", hangUp).on("close", hangUp);
    tls.on("close", hangUp);
    socket.pipe(stream).pipe(socket);
  });
  return await new Promise((resolve) => {
    const settle = (inner: Duplex | undefined) => {
      signal.removeEventListener("abort", giveUp);
      tls.off("error", giveUp).off("close", giveUp).on("error", () => {});
      listening.close();
      // Deno 2.7 never closes what is destroyed in the midst of its handshake
      if (inner === undefined) near.promise.then((socket) => socket.destroy());
      resolve(inner);
    };
    const giveUp = () => settle(undefined);
    if (signal.aborted) return giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    tls.on("secureConnect", () => settle(tls));
    tls.on("error", giveUp).on("close", giveUp);
  });
}
