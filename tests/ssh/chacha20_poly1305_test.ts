import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chacha20 } from "@noble/ciphers/chacha.js";
import { poly1305 } from "@noble/ciphers/_poly1305.js";
import fc from "fast-check";
import {
  ChaCha20Poly1305,
  LARGEST_PACKET,
} from "../../src/ssh/chacha20_poly1305.ts";
import { LAYOUT, MODULE } from "../../src/ssh/chacha20_poly1305_wasm.ts";
import { chacha20Poly1305Module } from "../../scripts/wasm/build.ts";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));

/** OpenSSH's PROTOCOL.chacha20poly1305, word by word, with another library. */
function reference(key: Uint8Array, number: number, packet: Uint8Array) {
  // the original's 64-bit counter and nonce are RFC 8439's, as long as the
  // counter stays small
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(8, number);
  const [main, header] = [key.subarray(0, 32), key.subarray(32)];
  const sealed = new Uint8Array(packet.length + 16);
  sealed.set(chacha20(header, nonce, packet.subarray(0, 4)));
  sealed.set(
    chacha20(main, nonce, packet.subarray(4), undefined, 1),
    4,
  );
  const macKey = chacha20(main, nonce, new Uint8Array(32));
  sealed.set(
    poly1305(sealed.subarray(0, packet.length), macKey),
    packet.length,
  );
  return sealed;
}

function seal(key: Uint8Array, number: number, packet: Uint8Array) {
  const cipher = new ChaCha20Poly1305(key);
  cipher.start(number);
  cipher.packet.set(packet);
  cipher.seal(packet.length - 4);
  return cipher.packet.slice(0, packet.length + 16);
}

const used = new ChaCha20Poly1305(new Uint8Array(64));

/** With one that has had other keys. */
function open(key: Uint8Array, number: number, sealed: Uint8Array) {
  used.useKey(key);
  used.start(number);
  used.packet.set(sealed);
  const length = used.length();
  if (length !== sealed.length - 20) return undefined;
  return used.open(length) ? used.packet.slice(4, 4 + length) : undefined;
}

function packetOf(length: number, seed: number): Uint8Array {
  const packet = new Uint8Array(4 + length);
  new DataView(packet.buffer).setUint32(0, length);
  for (let i = 4; i < packet.length; i++) packet[i] = (i * 167 + seed) >> 3;
  return packet;
}

Deno.test("packets of every length are what another library makes of them", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.oneof(
        fc.integer({ min: 0, max: 1100 }),
        fc.integer({ min: 0, max: 40_000 }),
      ),
      fc.integer({ min: 0, max: 255 }),
      (key, number, length, seed) => {
        const packet = packetOf(length, seed);
        const sealed = reference(key, number, packet);
        assert.deepEqual(seal(key, number, packet), sealed);
        assert.deepEqual(open(key, number, sealed), packet.slice(4));
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("the largest packet", () => {
  const key = new Uint8Array(64).map((_, i) => i * 7);
  const packet = packetOf(LARGEST_PACKET, 1);
  const sealed = reference(key, 5, packet);
  assert.deepEqual(seal(key, 5, packet), sealed);
  assert.deepEqual(open(key, 5, sealed), packet.slice(4));
});

Deno.test("a changed byte anywhere is noticed", () => {
  const key = new Uint8Array(64).fill(9);
  for (const length of [8, 40, 400]) {
    const sealed = reference(key, 1, packetOf(length, 3));
    assert.ok(open(key, 1, sealed));
    assert.equal(open(key, 2, sealed), undefined);
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.slice();
      changed[i]! ^= 0x10;
      assert.equal(open(key, 1, changed), undefined);
    }
  }
});

/** Poly1305 alone, through the function the packets use. */
function mac(key: Uint8Array, message: Uint8Array): string {
  const instance = new WebAssembly.Instance(
    new WebAssembly.Module(new Uint8Array(Buffer.from(MODULE, "base64"))),
  );
  const { memory, mac } = instance.exports as unknown as {
    memory: WebAssembly.Memory;
    mac(key: number, at: number, length: number): void;
  };
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(key, LAYOUT.macKey);
  bytes.set(message, LAYOUT.data);
  mac(LAYOUT.macKey, LAYOUT.data, message.length);
  return Buffer.from(bytes.subarray(LAYOUT.tag, LAYOUT.tag + 16)).toString(
    "hex",
  );
}

// RFC 8439 §2.5.2 and A.3: those after the third are numbers near 2^130 - 5
const VECTORS: [key: string, message: string, tag: string][] = [
  [
    "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
    Buffer.from("Cryptographic Forum Research Group").toString("hex"),
    "a8061dc1305136c6c22b8baf0c0127a9",
  ],
  ["00".repeat(32), "00".repeat(64), "00".repeat(16)],
  ["02" + "00".repeat(31), "ff".repeat(16), "03" + "00".repeat(15)],
  [
    "02" + "00".repeat(15) + "ff".repeat(16),
    "02" + "00".repeat(15),
    "03" + "00".repeat(15),
  ],
  [
    "01" + "00".repeat(31),
    "ff".repeat(16) + "f0" + "ff".repeat(15) + "11" + "00".repeat(15),
    "05" + "00".repeat(15),
  ],
  [
    "01" + "00".repeat(31),
    "ff".repeat(16) + "fb" + "fe".repeat(15) + "01".repeat(16),
    "00".repeat(16),
  ],
  ["02" + "00".repeat(31), "fd" + "ff".repeat(15), "fa" + "ff".repeat(15)],
  [
    "0100000000000000040000000000000000000000000000000000000000000000",
    "e33594d7505e43b900000000000000003394d7505e4379cd01000000000000000000000000000000000000000000000001000000000000000000000000000000",
    "14000000000000005500000000000000",
  ],
  [
    "0100000000000000040000000000000000000000000000000000000000000000",
    "e33594d7505e43b900000000000000003394d7505e4379cd010000000000000000000000000000000000000000000000",
    "13000000000000000000000000000000",
  ],
];

Deno.test("Poly1305's edges, as in RFC 8439", () => {
  for (const [key, message, tag] of VECTORS) {
    assert.equal(mac(hex(key), hex(message)), tag);
  }
});

Deno.test("lanes carry as far as numbers go", () => {
  const keys = {
    "the largest r": "ff".repeat(32),
    "r = 1, so that blocks only add up": "01".padEnd(64, "0"),
    "r = 0": "00".repeat(16) + "ff".repeat(16),
    "limbs of half of 2^22": "000020000080000000002000008".padEnd(64, "0"),
  };
  for (const [what, text] of Object.entries(keys)) {
    for (const length of [500, 512, 767, 768, 1036, 65_548]) {
      for (const byte of [0, 0x55, 0xff]) {
        const [key, message] = [hex(text), new Uint8Array(length).fill(byte)];
        assert.equal(
          mac(key, message),
          Buffer.from(poly1305(message, key)).toString("hex"),
          `${what}: ${length} bytes of ${byte}`,
        );
      }
    }
  }
});

Deno.test("the WebAssembly is what its source makes", async () => {
  const file = new URL(
    "../../src/ssh/chacha20_poly1305_wasm.ts",
    import.meta.url,
  );
  const squeeze = (text: string) => text.replace(/[\s",]/g, "");
  assert.equal(
    squeeze(await Deno.readTextFile(file)),
    squeeze(await chacha20Poly1305Module()),
  );
});
