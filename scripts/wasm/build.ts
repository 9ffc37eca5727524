/**
 * Assembles the WebAssembly in `src/`.
 *
 *     deno task wasm
 *
 * @module
 */

import wabt from "wabt";
import { chacha20Poly1305Wat } from "./chacha20_poly1305.ts";
import { LAYOUT } from "./layout.ts";

/** Room for a packet of {@link LARGEST_PACKET} and for whole blocks after it. */
const PAGES = 5;

/** @returns the text of `src/ssh/chacha20_poly1305_wasm.ts` */
export async function chacha20Poly1305Module(): Promise<string> {
  const { parseWat } = await wabt();
  const module = parseWat("chacha20_poly1305.wat", chacha20Poly1305Wat(PAGES), {
    simd: true,
    bulk_memory: true,
    relaxed_simd: true,
    sat_float_to_int: true,
  });
  const { buffer } = module.toBinary({});
  const base64 = btoa(String.fromCharCode(...buffer));
  const text = base64.replace(/.{1,76}/g, (line) => `  "${line}",\n`);
  return `/**
 * Made by \`deno task wasm\` from \`scripts/wasm/\`.
 *
 * @module
 */

/** Where its data lies in its memory, in bytes. */
export const LAYOUT = ${JSON.stringify(LAYOUT)} as const;

/** The module, in base64. */
export const MODULE = [
${text}].join("");
`;
}

if (import.meta.main) {
  const file = new URL(
    "../../src/ssh/chacha20_poly1305_wasm.ts",
    import.meta.url,
  );
  await Deno.writeTextFile(file, await chacha20Poly1305Module());
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "-q", file.pathname],
  })
    .spawn().status;
}
