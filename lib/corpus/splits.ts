import { sha256 } from "../config/mod.ts";
import { type CorpusRecord, type Split, SPLITS } from "./record.ts";

/** Names in an order that depends on the seed and on nothing else. */
export function orderBySeed(names: readonly string[], seed: number): string[] {
  return names.map((name) => ({ name, key: sha256(`${seed}/${name}`) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ name }) => name);
}

/**
 * A new split by image and case: records that share an image, an image's hash, a case or a picture, directly or through
 * others, go to one split. Ids keep the published split's name.
 * @param shares wanted shares of the records; they are met as far as whole groups allow
 * @param near groups of image ids that show the same picture, such as pairs
 */
export function splitByGroup(
  records: readonly CorpusRecord[],
  shares: Record<Split, number>,
  seed: number,
  near: readonly (readonly string[])[] = [],
): CorpusRecord[] {
  const parent = new Map<string, string>();
  const find = (key: string): string => {
    let root = key;
    while ((parent.get(root) ?? root) !== root) root = parent.get(root)!;
    parent.set(key, root);
    return root;
  };
  const keys = (r: CorpusRecord) =>
    [r.imageId, r.caseId && `case ${r.caseId}`, r.imageSha256 && `sha ${r.imageSha256}`].filter((k) =>
      k !== null
    ) as string[];
  for (const record of records) {
    const [first, ...others] = keys(record);
    for (const other of others) parent.set(find(other), find(first));
  }
  for (const [first, ...others] of near) for (const other of others) parent.set(find(other), find(first));
  const groups = new Map<string, CorpusRecord[]>();
  for (const record of records) {
    const root = find(record.imageId);
    groups.set(root, [...(groups.get(root) ?? []), record]);
  }
  // A group's name must not depend on the order of the records.
  const named = new Map([...groups.values()].map((members) => [members.map((m) => m.id).sort()[0], members]));
  const total = SPLITS.reduce((sum, split) => sum + shares[split], 0);
  const wanted = SPLITS.map((split) => ({ split, left: (shares[split] / total) * records.length }));
  const splitOf = new Map<string, Split>();
  for (const name of orderBySeed([...named.keys()].sort(), seed)) {
    const target = wanted.reduce((best, next) => (next.left > best.left ? next : best));
    const members = named.get(name)!;
    target.left -= members.length;
    for (const member of members) splitOf.set(member.id, target.split);
  }
  return records.map((record) => ({ ...record, split: splitOf.get(record.id)! }));
}
