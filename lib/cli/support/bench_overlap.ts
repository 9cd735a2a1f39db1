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

/** What different pictures are made of to time a search: nothing in common, or the shape of all films of one organ. */
export const MADE = {
  "of noise": (random: () => number): Fingerprint => ({
    grey: Uint8Array.from({ length: THUMBNAIL ** 2 }, () => 256 * random()),
  }),
  "alike in shape": alikeInShape,
};

/** A bright ellipse on black, moved and stretched a little, with six soft spots of its own and noise. */
function alikeInShape(random: () => number): Fingerprint {
  const within = (low: number, high: number) => low + (high - low) * random();
  const body = { x: within(15, 17), y: within(15, 17), wide: within(9, 11), high: within(11, 13) };
  const spots = Array.from({ length: 6 }, () => {
    return { x: within(10, 22), y: within(8, 24), size: within(1, 2.5), light: within(-45, 45) };
  });
  const grey = Uint8ClampedArray.from({ length: THUMBNAIL ** 2 }, (_, i) => {
    const x = i % THUMBNAIL, y = Math.floor(i / THUMBNAIL);
    const from = ((x - body.x) / body.wide) ** 2 + ((y - body.y) / body.high) ** 2;
    const light = spots.map((s) =>
      s.light * Math.exp(-((x - s.x) ** 2 + (y - s.y) ** 2) / (2 * s.size ** 2))
    );
    return 10 + 150 / (1 + Math.exp(3 * (from - 1))) + light.reduce((a, b) => a + b) + within(-6, 6);
  });
  return { grey: new Uint8Array(grey) };
}

/** Time and memory of a search among made pictures, all different, and how many pairs it said to be the same. */
export function searchMade(kind: keyof typeof MADE, images: number) {
  const random = rng("bench overlap");
  const prints = new Map(Array.from({ length: images }, (_, i) => [String(i), MADE[kind](random)]));
  const start = performance.now(), pairs = nearDuplicates(prints).length;
  return {
    kind,
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
  const made = [10_000, 100_000].map((images) => searchMade("of noise", images))
    .concat([2_000, 20_000].map((images) => searchMade("alike in shape", images)));
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
    ...made.map(({ kind, images, seconds, mebibytes, pairs }) =>
      `${images} pictures ${kind}: ${seconds.toFixed(1)} s, ${
        mebibytes.toFixed(0)
      } MiB resident, ${pairs} pairs.`
    ),
    "",
    `${where}; load ${load().toFixed(1)}`,
    "",
  ].join("\n");
  console.log(text);
  console.log(`Written: ${await writeBench("overlap", { rows, alike, made, machine: where }, text)}`);
}
