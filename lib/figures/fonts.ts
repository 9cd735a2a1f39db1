import { createCanvas, GlobalFonts } from "@napi-rs/canvas";
import { fromFileUrl } from "@std/path";

/** The font that ships, and the folder where its files lie. */
export const FONT_FAMILY = "DejaVu Sans";
export const fontFolder = new URL("./ttf/", import.meta.resolve("dejavu-fonts-ttf/package.json"));

let pen: ReturnType<typeof startPen> | null = null;
function startPen() {
  for (const file of ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"]) {
    GlobalFonts.registerFromPath(fromFileUrl(new URL(file, fontFolder)), FONT_FAMILY);
  }
  return createCanvas(1, 1).getContext("2d");
}

/** Width in pixels of one line of text in the font that ships. */
export function lineWidth(text: string, size: number, bold = false): number {
  pen ??= startPen();
  pen.font = `${bold ? "bold " : ""}${size}px "${FONT_FAMILY}"`;
  return pen.measureText(text).width;
}
