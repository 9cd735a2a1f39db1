import { z } from "zod";
import type { QaPair } from "../synthesis/mod.ts";

/**
 * The contract with lib/synthesis: `QaPair.verdicts` is a JSON object from the name of a filter to "pass" or the reason
 * why not. "llm" is the verdict of the language model that checked the pair, "review" that of the person who did; all
 * other names are rules. A filter without an entry has not judged the pair. Annealing asks nobody: it reads, counts and
 * drops, in the order of the paper's figure 4 (language model, then by hand) after the rules.
 */
const Verdicts = z.record(z.string(), z.string());

/** The kinds of verdicts, in the order in which they are counted. */
export const VERDICT_STEPS = ["rules", "LLM filter", "manual filter"] as const;
/** One of {@linkcode VERDICT_STEPS}. */
export type VerdictStep = typeof VERDICT_STEPS[number];

const stepOf = (filter: string): VerdictStep =>
  filter === "llm" ? "LLM filter" : filter === "review" ? "manual filter" : "rules";

/** What one step says of a pair. */
export interface StepVerdict {
  /** Whether the step has judged the pair at all. */
  judged: boolean;
  /** The first filter against the pair and its reason; null when there is none. */
  against: string | null;
}

/**
 * The verdict of one step on a pair.
 *
 * @throws naming the pair whose verdicts are not such an object
 */
export function verdictOf(pair: Pick<QaPair, "id" | "verdicts">, step: VerdictStep): StepVerdict {
  const own = Object.entries(readVerdicts(pair)).filter(([filter]) => stepOf(filter) === step);
  const failed = own.find(([, verdict]) => verdict !== "pass");
  return { judged: own.length > 0, against: failed ? `${failed[0]}: ${failed[1]}` : null };
}

function readVerdicts({ id, verdicts }: Pick<QaPair, "id" | "verdicts">): Record<string, string> {
  try {
    return Verdicts.parse(JSON.parse(verdicts));
  } catch {
    throw new Error(
      `Expected the verdicts of ${id} as a JSON object of filter names and "pass" or a reason, ` +
        `found ${verdicts.slice(0, 80)}; run notebook 02 again.`,
    );
  }
}

/** Pairs that a filter refused: those of `all` that carry a verdict against them. */
export function refusedPairs(all: readonly QaPair[]): QaPair[] {
  return all.filter((pair) => VERDICT_STEPS.some((step) => verdictOf(pair, step).against !== null));
}
