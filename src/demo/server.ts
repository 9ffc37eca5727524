/**
 * A sample SSH server with a sample console page behind it, both on this
 * machine's loopback and free ports: something for a tunnel to lead to where
 * there is no router.
 *
 * @module
 */

import { type AddressInfo, connect } from "node:net";
import { fingerprint } from "../ssh/fingerprint.ts";
import { generateKeyPair } from "../ssh/key_pair.ts";
import { Server } from "../ssh/ssh2_server.ts";

export interface SampleServer {
  user: string;
  password: string;
  port: number;
  /** `SHA256:…` of its host key. */
  hostKey: string;
  /** Where its console listens, reached by the server only. */
  consolePort: number;
  close(): Promise<void>;
}

/** A line that only the sample page has. */
export const PAGE_MARK = "This page came through an SSH tunnel.";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sample router console</title>
<style>
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem }
  h1 { color: #2a5db0 }
</style>
<h1>Sample router console</h1>
<p>${PAGE_MARK}</p>
<p>With a real profile, your router's console would be here, and its proxies
beside it: <code>i2ptun profile add home</code>.</p>
</html>
`;

/** Starts both on free ports. */
export async function startSampleServer(): Promise<SampleServer> {
  const page = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      new Response(PAGE, {
        headers: { "content-type": "text/html; charset=utf-8" },
      }),
  );
  const consolePort = page.addr.port;
  const user = "demo";
  const password = crypto.randomUUID();
  const key = await generateKeyPair("ed25519", "demo", "");

  const clients = new Set<{ end(): void }>();
  const server = new Server({
    hostKeys: [key.privateText],
    // executables go without ssh2's chacha20-poly1305: scripts/bundle_text.ts
    algorithms: { cipher: ["aes128-ctr"] },
  }, (client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    client.on("error", () => {});
    client.on("authentication", (attempt) => {
      if (
        attempt.method === "password" && attempt.username === user &&
        attempt.password === password
      ) attempt.accept();
      else attempt.reject(["password"]);
    });
    client.on("ready", () => {
      client.on("tcpip", (accept, reject, { destIP, destPort }) => {
        // nothing but its own console: this is no open proxy
        if (destIP !== "127.0.0.1" || destPort !== consolePort) return reject();
        const socket = connect({ host: destIP, port: destPort, noDelay: true });
        socket.once("error", () => reject());
        socket.once("connect", () => {
          const channel = accept();
          socket.on("error", () => channel.close());
          channel.on("error", () => socket.destroy());
          socket.pipe(channel).pipe(socket);
        });
      });
    });
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(
      0,
      "127.0.0.1",
      () => resolve((server.address() as AddressInfo).port),
    );
  });
  return {
    user,
    password,
    port,
    hostKey: fingerprint(key.publicKey),
    consolePort,
    close: async () => {
      for (const client of clients) client.end();
      server.close();
      await page.shutdown();
    },
  };
}
