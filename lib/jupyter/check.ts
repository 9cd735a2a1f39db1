import { z } from "zod";
import { show } from "./display.ts";
import { html } from "./text.ts";

/** What a value must reach: at least a number (short: the number itself), at most a number, or both. */
export type Threshold = number | { atLeast?: number; atMost?: number };

/** MIME type under which the notebook runner and `./lab bench checks` find the result of a check. */
export const CHECK = "application/vnd.radvqa.check+json";

/** What a check leaves in the executed notebook. */
export const CheckResult = z.strictObject({
  ok: z.boolean(),
  /** The line as shown. */
  text: z.string(),
  name: z.string(),
  /** Null where it is not a finite number, or nothing was left to measure. */
  value: z.number().nullable(),
  /** Bounds, null where there is none. */
  atLeast: z.number().nullable(),
  atMost: z.number().nullable(),
});
/** What a notebook's closing check found, as it is kept in the executed copy. */
export type CheckResult = z.infer<typeof CheckResult>;

const number = (x: number): string => Number.isInteger(x) ? String(x) : x.toPrecision(4);

/**
 * The closing check of a notebook: shows a green or a red line and ends the notebook when it fails. In a run with
 * LIMIT set, which cannot reach the thresholds, a value that is a number is shown and not judged.
 *
 * @param value null where there is nothing to measure, which only a limited run may say
 * @param threshold null where nothing can be asked of the value at this scale: it is shown and not judged
 * @throws {Error} when the value misses the threshold or is not a number.
 *
 * @example An accuracy and what is asked of it
 * ```ts
 * import { check } from "@lib/jupyter/mod.ts";
 *
 * await check("accuracy of the base model", 0.71, { atLeast: 0.5 });
 * ```
 */
export async function check(
  name: string,
  value: number | boolean | null,
  threshold: Threshold | null = 1,
): Promise<void> {
  const { atLeast = -Infinity, atMost = Infinity } = typeof threshold === "number"
    ? { atLeast: threshold }
    : threshold ?? {};
  const measured = value === null ? NaN : Number(value), limited = Boolean(Deno.env.get("LIMIT"));
  const reached = measured >= atLeast && measured <= atMost;
  const unjudged = !Number.isFinite(measured) && !(value === null && limited)
    ? null
    : threshold === null
    ? "not judged at this scale"
    : limited
    ? "not judged in a limited run"
    : null;
  const bounds = [
    ...(atLeast > -Infinity ? [`at least ${number(atLeast)}`] : []),
    ...(atMost < Infinity ? [`at most ${number(atMost)}`] : []),
  ].join(" and ");
  const expected = typeof value === "boolean" || bounds === "" ? "" : ` (expected ${bounds})`;
  const shown = value === null
    ? "nothing to measure"
    : typeof value === "boolean"
    ? (value ? "yes" : "no")
    : number(measured);
  const text = `${name}: ${shown}${expected}${unjudged === null ? "" : `, ${unjudged}`}`;
  const ok = reached || unjudged !== null;
  const [mark, colour] = unjudged !== null ? ["–", "#555"] : ok ? ["✓", "#1a7f37"] : ["✗", "#b3261e"];
  const bound = (x: number) => Number.isFinite(x) ? x : null;
  const result: CheckResult = {
    ok,
    text: `${mark} ${text}`,
    name,
    value: bound(measured),
    atLeast: bound(atLeast),
    atMost: bound(atMost),
  };
  await show({
    "text/html": html`<strong style="color:${colour}">${mark} ${text}</strong>`,
    "text/plain": `${mark} ${text}`,
    [CHECK]: result,
  });
  if (!ok) throw new Error(`The closing check failed: ${text}.`);
}
