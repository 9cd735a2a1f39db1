import { jupyter } from "./kernel.ts";
import { Html, html, Markdown, md, oneLine, visible } from "./text.ts";

/** One output in several forms: MIME type -> content (text, JSON, or base64 of a binary picture). */
export interface Bundle {
  /** As HTML. */
  "text/html"?: Html;
  /** As Markdown. */
  "text/markdown"?: Markdown;
  /** As text, for terminals and screen readers. */
  "text/plain"?: string;
  /** In any other form, by its media type. */
  [type: string]: unknown;
}

/** The one exit of text: what no template vouches for is escaped. */
function escaped(bundle: Bundle): Record<string, unknown> {
  const { "text/html": rich, "text/markdown": marked, "text/plain": plain, ...rest } = bundle;
  return {
    ...rest,
    ...(rich === undefined ? {} : { "text/html": html`${rich}`.text }),
    ...(marked === undefined ? {} : { "text/markdown": md`${marked}`.text }),
    ...(plain === undefined ? {} : { "text/plain": visible(String(plain)) }),
  };
}

/**
 * Shows one output under the running cell; Jupyter picks the richest form it can draw. With `id`, the output can be
 * replaced later by another one with the same `id` and `update`. Outside a kernel the plain text goes to standard
 * output.
 *
 * @param metadata by MIME type, such as the width of a picture in CSS pixels: `{ "image/png": { width: 480 } }`
 */
export async function show(
  bundle: Bundle,
  { id, update = false, metadata = {} }: {
    id?: string;
    update?: boolean;
    metadata?: Record<string, unknown>;
  } = {},
): Promise<void> {
  const data = escaped(bundle);
  if (!jupyter) {
    if (data["text/plain"] !== undefined) console.log(data["text/plain"]);
    return;
  }
  await jupyter.broadcast(update ? "update_display_data" : "display_data", {
    data,
    metadata,
    transient: id ? { display_id: id } : {},
  });
}

/** Prints values under the running cell, in order. console.log can be lost or land under another cell. */
export function print(...values: unknown[]): Promise<void> {
  const text = values.map((v) => typeof v === "string" ? v : Deno.inspect(v, { depth: 6 })).join(" ");
  return show({ "text/plain": text });
}

/** Shows Markdown, with LaTeX between dollar signs: markdown(md`**Answer:** ${answer}`). */
export function markdown(text: Markdown): Promise<void> {
  const marked = md`${text}`;
  return show({ "text/markdown": marked, "text/plain": marked.plain });
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
  const row = (tag: "th" | "td", values: readonly unknown[]) =>
    values.map((value, i) => {
      const align = isNumeric[i] ? "right" : "left";
      return tag === "th"
        ? html`<th style="text-align:${align}">${cellText(value)}</th>`
        : html`<td style="text-align:${align}">${cellText(value)}</td>`;
    });
  const lines = [names, ...cells].map((line) => line.map((value) => oneLine(cellText(value))));
  const widths = names.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return show({
    "text/html": html`
      <table>
        <thead>
          <tr>${row("th", names)}</tr>
        </thead>
        <tbody>${cells.map((values) => html`<tr>${row("td", values)}</tr>`)}</tbody>
      </table>
    `,
    "text/plain": lines.map((line) => line.map((text, i) => text.padEnd(widths[i])).join("  ").trimEnd())
      .join("\n"),
  });
}

/** Pixels: `data` is RGB, interleaved, width * height * 3 bytes. */
export interface Pixels {
  /** Pixels from left to right. */
  width: number;
  /** Pixels from top to bottom. */
  height: number;
  /** `[height, width, 3]`, 8 bits each, row by row. */
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
  const size = width === undefined ? "" : `width:${Math.round(width)}px;image-rendering:pixelated`;
  await show({
    "image/png": base64,
    "text/html": html`
      <figure
        style="margin:0"><img alt="${caption ??
          "picture"}" style="${size}" src="data:image/png;base64,${base64}">${caption === undefined
          ? ""
          : html`<figcaption>${caption}</figcaption>`}</figure>
    `,
    "text/plain": `[${caption ?? "picture"}]`,
  });
}
