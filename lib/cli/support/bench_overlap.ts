import { join } from "@std/path";
import { rng } from "../../config/mod.ts";
import { allDetailsOf, nearDuplicates, SAME_PICTURE, similarity } from "../../corpus/mod.ts";
import { decodeImage, type Fingerprint, fingerprint, THUMBNAIL } from "../../image/mod.ts";
import { wilsonInterval } from "../../stats/mod.ts";
import { writeBench } from "./bench_files.ts";
import { describeMachine, load, machine } from "./bench_machine.ts";
import { FURTHER, type Plant, PLANTED } from "./planted_copies.ts";

/** Fingerprints of different images and of one copy of each, by name of the change. */
export interface PlantedPrints {
  originals: Map<string, Fingerprint>;
  copies: Record<string, Map<string, Fingerprint>>;
}

/** Plants copies of every image of a folder: one of each kind. */
export async function plantCopies(
  folder: string,
  kinds: Readonly<Record<string, Plant>>,
): Promise<PlantedPrints> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  const originals = new Map<string, Fingerprint>();
  const copies = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, new Map<string, Fingerprint>()]));
  for (const name of names) {
    const image = await decodeImage(join(folder, name));
    originals.set(name, fingerprint(image));
    for (const [kind, plant] of Object.entries(kinds)) {
      copies[kind].set(name, fingerprint(await plant(image)));
    }
  }
  return { originals, copies };
}

/** What the search makes of the originals and one kind of copies among them. */
export interface SearchResult {
  kind: string;
  copies: number;
  /** Copies that were found to show their original's picture. */
  found: number;
  /** Pairs of different pictures, and those that were said to be the same. */
  different: number;
  falsePairs: number;
  /** Lowest similarity of a copy to its original, whether or not it was looked at. */
  lowest: number;
}

/** Searches the originals and copies of one kind together. */
export function searchPlanted({ originals, copies }: PlantedPrints, kind: string): SearchResult {
  const planted = copies[kind], n = originals.size;
  const all = new Map([
    ...originals,
    ...[...planted].map(([name, print]) => [`copy of ${name}`, print] as const),
  ]);
  const pictureOf = (id: string) => id.replace("copy of ", "");
  const [right, wrong] = [true, false].map((same) =>
    nearDuplicates(all).filter(({ a, b }) => (pictureOf(a) === pictureOf(b)) === same)
  );
  const lowest = [...originals].map(([name, print]) =>
    similarity(allDetailsOf(print), allDetailsOf(planted.get(name)!))
  );
  return {
    kind,
    copies: n,
    found: right.length,
    different: (2 * n * (2 * n - 1)) / 2 - n,
    falsePairs: wrong.length,
    lowest: Math.min(...lowest),
  };
}

/** The different images that are most alike: all are compared with all. */
export function mostAlike(originals: ReadonlyMap<string, Fingerprint>, count: number) {
  const all = [...originals].map(([name, print]) => ({ name, details: allDetailsOf(print) }));
  const pairs = all.flatMap((a, i) =>
    all.slice(i + 1).map((b) => ({ a: a.name, b: b.name, similarity: similarity(a.details, b.details) }))
  );
  return pairs.sort((x, y) => y.similarity - x.similarity).slice(0, count);
}

/** Time and memory of a search among pictures of noise, and what it found there. */
export function searchNoise(
  images: number,
): { images: number; seconds: number; mebibytes: number; pairs: number } {
  const random = rng("bench overlap");
  const prints = new Map(Array.from({ length: images }, (_, i) => {
    const grey = Uint8Array.from({ length: THUMBNAIL ** 2 }, () => 256 * random());
    return [String(i), { grey }];
  }));
  const start = performance.now(), pairs = nearDuplicates(prints).length;
  return {
    images,
    seconds: (performance.now() - start) / 1000,
    mebibytes: Deno.memoryUsage().rss / 2 ** 20,
    pairs,
  };
}

/** Plants copies of the images in a folder, searches for them, and prints and writes the table. */
export async function benchOverlap(folder: string): Promise<void> {
  const kinds = { ...PLANTED, ...FURTHER };
  const prints = await plantCopies(folder, kinds);
  const rows = Object.keys(kinds).map((kind) => searchPlanted(prints, kind));
  const alike = mostAlike(prints.originals, 5);
  const noise = [10_000, 100_000].map(searchNoise);
  const where = describeMachine(await machine());
  const share = (part: number, of: number) => {
    const { low, high } = wilsonInterval(part, of), digits = of > 1000 ? 3 : 1;
    return `${part} of ${of} [${(100 * low).toFixed(digits)}, ${(100 * high).toFixed(digits)}]`;
  };
  const text = [
    `# Copies planted among ${prints.originals.size} images`,
    "",
    `Said to show the same picture: similarity of at least ${SAME_PICTURE}. Shares in % with 95% intervals (Wilson).`,
    "",
    "| change | copies found | false pairs | lowest similarity of a copy |",
    "|---|---|---|---|",
    ...rows.map((row) =>
      `| ${row.kind} | ${share(row.found, row.copies)} | ${share(row.falsePairs, row.different)} | ` +
      `${row.lowest.toFixed(3)} |`
    ),
    "",
    "Most alike of different images: " +
    alike.map(({ a, b, similarity }) => `${a} and ${b} ${similarity.toFixed(3)}`).join("; ") + ".",
    "",
    ...noise.map(({ images, seconds, mebibytes, pairs }) =>
      `${images} pictures of noise: ${seconds.toFixed(1)} s, ${
        mebibytes.toFixed(0)
      } MiB resident, ${pairs} pairs.`
    ),
    "",
    `${where}; load ${load().toFixed(1)}`,
    "",
  ].join("\n");
  console.log(text);
  console.log(`Written: ${await writeBench("overlap", { rows, alike, noise, machine: where }, text)}`);
}
