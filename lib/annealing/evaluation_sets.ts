import type { LeakItem } from "../audit/mod.ts";
import type { CorpusRecord } from "../corpus/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";

/** Pairs with their images' hashes, to be compared by findLeaks. */
function leakItems(
  pairs: readonly QaPair[],
  records: readonly CorpusRecord[],
): LeakItem[] {
  const hashOf = new Map(records.map((r) => [r.imageId, r.imageSha256]));
  return pairs.map(({ id, imageId, caseId, question, answer }) => ({
    id,
    imageId,
    caseId,
    imageSha256: hashOf.get(imageId) ?? null,
    question,
    answer,
  }));
}

/**
 * Training pairs, and all that they are compared with: the validation and test pairs of every data set ("slake/test"),
 * and the evaluation sets that have a name of their own ("slake_closed"), given as ids of records.
 *
 * @param named record ids by name of the set; a captioned record is compared with its caption for an answer
 * @throws when a set names a record that is not there
 */
export function auditSets(
  pairs: readonly QaPair[],
  records: readonly CorpusRecord[],
  named: Readonly<Record<string, readonly string[]>> = {},
): { training: LeakItem[]; evaluation: Record<string, LeakItem[]> } {
  const training = leakItems(pairs.filter((p) => p.split === "train"), records);
  const heldOut = Map.groupBy(pairs.filter((p) => p.split !== "train"), (p) => `${p.dataset}/${p.split}`);
  const published = [...heldOut].map(([set, own]) => [set, leakItems(own, records)] as const);
  const byId = new Map(records.map((record) => [record.id, record]));
  const own = Object.entries(named).map(([set, ids]) => [set, ids.map((id) => itemOf(id, set))] as const);
  return { training, evaluation: Object.fromEntries([...published, ...own]) };

  function itemOf(id: string, set: string): LeakItem {
    const record = byId.get(id);
    if (!record) throw new Error(`The evaluation set ${set} names the record ${id}, which is not loaded.`);
    const { imageId, caseId, imageSha256, question, answer, caption } = record;
    return { id, imageId, caseId, imageSha256, question, answer: answer ?? caption };
  }
}
