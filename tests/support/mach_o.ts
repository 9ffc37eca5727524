/**
 * The signature inside an executable for macOS, without which Apple silicon runs
 * nothing.
 *
 * Format: Apple's mach-o/loader.h (LC_CODE_SIGNATURE, little-endian) and
 * cs_blobs.h (CS_SuperBlob and CS_CodeDirectory, big-endian).
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

const MH_MAGIC_64 = 0xfeedfacf;
const CPU_TYPE_ARM64 = 0x0100000c;
const LC_CODE_SIGNATURE = 0x1d;
const CSMAGIC_EMBEDDED_SIGNATURE = 0xfade0cc0;
const CSMAGIC_CODEDIRECTORY = 0xfade0c02;
const CS_HASHTYPE_SHA256 = 2;

/**
 * Checks that the load commands of an executable fit in it, and that each page
 * has the hash that its signature names. One for Intel need not have any.
 *
 * @throws {assert.AssertionError}
 */
export function checkMachO(bytes: Buffer): void {
  assert.equal(bytes.readUInt32LE(0), MH_MAGIC_64, "a 64-bit Mach-O file");
  const isArm = bytes.readUInt32LE(4) === CPU_TYPE_ARM64;
  const count = bytes.readUInt32LE(16);
  let signature: Buffer | undefined;
  let signedUpTo = 0;
  let at = 32;
  for (let i = 0; i < count; i++) {
    if (bytes.readUInt32LE(at) === LC_CODE_SIGNATURE) {
      signedUpTo = bytes.readUInt32LE(at + 8);
      const end = signedUpTo + bytes.readUInt32LE(at + 12);
      assert.equal(end, bytes.length, "the signature ends the file");
      signature = bytes.subarray(signedUpTo);
    }
    at += bytes.readUInt32LE(at + 4);
  }
  assert.equal(at, 32 + bytes.readUInt32LE(20), "the load commands' size");
  if (signature) checkPages(bytes, signature, signedUpTo);
  else assert(!isArm, "one for Apple silicon is signed");
}

function checkPages(bytes: Buffer, signature: Buffer, end: number): void {
  assert.equal(signature.readUInt32BE(0), CSMAGIC_EMBEDDED_SIGNATURE);
  // the first of its blobs
  const directory = signature.subarray(signature.readUInt32BE(16));
  assert.equal(directory.readUInt32BE(0), CSMAGIC_CODEDIRECTORY);
  const hashes = directory.subarray(directory.readUInt32BE(16));
  assert.equal(directory.readUInt32BE(32), end, "all before it is signed");
  const [size = 0, type, , pageBits = 0] = directory.subarray(36, 40);
  assert.equal(type, CS_HASHTYPE_SHA256);
  const page = 2 ** pageBits;
  assert.equal(directory.readUInt32BE(28), Math.ceil(end / page));
  for (let i = 0; i * page < end; i++) {
    const content = bytes.subarray(i * page, Math.min((i + 1) * page, end));
    const hash = createHash("sha256").update(content).digest();
    const named = hashes.subarray(i * size, (i + 1) * size);
    assert(hash.subarray(0, size).equals(named), `page ${i} is as signed`);
  }
}
