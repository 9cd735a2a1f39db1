import { jupyter } from "./kernel.ts";

/** One output in several forms: MIME type -> content (text, JSON, or base64 of a binary picture). */
export type Bundle = Record<string, unknown>;

/** Makes text safe inside HTML, also inside attributes. */
export const escapeHtml = (value: unknown): string =>
  String(value).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/**
 * Shows one output under the running cell; Jupyter picks the richest form it can draw. With `id`, the output can be
 * replaced later by another one with the same `id` and `update`. Outside a kernel the plain text goes to standard
 * output.
 *
 * @param metadata by MIME type, such as the width of a picture in CSS pixels: `{ "image/png": { width: 480 } }`
 */
export async function show(
  bundle: Bundle,
  { id, update = false, metadata = {} }: { id?: string; update?: boolean; metadata?: Bundle } = {},
): Promise<void> {
  if (!jupyter) {
    if (bundle["text/plain"] !== undefined) console.log(String(bundle["text/plain"]));
    return;
  }
  await jupyter.broadcast(update ? "update_display_data" : "display_data", {
    data: bundle,
    metadata,
    transient: id ? { display_id: id } : {},
  });
}

/** Prints values under the running cell, in order. console.log can be lost or land under another cell. */
export function print(...values: unknown[]): Promise<void> {
  const text = values.map((v) => typeof v === "string" ? v : Deno.inspect(v, { depth: 6 })).join(" ");
  return show({ "text/plain": text });
}

/** Shows Markdown, with LaTeX between dollar signs. */
export function markdown(text: string): Promise<void> {
  return show({ "text/markdown": text, "text/plain": text });
}

/** A number as a person reads it: whole ones in full (12,345), others with four significant digits. */
const cellText = (value: unknown): string => {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 1e4 ? String(value) : value.toLocaleString("en");
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5
    ? String(Number(value.toPrecision(4)))
    : value.toPrecision(4);
};

/** Shows rows as a table; the columns are `columns`, or those of the first row. */
export function table(rows: readonly object[], columns?: readonly string[]): Promise<void> {
  const names = columns ?? Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => names.map((name) => (row as Record<string, unknown>)[name]));
  const isNumeric = names.map((_, i) => cells.some((row) => typeof row[i] === "number"));
  const html = (tag: string, values: readonly unknown[]) =>
    `<tr>${
      values.map((v, i) => {
        const align = isNumeric[i] ? "right" : "left";
        return `<${tag} style="text-align:${align}">${escapeHtml(cellText(v))}</${tag}>`;
      }).join("")
    }</tr>`;
  const lines = [names, ...cells.map((row) => row.map(cellText))];
  const widths = names.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return show({
    "text/html": `<table><thead>${html("th", names)}</thead><tbody>${
      cells.map((row) => html("td", row)).join("")
    }</tbody></table>`,
    "text/plain": lines.map((line) => line.map((text, i) => text.padEnd(widths[i])).join("  ").trimEnd())
      .join("\n"),
  });
}

/** Pixels: `data` is RGB, interleaved, width * height * 3 bytes. */
export interface Pixels {
  width: number;
  height: number;
  data: Uint8Array;
}

/**
 * Shows a picture: pixels or the bytes of a PNG file. `width` is in CSS pixels; the caption is shown below.
 *
 * @throws when bytes are given that are not a PNG file.
 */
export async function image(
  picture: Pixels | Uint8Array,
  options: { caption?: string; width?: number } = {},
): Promise<void> {
  let png: Uint8Array;
  if (picture instanceof Uint8Array) {
    if (picture[0] !== 0x89 || picture[1] !== 0x50) {
      throw new Error("image: expected the bytes of a PNG file or {width, height, data}.");
    }
    png = picture;
  } else {
    const { default: sharp } = await import("sharp");
    const { data, width, height } = picture;
    png = new Uint8Array(await sharp(data, { raw: { width, height, channels: 3 } }).png().toBuffer());
  }
  const base64 = (png as Uint8Array & { toBase64(): string }).toBase64();
  const { caption, width } = options;
  const size = width === undefined ? "" : ` style="width:${Math.round(width)}px;image-rendering:pixelated"`;
  const alt = caption === undefined ? "picture" : escapeHtml(caption);
  await show({
    "image/png": base64,
    "text/html": `<figure style="margin:0"><img alt="${alt}"${size} src="data:image/png;base64,${base64}">${
      caption === undefined ? "" : `<figcaption>${escapeHtml(caption)}</figcaption>`
    }</figure>`,
    "text/plain": `[${caption ?? "picture"}]`,
  });
}
