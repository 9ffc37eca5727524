/**
 * The icon of the Windows executable, drawn: a tunnel's mouth with light at its
 * end. Format: a Windows icon resource (ICONDIR) of a 32-bit device-independent
 * bitmap.
 *
 * @module
 */

/** The largest that Windows shows; `deno compile` makes the smaller ones of it. */
const SIZE = 256;
/** Points a side that are looked at for one pixel. */
const SAMPLES = 4;

type Colour = readonly [red: number, green: number, blue: number];
const ROCK: Colour = [47, 62, 84];
const DARK: Colour = [18, 24, 34];
const LIGHT: Colour = [255, 205, 92];

/** What is at a point of the unit square, y downwards; undefined: nothing. */
function colourAt(x: number, y: number): Colour | undefined {
  if (!inArch(x, y, 0.48, 0.96)) return undefined;
  if (inArch(x, y, 0.17, 0.96)) return LIGHT;
  return inArch(x, y, 0.34, 0.96) ? DARK : ROCK;
}

/** Whether it is under an arch: straight walls, a half circle above them. */
function inArch(x: number, y: number, radius: number, bottom: number): boolean {
  const spring = 0.52;
  if (y > bottom) return false;
  if (y >= spring) return Math.abs(x - 0.5) <= radius;
  return Math.hypot(x - 0.5, y - spring) <= radius;
}

/** BITMAPINFOHEADER, pixels from the bottom up, a mask of zeros. */
function image(): Uint8Array {
  const maskBytes = Math.ceil(SIZE / 32) * 4 * SIZE;
  const bytes = new Uint8Array(40 + SIZE * SIZE * 4 + maskBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 40, true);
  view.setInt32(4, SIZE, true);
  view.setInt32(8, SIZE * 2, true); // with the mask
  view.setUint16(12, 1, true);
  view.setUint16(14, 32, true);
  for (let row = 0; row < SIZE; row++) {
    for (let column = 0; column < SIZE; column++) {
      const y = SIZE - 1 - row;
      bytes.set(pixel(column, y), 40 + (row * SIZE + column) * 4);
    }
  }
  return bytes;
}

/** Blue, green, red, opacity: the mean of its samples. */
function pixel(column: number, row: number): number[] {
  const sum = [0, 0, 0];
  let hits = 0;
  for (let i = 0; i < SAMPLES * SAMPLES; i++) {
    const x = (column + (i % SAMPLES + 0.5) / SAMPLES) / SIZE;
    const y = (row + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES) / SIZE;
    const colour = colourAt(x, y);
    if (!colour) continue;
    colour.forEach((value, k) => sum[2 - k]! += value);
    hits++;
  }
  if (hits === 0) return [0, 0, 0, 0];
  const opacity = Math.round(255 * hits / (SAMPLES * SAMPLES));
  return [...sum.map((value) => Math.round(value / hits)), opacity];
}

/** The whole .ico file. */
export function icon(): Uint8Array {
  const bytes = image();
  const head = new Uint8Array(22);
  const view = new DataView(head.buffer);
  view.setUint16(2, 1, true);
  view.setUint16(4, 1, true);
  // width and height stay 0, which stands for 256
  view.setUint16(10, 1, true);
  view.setUint16(12, 32, true);
  view.setUint32(14, bytes.length, true);
  view.setUint32(18, head.length, true);
  return Uint8Array.from([...head, ...bytes]);
}
