/**
 * Writing .tar.gz and .zip: the same files give the same bytes on every system.
 *
 * Formats: ustar (POSIX.1-2017, pax), gzip (RFC 1952), ZIP (APPNOTE.TXT 6.3.3).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { deflateRawSync, gzipSync } from "node:zlib";

export interface ArchiveFile {
  /** With `/`, at most 99 bytes. */
  path: string;
  content: Uint8Array;
  executable: boolean;
}

/** 1 January 1980, the earliest day that ZIP can say. */
const EPOCH_SECONDS = 315_532_800;
const DOS_DATE = (1 << 5) | 1;

/** A .tar.gz of these files, owned by root. */
export function tarGz(files: readonly ArchiveFile[]): Uint8Array {
  const blocks = files.flatMap(({ path, content, executable }) => [
    tarHeader(path, content.length, executable ? 0o755 : 0o644),
    content,
    new Uint8Array((512 - content.length % 512) % 512),
  ]);
  return gzipSync(Buffer.concat([...blocks, new Uint8Array(1024)]), {
    level: 9,
  });
}

function tarHeader(path: string, size: number, mode: number): Uint8Array {
  const header = Buffer.alloc(512);
  if (Buffer.byteLength(path) > 99) throw new RangeError(`${path} is too long`);
  const octal = (value: number, at: number, length: number) =>
    header.write(value.toString(8).padStart(length - 1, "0"), at);
  header.write(path, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(EPOCH_SECONDS, 136, 12);
  header.write("        ", 148); // counts as blanks in its own sum
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  header.write("root", 265);
  header.write("root", 297);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** A .zip of these files. */
export function zip(files: readonly ArchiveFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { path, content, executable } of files) {
    const name = Buffer.from(path);
    const packed = deflateRawSync(content, { level: 9 });
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version that can read it
    common.writeUInt16LE(0x800, 2); // names are UTF-8
    common.writeUInt16LE(8, 4); // deflated
    common.writeUInt16LE(DOS_DATE, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name]);
    const rest = Buffer.alloc(14);
    const mode = executable ? 0o100755 : 0o100644;
    rest.writeUInt32LE(mode * 0x10000, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([
      Buffer.from("PK\x01\x02\x14\x03"), // made on Unix, so that modes count
      common,
      rest,
      name,
    ]));
    parts.push(local, packed);
    offset += local.length + packed.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, entries, end]);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc = (crc & 1) ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return crc >>> 0;
});

/** The CRC-32 of ZIP (APPNOTE.TXT 4.4.7). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!;
  }
  return ~crc >>> 0;
}
