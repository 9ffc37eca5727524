/**
 * Servers that always say the same: here, or on a machine of their own.
 *
 * @module
 */
import { Child } from "../support/child.ts";

/** What a server at an address such as `127.0.0.1:7657` says. */
export interface Canned {
  /** As soon as somebody connects. */
  first?: string;
  /** After the first bytes of a client, and then hangs up. */
  answer?: string;
  /** At once, without a word. */
  hangsUp?: boolean;
}

/** A server at a free port of this machine; text is latin1. */
export function serveHere(canned: Canned): Disposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  serve(listener, canned, open);
  return {
    port: listener.addr.port,
    [Symbol.dispose]() {
      listener.close();
      for (const each of open) close(each);
    },
  };
}

/** Servers in a network namespace, by their addresses. */
export async function serveThere(
  namespace: string,
  servers: Record<string, Canned>,
): Promise<Child> {
  const child = new Child("ip", [
    ...["netns", "exec", namespace, Deno.execPath(), "run", "-q", "-A"],
    ...[import.meta.filename!, JSON.stringify(servers)],
  ]);
  await child.waitFor(/serving/);
  return child;
}

async function serve(
  listener: Deno.TcpListener,
  { first, answer, hangsUp }: Canned,
  open: Set<Deno.Conn> = new Set(),
): Promise<void> {
  const bytes = (text: string) =>
    Uint8Array.from(text, (character) => character.charCodeAt(0));
  const talk = async (connection: Deno.Conn) => {
    open.add(connection);
    if (hangsUp) return close(connection);
    if (first !== undefined) await connection.write(bytes(first));
    await connection.read(new Uint8Array(4096));
    if (answer === undefined) return;
    for (let rest = bytes(answer); rest.length > 0;) {
      rest = rest.subarray(await connection.write(rest));
    }
    close(connection);
  };
  for await (const connection of listener) {
    talk(connection).catch(() => close(connection));
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // closed already
  }
}

if (import.meta.main) {
  const servers: Record<string, Canned> = JSON.parse(Deno.args[0]!);
  for (const [address, canned] of Object.entries(servers)) {
    const [, hostname = "", port] = /^\[?(.*?)\]?:(\d+)$/.exec(address)!;
    serve(Deno.listen({ hostname, port: Number(port) }), canned);
  }
  console.log("serving");
}
