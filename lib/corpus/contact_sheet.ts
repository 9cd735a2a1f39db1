import type { SKRSContext2D } from "@napi-rs/canvas";
import { fromFileUrl } from "@std/path";
import { decodeImage } from "../image/mod.ts";
import { checkpoint, oneLine } from "../jupyter/mod.ts";
import type { CorpusRecord } from "./record.ts";

const FONT = "DejaVu Sans";
const LINE = 15, GAP = 14, TITLE = 22;

/** What a record says about its image, as one text. */
export function textOf(record: CorpusRecord): string {
  if (record.question === null) return record.caption ?? "";
  return `${record.question} ${record.answer}`;
}

/**
 * A contact sheet: one row of images per group with its name above and each record's words below, as PNG.
 * @param options.side width and height of a tile in pixels; pictures keep their shape
 * @throws naming the file when a picture cannot be decoded; the reason of `signal` between two pictures
 */
export async function contactSheet(
  groups: readonly { title: string; records: readonly CorpusRecord[] }[],
  { side = 150, lines = 4, signal }: { side?: number; lines?: number; signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const { createCanvas, GlobalFonts } = await import("@napi-rs/canvas");
  const folder = new URL("./ttf/", import.meta.resolve("dejavu-fonts-ttf/package.json"));
  for (const file of ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"]) {
    GlobalFonts.registerFromPath(fromFileUrl(new URL(file, folder)), FONT);
  }
  const columns = Math.max(1, ...groups.map(({ records }) => records.length));
  const band = TITLE + side + lines * LINE + GAP;
  const canvas = createCanvas(columns * (side + GAP) + GAP, groups.length * band + GAP);
  const context = canvas.getContext("2d");
  context.fillStyle = "#FFFFFF";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const [g, { title, records }] of groups.entries()) {
    const y = GAP + g * band;
    context.fillStyle = "#22272E";
    context.font = `bold 13px "${FONT}"`;
    context.fillText(oneLine(title), GAP, y + 13);
    context.font = `11px "${FONT}"`;
    for (const [k, record] of records.entries()) {
      const x = GAP + k * (side + GAP);
      await checkpoint(signal);
      await drawPicture(context, record.imagePath, x, y + TITLE, side);
      context.fillStyle = "#22272E";
      wrap(context, textOf(record), side, lines).forEach((line, i) =>
        context.fillText(line, x, y + TITLE + side + (i + 1) * LINE)
      );
    }
  }
  return canvas.toBuffer("image/png");
}

async function drawPicture(context: SKRSContext2D, path: string, x: number, y: number, side: number) {
  const { createCanvas } = await import("@napi-rs/canvas");
  const { width, height, data } = await decodeImage(path);
  const picture = createCanvas(width, height), pixels = picture.getContext("2d");
  const rgba = pixels.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    rgba.data.set([data[3 * i], data[3 * i + 1], data[3 * i + 2], 255], 4 * i);
  }
  pixels.putImageData(rgba, 0, 0);
  const scale = side / Math.max(width, height);
  const [w, h] = [width * scale, height * scale];
  context.fillStyle = "#000000";
  context.fillRect(x, y, side, side);
  context.drawImage(picture, x + (side - w) / 2, y + (side - h) / 2, w, h);
}

/** A word in pieces that fit. */
function pieces(word: string, fits: (piece: string) => boolean): string[] {
  const out = [""];
  for (const letter of word) {
    const longer = out[out.length - 1] + letter;
    if (out[out.length - 1] === "" || fits(longer)) out[out.length - 1] = longer;
    else out.push(letter);
  }
  return out;
}

/** Lines no wider than `width` pixels; what does not fit ends in "…". */
function wrap(context: SKRSContext2D, text: string, width: number, limit: number): string[] {
  const out: string[] = [];
  const fits = (line: string) => context.measureText(line).width <= width;
  for (const word of oneLine(text).split(" ")) {
    const longer = `${out.at(-1)} ${word}`;
    if (out.length > 0 && fits(longer)) out[out.length - 1] = longer;
    else out.push(...pieces(word, fits));
    if (out.length > limit) break;
  }
  return out.length <= limit ? out : [...out.slice(0, limit - 1), `${out[limit - 1]} …`];
}
