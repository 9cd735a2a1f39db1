import { inKernel } from "./kernel.ts";

/** MIME type -> content, as Jupyter wants it. */
export type Bundle = Record<string, unknown>;

/** Text with the characters that mean something in HTML replaced. */
export function escapeHtml(text: unknown): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return String(text).replace(/[&<>"']/g, (c) => entities[c]);
}

/**
 * Displays a bundle under the current cell. Outside of a kernel its text/plain goes to standard output.
 *
 * @param id of a display that a later call with `update` replaces
 */
export async function show(bundle: Bundle, id?: string, update = false): Promise<void> {
  if (!inKernel) {
    console.log(bundle["text/plain"] ?? `[${Object.keys(bundle).join(", ")}]`);
    return;
  }
  const options = { raw: true, ...(id ? { display_id: id } : {}), update };
  await Deno.jupyter.display(
    bundle as unknown as Deno.jupyter.MediaBundle,
    options as Deno.jupyter.DisplayOptions,
  );
}

/** Shows values as text. Unlike console.log it is awaited, so the text stays under its cell. */
export function print(...values: unknown[]): Promise<void> {
  const text = values.map((value) =>
    typeof value === "string" ? value : Deno.inspect(value, { colors: false })
  );
  return show({ "text/plain": text.join(" ") });
}

/** Shows Markdown (with LaTeX between dollar signs). Escape what comes from data. */
export function markdown(text: string): Promise<void> {
  return show({ "text/markdown": text, "text/plain": text });
}

/** What a table cell may hold; numbers are shown with at most four significant decimals. */
export type TableCell = string | number | boolean | null | undefined;

const cellText = (value: TableCell): string => {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(1) : String(Number(value.toPrecision(4)));
};

/**
 * Shows rows as a table. All text is escaped.
 *
 * @param options.caption stands above the table
 * @param options.limit rows shown; the number of the others is said below (default 50)
 */
export function table(
  rows: readonly object[],
  options: { caption?: string; limit?: number } = {},
): Promise<void> {
  const { caption, limit = 50 } = options;
  const all = rows as readonly Record<string, TableCell>[];
  const columns = [...new Set(all.flatMap((row) => Object.keys(row)))];
  const shown = all.slice(0, limit).map((row) => columns.map((column) => row[column]));
  const line = (tag: string, cells: readonly TableCell[]) =>
    `<tr>${
      cells.map((cell) => {
        const align = typeof cell === "number" ? "right" : "left";
        return `<${tag} style="text-align:${align}">${escapeHtml(cellText(cell))}</${tag}>`;
      }).join("")
    }</tr>`;
  const rest = all.length > limit ? `${all.length - limit} more rows` : "";
  const html = `<table>${
    caption ? `<caption style="text-align:left"><b>${escapeHtml(caption)}</b></caption>` : ""
  }<thead>${line("th", columns)}</thead><tbody>${
    shown.map((row) => line("td", row)).join("")
  }</tbody></table>${rest ? `<p>${rest}</p>` : ""}`;
  const plain = [
    caption ?? "",
    columns.join("\t"),
    ...shown.map((row) => row.map(cellText).join("\t")),
    rest,
  ];
  return show({ "text/html": html, "text/plain": plain.filter(Boolean).join("\n") });
}

/** Shows a PNG with an optional caption below. */
export function image(png: Uint8Array, options: { caption?: string; width?: number } = {}): Promise<void> {
  const { caption, width } = options;
  const base64 = png.toBase64();
  const size = width ? ` width="${Math.round(width)}"` : "";
  const text = caption ? `<figcaption>${escapeHtml(caption)}</figcaption>` : "";
  return show({
    "text/html": `<figure style="margin:0.5em 0"><img alt="${escapeHtml(caption ?? "image")}"${size} ` +
      `src="data:image/png;base64,${base64}">${text}</figure>`,
    "text/plain": caption ?? "[image]",
  });
}

/**
 * A progress bar that stays in place.
 *
 * @returns a function to call with the work done so far and a note
 */
export async function progress(total: number): Promise<(done: number, note?: string) => Promise<void>> {
  const id = crypto.randomUUID(), started = Date.now();
  let shown = 0;
  const bundle = (done: number, note: string) => {
    const elapsed = (Date.now() - started) / 1000;
    const left = done > 0 && done < total ? `, ${Math.ceil(elapsed / done * (total - done))} s left` : "";
    const text = `${done}/${total} ${note} (${elapsed.toFixed(0)} s${left})`;
    return {
      "text/html": `<progress value="${done}" max="${total}"></progress> ${escapeHtml(text)}`,
      "text/plain": text,
    };
  };
  if (inKernel) await show(bundle(0, ""), id);
  return async (done, note = "") => {
    const now = Date.now();
    if (done < total && now - shown < 250) return;
    shown = now;
    if (inKernel) await show(bundle(done, note), id, true);
  };
}
