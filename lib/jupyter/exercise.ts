import { show } from "./display.ts";
import { html } from "./text.ts";

/** MIME type under which the tests find what became of an exercise. */
export const EXERCISE = "application/vnd.radvqa.exercise+json";

/** An exercise's name and how it stands. */
export interface ExerciseResult {
  /** Name of the exercise. */
  name: string;
  /** How it went. */
  state: "untried" | "wrong" | "right";
}

/** What `attempt` gave for `input`, or null where it is what was expected. */
function mistake<Given extends readonly unknown[]>(
  attempt: (...given: Given) => unknown,
  input: Given,
  expected: unknown,
  within: number,
): string | null {
  const text = (value: unknown) => Deno.inspect(value, { depth: 4, compact: true, breakLength: Infinity });
  const place = `for (${input.map(text).join(", ")}) expected ${text(expected)}`;
  try {
    const found = attempt(...input);
    return isEqual(found, expected, within) ? null : `${place}, found ${text(found)}`;
  } catch (error) {
    return `${place}, but it threw "${error instanceof Error ? error.message : error}"`;
  }
}

/** Equal numbers to a relative error (absolute below 1), lists of such, or else the same value. */
function isEqual(found: unknown, expected: unknown, within: number): boolean {
  if (typeof found === "number" && typeof expected === "number") {
    return Object.is(found, expected) ||
      Math.abs(found - expected) <= within * Math.max(1, Math.abs(expected));
  }
  if (Array.isArray(found) && Array.isArray(expected)) {
    return found.length === expected.length && found.every((one, i) => isEqual(one, expected[i], within));
  }
  return Object.is(found, expected);
}

/**
 * An exercise that checks itself: tries a function on inputs and shows one line, with the first input for which it gives
 * something else than expected. It never ends a notebook, whatever the attempt does, unless that never returns.
 *
 * @param name unique in the course, such as "03.1 A ramp"
 * @param attempt the reader's function; null: not tried yet
 * @param expected what is right for an input, as a rule the library's own result; not asked where nothing was tried
 * @param options.within error of numbers that still counts as right, relative above 1
 * @example A function and inputs it is tried on
 * ```ts
 * import { exercise } from "@lib/jupyter/mod.ts";
 * await exercise("Halves", (x: number) => x / 2, [[1], [3]], (x) => 0.5 * x); // ✓ Halves: right for every input
 * ```
 */
export async function exercise<Given extends readonly unknown[] | [], Found>(
  name: string,
  attempt: ((...given: Given) => Found) | null,
  inputs: readonly Given[],
  expected: (...given: Given) => Found,
  { within = 1e-9 }: { within?: number } = {},
): Promise<void> {
  let wrong: string | null = null;
  if (attempt) { for (const input of inputs) wrong ??= mistake(attempt, input, expected(...input), within); }
  const [state, mark, colour, text] = attempt === null
    ? ["untried", "–", "#555", "not tried yet"] as const
    : wrong !== null
    ? ["wrong", "✗", "#b3261e", wrong] as const
    : ["right", "✓", "#1a7f37", "right for every input"] as const;
  await show({
    "text/html": html`<strong style="color:${colour}">${mark} ${name}: ${text}</strong>`,
    "text/plain": `${mark} ${name}: ${text}`,
    [EXERCISE]: { name, state } satisfies ExerciseResult,
  });
}
