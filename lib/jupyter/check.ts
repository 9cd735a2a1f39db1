import { escapeHtml, show } from "./display.ts";

/** MIME type by which the notebook runner finds a notebook's closing check. */
const CHECK = "application/vnd.radvqa.check+json";

/**
 * A notebook's closing check: shows the value beside its threshold, and throws when it is missed.
 *
 * @param threshold least value that passes
 * @throws when `value` is below the threshold or no number
 */
export async function check(name: string, value: number, threshold: number): Promise<void> {
  const ok = value >= threshold;
  const round = (x: number) => Number.isInteger(x) ? String(x) : x.toFixed(3);
  const text = `${name}: ${round(value)} (at least ${round(threshold)} expected)`;
  const [colour, sign] = ok ? ["#1a7f37", "✓"] : ["#b31d28", "✗"];
  await show({
    "text/html": `<p style="color:${colour}"><b>${sign} ${escapeHtml(text)}</b></p>`,
    "text/plain": `${sign} ${text}`,
    [CHECK]: { ok, text },
  });
  if (!ok) throw new Error(`Closing check failed. ${text}.`);
}
