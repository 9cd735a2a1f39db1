import type { CorpusRecord } from "../corpus/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";
import type { LeakItem } from "./leakage.ts";

/** Pairs with their images' hashes, to be compared by checkLeakage. */
export function leakItems(pairs: readonly QaPair[], records: readonly CorpusRecord[]): LeakItem[] {
  const hashOf = new Map(records.map((r) => [r.imageId, r.imageSha256]));
  return pairs.map((pair) => ({ ...pair, imageSha256: hashOf.get(pair.imageId) ?? null }));
}

/** Training pairs, and the validation and test set of every data set under its name ("slake/test"). */
export function splitForAudit(
  pairs: readonly QaPair[],
  records: readonly CorpusRecord[],
): { training: LeakItem[]; evaluation: Record<string, LeakItem[]> } {
  const training = leakItems(pairs.filter((p) => p.split === "train"), records);
  const heldOut = Map.groupBy(pairs.filter((p) => p.split !== "train"), (p) => `${p.dataset}/${p.split}`);
  const evaluation = [...heldOut].map(([set, own]) => [set, leakItems(own, records)] as const);
  return { training, evaluation: Object.fromEntries(evaluation) };
}
