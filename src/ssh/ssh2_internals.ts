/**
 * What ssh2 knows about logging in but has no public way to tell or to set; its
 * channels are `ssh2_channels.ts`. `tests/ssh/authentication_test.ts` sees
 * whether it still fits.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { signatureAlgorithm, signatureBlob } from "./certificate.ts";
import { encodeWire } from "./key_wire.ts";
import { isReady } from "./signing_key.ts";
import type { SshClient } from "./ssh2.ts";
import { type Protocol, protocolOf } from "./ssh2_protocol.ts";

/** Makes ssh2 sign with RSA keys as if the server had asked for SHA-2. */
const IMPLY_RSA_SHA2_SIGALGS = 1 << 4;

/**
 * Sends a global request that every server answers, if only to say that it does
 * not know it (keepalive@openssh.com; RFC 4254 §4). ssh2 itself does it only at
 * an interval of its own.
 *
 * @param client one that is logged in
 * @param answered called when it has answered all that was sent before, too
 */
export function askForLife(
  client: SshClient,
  answered: () => void = () => {},
): void {
  const { _callbacks } = client as unknown as { _callbacks: (() => void)[] };
  // answers come in the order of the requests
  _callbacks.push(answered);
  protocolOf(client).ping();
}

/**
 * Calls `listener` whenever the server refuses an attempt or wants another one
 * too (RFC 4252 §5.1), before ssh2 acts on it. ssh2 itself keeps the answer to
 * itself after keys that it took from an agent.
 *
 * @param client one whose `connect` has been called
 */
export function onUserauthFailure(
  client: SshClient,
  listener: (methods: string[], partial: boolean) => void,
): void {
  const handlers = protocolOf(client)._handlers;
  const original = handlers.USERAUTH_FAILURE;
  handlers.USERAUTH_FAILURE = (protocol, methods, partial) => {
    listener(methods, partial);
    original(protocol, methods, partial);
  };
}

/** SSH_MSG_IGNORE without data (RFC 4253 §11.2). */
const IGNORE = Uint8Array.of(2, 0, 0, 0, 0);

/**
 * Sends a message that means nothing, but not during a key exchange.
 *
 * @param client one whose keys were exchanged
 */
export function sendNothing(client: SshClient): void {
  const protocol = protocolOf(client);
  if (protocol._kexinit === undefined) send(protocol, IGNORE);
}

/**
 * Has nothing wait behind what the server tells after a login: debug messages,
 * and the list of its host keys (hostkeys-00@openssh.com, OpenSSH's PROTOCOL
 * §2.5), which nobody here wants to know and ssh2 would have it prove. OpenSSH's
 * server leaves Nagle's algorithm on, so a small packet waits until the one before
 * is acknowledged, and by itself the system puts that off for 40 ms. What is sent
 * acknowledges, so a message is sent that means nothing.
 *
 * @param client one that has just been logged in
 */
export function acknowledgeNews(client: SshClient): void {
  const protocol = protocolOf(client);
  const handlers = protocol._handlers;
  let isDue = false;
  const acknowledge = () => {
    if (isDue) return;
    isDue = true;
    // once for all that have come together
    queueMicrotask(() => {
      isDue = false;
      sendNothing(client);
    });
  };
  handlers.DEBUG = acknowledge;
  const original = handlers.GLOBAL_REQUEST;
  handlers.GLOBAL_REQUEST = (protocol, name, wantReply, data) => {
    if (name === "hostkeys-00@openssh.com" && !wantReply) acknowledge();
    else original(protocol, name, wantReply, data);
  };
}

/**
 * Has RSA keys sign with SHA-2 (RFC 8332) even if the server does not say that
 * it can: ssh2 would use SHA-1.
 *
 * @param client one that has just shaken hands
 */
export function signWithSha2Only(client: SshClient): void {
  protocolOf(client)._compatFlags |= IMPLY_RSA_SHA2_SIGALGS;
}

/**
 * Has a key that can sign at once do so, where it would be offered first, and
 * signed with when the server has said that it would accept it: both are allowed
 * (RFC 4252 §7), and a round trip is saved.
 *
 * @param client one whose `connect` has been called
 */
export function signAtOnce(client: SshClient): void {
  const protocol = protocolOf(client);
  const original = protocol.authPK;
  protocol.authPK = (user, key, algorithm, sign) => {
    if (!sign && isReady(key)) protocol._handlers.USERAUTH_PK_OK(protocol);
    else original.call(protocol, user, key, algorithm, sign);
  };
}

/**
 * Has the first request to log in follow that for the service (RFC 4253 §10)
 * without waiting for its answer, which saves a round trip, unless the server
 * holds back its second answer until the first is acknowledged.
 *
 * @param client one whose `connect` has been called
 * @param isAllowed asked when the first keys were exchanged
 */
export function requestAtOnce(
  client: SshClient,
  isAllowed: () => boolean,
): void {
  const protocol = protocolOf(client);
  const { _handlers: handlers, service } = protocol;
  const accepted = handlers.SERVICE_ACCEPT;
  protocol.service = (name) => {
    service.call(protocol, name);
    if (!isAllowed()) return;
    handlers.SERVICE_ACCEPT = () => {};
    accepted(protocol, name);
  };
}

const USERAUTH_REQUEST = 50;

/**
 * Lets certificates log in (RFC 4252 §7): a certificate's algorithm and its
 * signature's have different names, where ssh2 writes the same one twice.
 *
 * @param client one whose `connect` has been called
 */
export function signWithCertificates(client: SshClient): void {
  const protocol = protocolOf(client);
  const original = protocol.authPK;
  protocol.authPK = (user, key, algorithm, sign) => {
    const signedBy = signatureAlgorithm(key.type);
    if (!sign || signedBy === undefined) {
      return original.call(protocol, user, key, algorithm, sign);
    }
    const request = Buffer.concat([
      Buffer.of(USERAUTH_REQUEST),
      encodeWire(user, "ssh-connection", "publickey"),
      Buffer.of(1),
      encodeWire(key.type, key.getPublicSSH()),
    ]);
    const signed = [encodeWire(protocol._kex.sessionID), request];
    sign(Buffer.concat(signed), (signature) => {
      const blob = encodeWire(signatureBlob(signedBy, signature));
      protocol._authsQueue.push("publickey");
      // no keys are exchanged anew before the login: it need not wait
      send(protocol, Buffer.concat([request, blob]));
    });
  };
}

/** Sends a message at once, which must not be while keys are exchanged. */
function send(protocol: Protocol, payload: Uint8Array): void {
  const { write } = protocol._packetRW;
  const packet = write.alloc(payload.length);
  packet.set(payload, write.allocStart);
  protocol._cipher.encrypt(write.finalize(packet));
}
