import { bicubicTaps, type Taps, weightHalves } from "./resize_taps.ts";
import { checkRgb, type RgbImage } from "./rgb.ts";

/** Pixels that are handed to the kernels at once; a multiple of 16. */
const CHUNK = 16_384;

/** Bytes that a kernel may write past the end of its output. */
const SLACK = 48;

/** Kernels' memory beyond this is given back after the picture that needed it. */
const KEPT_BYTES = 64 * 2 ** 20;

/** What resize.wasm exports; resize.wat says what the arguments are. */
interface Kernels {
  split(...arguments_: number[]): number;
  merge(...arguments_: number[]): void;
  horizontal(...arguments_: number[]): void;
  vertical(...arguments_: number[]): void;
}

const compiled = new WebAssembly.Module(Deno.readFileSync(new URL("./resize.wasm", import.meta.url)));

function instantiate(): { memory: WebAssembly.Memory; kernels: Kernels } {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(compiled, { js: { memory } });
  return { memory, kernels: exports as unknown as Kernels };
}
let instance = instantiate();

/** One direction of the resize, and the size of what it gives. */
interface Pass {
  direction: "horizontal" | "vertical";
  taps: Taps;
  width: number;
  height: number;
}

/** What has to be done, in Pillow's order; nothing where a side stays. */
function passesOf({ width, height }: RgbImage, toWidth: number, toHeight: number): Pass[] {
  const shrinkX = width - toWidth, shrinkY = height - toHeight;
  const downFirst = shrinkY > 0 && shrinkY > 2 * shrinkX;
  const across = (rows: number): Pass[] =>
    shrinkX === 0
      ? []
      : [{ direction: "horizontal", taps: bicubicTaps(width, toWidth), width: toWidth, height: rows }];
  const down = (columns: number): Pass[] =>
    shrinkY === 0
      ? []
      : [{ direction: "vertical", taps: bicubicTaps(height, toHeight), width: columns, height: toHeight }];
  return downFirst ? [...down(width), ...across(toHeight)] : [...across(height), ...down(toWidth)];
}

/** Runs the passes over each channel, or over one channel where all three are equal: most radiographs are grey. */
function run({ width, height, data }: RgbImage, passes: readonly Pass[]): Uint8Array<ArrayBuffer> {
  let top = 0;
  const take = (bytes: number) => {
    const at = top;
    top += Math.ceil((bytes + SLACK) / 16) * 16;
    return at;
  };
  const chunk = take(3 * CHUNK), source = take(width * height), plane = top - source;
  take(2 * plane); // green and blue
  const steps = passes.map((pass) => {
    const { spans, weights, stride } = pass.taps;
    const planes = [0, 1, 2].map(() => take(pass.width * pass.height));
    const values = pass.direction === "horizontal" ? weightHalves(pass.taps) : weights;
    const tables = [spans, values].map((table) => ({ table, at: take(table.byteLength) }));
    return { ...pass, planes, tables, stride };
  });
  const last = steps[steps.length - 1], pixels = last.width * last.height;
  const merged = take(3 * pixels), end = top + Math.max(...steps.map((step) => 4 * step.stride));

  const { memory, kernels } = instance;
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65_536));
  const bytes = new Uint8Array(memory.buffer);
  for (const { table, at } of steps.flatMap((step) => step.tables)) {
    bytes.set(new Uint8Array(table.buffer), at);
  }

  let coloured = 0;
  for (let done = 0; done < width * height; done += CHUNK) {
    const part = data.subarray(3 * done, 3 * (done + CHUNK));
    bytes.set(part, chunk);
    bytes.fill(0, chunk + part.length, chunk + part.length + SLACK); // grey
    coloured |= kernels.split(chunk, Math.ceil(part.length / 48) * 16, source + done, plane);
  }
  for (const channel of coloured ? [0, 1, 2] : [0]) {
    let from = source + channel * plane, columns = width, rows = height;
    for (const { direction, planes, tables: [spans, weights], stride, ...to } of steps) {
      const out = planes[channel];
      if (direction === "horizontal") {
        kernels.horizontal(from, columns, rows, out, to.width, spans.at, weights.at, stride);
      } else kernels.vertical(from, columns, out, to.height, spans.at, weights.at, stride);
      [from, columns, rows] = [out, to.width, to.height];
    }
  }
  const [red, green, blue] = coloured ? last.planes : last.planes.map(() => last.planes[0]);
  kernels.merge(red, green, blue, pixels, merged);
  return bytes.slice(merged, merged + 3 * pixels);
}

/**
 * Bicubic resize, bit-equal to `Image.resize((width, height), Image.BICUBIC)` of Pillow 13 on 8-bit images: antialiased
 * when shrinking, two passes with 8 bits between them, 22-bit fixed-point weights. The aspect ratio is not kept. The
 * horizontal pass comes first, unless the height shrinks by more than twice what the width does (in pixels); Pillow 12
 * and older start horizontally there too, which moves some bytes by one or two levels. A side that does not change is
 * left untouched; the result never shares memory with the input.
 * @throws RangeError for sides that are not positive integers or data of the wrong length.
 *
 * @example Half as large
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { resizeBicubic } from "@lib/image/mod.ts";
 *
 * const grey = { width: 4, height: 4, data: new Uint8Array(48).fill(90) };
 * assertEquals(resizeBicubic(grey, 2, 2), { width: 2, height: 2, data: new Uint8Array(12).fill(90) });
 * ```
 */
export function resizeBicubic(image: RgbImage, width: number, height: number): RgbImage {
  checkRgb(image);
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new RangeError(
      `An image can be resized to positive whole sides, ${width}x${height} was asked for.`,
    );
  }
  const passes = passesOf(image, width, height);
  if (passes.length === 0) return { width, height, data: image.data.slice() };
  try {
    return { width, height, data: run(image, passes) };
  } finally {
    if (instance.memory.buffer.byteLength > KEPT_BYTES) instance = instantiate();
  }
}
