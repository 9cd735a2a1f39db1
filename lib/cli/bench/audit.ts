import { join } from "@std/path";
import { findCopies, SAME_PICTURE } from "../../audit/mod.ts";
import { decodeImage, type Fingerprint, fingerprint, greyToRgb, type RgbImage } from "../../image/mod.ts";
import { drawPhantom } from "../../phantom/mod.ts";
import { wilsonInterval } from "../../stats/mod.ts";
import { writeBench } from "../support/bench_files.ts";
import { describeMachine, load, machine } from "../support/bench_machine.ts";
import { COMBINED, type Plant, PLANTED } from "./planted_copies.ts";
import { madeSlices } from "./volume.ts";

/** What a search makes of originals and one kind of copies among them. */
export interface PlantedResult {
  change: string;
  images: number;
  found: number;
  /** Copies that were not found, by their originals' names. */
  missed: string[];
  /** Unordered pairs of images of different pictures, and those that were said to show the same. */
  different: number;
  falsePairs: number;
}

/** Plants one copy of each image and searches originals and copies together. */
export async function searchPlanted(
  originals: ReadonlyMap<string, RgbImage>,
  change: string,
  plant: Plant,
): Promise<PlantedResult> {
  const prints = new Map<string, Fingerprint>();
  for (const [name, image] of originals) prints.set(name, fingerprint(image));
  for (const [name, image] of originals) prints.set(`copy of ${name}`, fingerprint(await plant(image)));
  const pictureOf = (id: string) => id.replace("copy of ", ""), copies = await findCopies(prints);
  const right = new Set(
    copies.filter(({ a, b }) => pictureOf(a) === pictureOf(b)).map(({ a }) => pictureOf(a)),
  );
  const n = originals.size;
  return {
    change,
    images: n,
    found: right.size,
    missed: [...originals.keys()].filter((name) => !right.has(name)),
    different: n * (2 * n - 1) - n,
    falsePairs: copies.filter(({ a, b }) => pictureOf(a) !== pictureOf(b)).length,
  };
}

/** The images of a folder, by name; `half` 0 or 1: every second of them, for tuning (0) or measuring (1). */
export async function imagesOf(folder: string, half?: 0 | 1): Promise<Map<string, RgbImage>> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  const chosen = names.filter((_, i) => half === undefined || i % 2 === half);
  return new Map(
    await Promise.all(chosen.map(async (name) => [name, await decodeImage(join(folder, name))] as const)),
  );
}

/** The phantom of a seed as an image. */
export function phantomImage(seed: number): RgbImage {
  const { pixels } = drawPhantom(seed, "generic"), side = Math.sqrt(pixels.length);
  return greyToRgb(new Uint8Array(pixels), side, side);
}

/** Neighbouring slices of made volumes: how many of them are said to be the same picture. */
export async function searchSlices(volumes: number, slices: number, spacing: number) {
  const prints = new Map<string, Fingerprint>();
  for (let v = 0; v < volumes; v++) {
    madeSlices(v, slices, spacing).forEach((slice, k) => prints.set(`${v}/${k}`, fingerprint(slice)));
  }
  const copies = await findCopies(prints);
  const isNext = (a: string, b: string) => {
    const [[v, k], [w, l]] = [a, b].map((id) => id.split("/").map(Number));
    return v === w && Math.abs(k - l) === 1;
  };
  const same = copies.filter(({ a, b }) => isNext(a, b)).length;
  const volume = (id: string) => id.split("/")[0];
  const across = copies.filter(({ a, b }) => volume(a) !== volume(b)).length;
  return { spacing, neighbours: volumes * (slices - 1), same, across };
}

/** Time and false pairs of a search among different phantoms. */
export async function searchPhantoms(images: number) {
  const prints = new Map<string, Fingerprint>();
  for (let seed = 0; seed < images; seed++) prints.set(String(seed), fingerprint(phantomImage(seed)));
  const start = performance.now(), pairs = (await findCopies(prints)).length;
  return {
    images,
    seconds: (performance.now() - start) / 1000,
    mebibytes: Deno.memoryUsage().rss / 2 ** 20,
    different: images * (images - 1) / 2,
    pairs,
  };
}

/** Plants copies of the images in a folder, searches for them, and prints and writes the tables. */
export async function benchAudit(folder: string, images: number): Promise<void> {
  const [tuning, held] = [await imagesOf(folder, 0), await imagesOf(folder, 1)];
  const rows: { change: string; tuning: PlantedResult; held: PlantedResult }[] = [];
  for (const [change, plant] of Object.entries({ ...PLANTED, ...COMBINED })) {
    rows.push({
      change,
      tuning: await searchPlanted(tuning, change, plant),
      held: await searchPlanted(held, change, plant),
    });
    console.log(change, rows.at(-1)!.tuning.found, rows.at(-1)!.held.found);
  }
  const slices = [];
  for (const spacing of [1, 2.5, 5, 10]) slices.push(await searchSlices(20, 6, spacing));
  const made = [];
  for (const count of [images / 10, images]) made.push(await searchPhantoms(Math.round(count)));
  const originals = new Map([...tuning, ...held].map(([name, image]) => [name, fingerprint(image)]));
  const real = (await findCopies(originals)).length, n = originals.size;
  const where = describeMachine(await machine());
  const share = (part: number, of: number) => {
    const { low, high } = wilsonInterval(part, of);
    return `${part} of ${of} [${(100 * low).toPrecision(3)}, ${(100 * high).toPrecision(3)}]`;
  };
  const text = [
    `# Copies planted among ${n} images`,
    "",
    `Said to show the same picture: a score of at least ${SAME_PICTURE}, chosen on the tuning half. Copies and originals are`,
    "searched together. Shares in % with 95% intervals (Wilson); pairs are unordered and counted once.",
    "",
    "| change | found, tuning half | found, held-out half | false pairs, held-out half | missed, held-out half |",
    "|---|---|---|---|---|",
    ...rows.map(({ change, tuning, held }) =>
      `| ${change} | ${share(tuning.found, tuning.images)} | ${share(held.found, held.images)} | ` +
      `${held.falsePairs} of ${held.different} | ${held.missed.join(", ")} |`
    ),
    "",
    `Among the ${n} originals, ${n * (n - 1) / 2} pairs: ${real} said to be the same.`,
    "",
    "Neighbouring slices of 20 made volumes (ellipsoids in three dimensions, which stand in for CT):",
    "",
    "| distance, mm | neighbours said to be the same | pairs of different volumes said to be the same |",
    "|---|---|---|",
    ...slices.map(({ spacing, neighbours, same, across }) =>
      `| ${spacing} | ${share(same, neighbours)} | ${across} |`
    ),
    "",
    ...made.map(({ images, seconds, mebibytes, different, pairs }) =>
      `${images} phantoms (drawing and fingerprints apart): ${seconds.toFixed(0)} s on one thread, ` +
      `${mebibytes.toFixed(0)} MiB resident, ${share(pairs, different)} % false pairs.`
    ),
    "",
    `${where}; load ${load().toFixed(1)}`,
    "",
  ].join("\n");
  console.log(text);
  console.log(`Written: ${await writeBench("audit", { rows, slices, made, real, machine: where }, text)}`);
}
