import { cpuUsage } from "node:process";
import { join } from "@std/path";
import { findCopies } from "@lib/audit/mod.ts";
import { SAME_PICTURE, STILL } from "@lib/audit/same_picture.ts";
import { decodeImage, type Fingerprint, fingerprint, type RgbImage } from "@lib/image/mod.ts";
import { greyToRgb } from "@lib/image/rgb.ts";
import { drawPhantom } from "@lib/phantom/mod.ts";
import { wilsonInterval } from "@lib/stats/mod.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, machine } from "./machine.ts";
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

/** Neighbours in series of slices that are said to be the same picture, and such pairs of slices that are not neighbours. */
export interface SlicesResult {
  name: string;
  neighbours: number;
  same: number;
  others: number;
}

/** Searches series of slices, each in the order of its slices' places, for copies. */
export async function searchSlices(name: string, series: readonly RgbImage[][]): Promise<SlicesResult> {
  const prints = new Map<string, Fingerprint>();
  series.forEach((slices, s) => slices.forEach((slice, k) => prints.set(`${s}/${k}`, fingerprint(slice))));
  const isNext = (a: string, b: string) => {
    const [[s, k], [t, l]] = [a, b].map((id) => id.split("/").map(Number));
    return s === t && Math.abs(k - l) === 1;
  };
  const copies = await findCopies(prints), same = copies.filter(({ a, b }) => isNext(a, b)).length;
  const neighbours = series.reduce((sum, { length }) => sum + length - 1, 0);
  return { name, neighbours, same, others: copies.length - same };
}

/** Made volumes and, from a folder with a folder of slices for each series, real ones. */
async function benchSlices(folder?: string): Promise<SlicesResult[]> {
  const rows: SlicesResult[] = [];
  for (const { name } of folder === undefined ? [] : [...Deno.readDirSync(folder)].sort(byName)) {
    const slices = await imagesOf(join(folder!, name));
    rows.push(await searchSlices(name, [[...slices.values()]]));
  }
  for (const spacing of [1, 2.5, 5, 10]) {
    const series = Array.from({ length: 10 }, (_, v) => madeSlices(v, 4, spacing));
    rows.push(await searchSlices(`10 made volumes, ${spacing} mm`, series));
  }
  return rows;
}
const byName = (a: Deno.DirEntry, b: Deno.DirEntry) => a.name < b.name ? -1 : 1;

/**
 * Time, memory and pairs found when a folder's images and a copy of each, of one kind after another, are among so many
 * different phantoms. Drawing the phantoms and making the fingerprints is not in the time.
 */
export async function searchCrowd(phantoms: number, originals: ReadonlyMap<string, RgbImage>) {
  const prints = new Map<string, Fingerprint>(), plants = Object.values(PLANTED);
  for (const [name, image] of originals) prints.set(name, fingerprint(image));
  for (let seed = 0; seed < phantoms; seed++) {
    prints.set(`phantom ${seed}`, fingerprint(phantomImage(seed)));
  }
  for (const [i, [name, image]] of [...originals].entries()) {
    prints.set(`copy of ${name}`, fingerprint(await plants[i % plants.length](image)));
  }
  const start = performance.now(), before = cpuUsage();
  let told = 0;
  const onProgress = (done: number, of: number) => {
    if (done < told + of / 10) return;
    console.log(`  ${told = done} of ${of} images`);
  };
  const copies = await findCopies(prints, { onProgress }), { user, system } = cpuUsage(before);
  const isPlanted = ({ a, b }: { a: string; b: string }) => b === `copy of ${a}`;
  const n = prints.size, found = copies.filter(isPlanted).length;
  return {
    images: n,
    seconds: (performance.now() - start) / 1000,
    processorSeconds: (user + system) / 1e6,
    mebibytes: Deno.memoryUsage().rss / 2 ** 20,
    copies: originals.size,
    found,
    different: n * (n - 1) / 2 - originals.size,
    pairs: copies.length - found,
  };
}

/** Plants copies of the held-out images of a folder, searches for them, and prints and writes the tables. */
export async function benchAudit(folder: string, images: number, series?: string): Promise<void> {
  const held = await imagesOf(folder, 1), rows: PlantedResult[] = [];
  for (const [change, plant] of Object.entries({ ...PLANTED, ...COMBINED })) {
    rows.push(await searchPlanted(held, change, plant));
    console.log(change, rows.at(-1)!.found, rows.at(-1)!.falsePairs);
  }
  const slices = await benchSlices(series);
  const crowds = [];
  for (const count of [images / 10, images]) crowds.push(await searchCrowd(Math.round(count), held));
  const where = describeMachine(await machine());
  const share = (part: number, of: number) => {
    const { low, high } = wilsonInterval(part, of);
    return `${part} of ${of} [${(100 * low).toPrecision(3)}, ${(100 * high).toPrecision(3)}]`;
  };
  const text = [
    `# Copies planted among ${held.size} images`,
    "",
    `Every second image of a folder; on the others the thresholds were chosen: the same picture is what scores at least`,
    `${SAME_PICTURE} and has moved by at most ${STILL}. Copies and originals are searched together. Shares in % with 95%`,
    "intervals (Wilson); pairs are unordered and counted once.",
    "",
    "| change | found | false pairs | missed |",
    "|---|---|---|---|",
    ...rows.map(({ change, found, images, falsePairs, different, missed }) =>
      `| ${change} | ${share(found, images)} | ${falsePairs} of ${different} | ${missed.join(", ")} |`
    ),
    "",
    "Neighbouring slices said to be the same picture (made volumes: ellipsoids in three dimensions, which change less from one",
    "slice to the next than a body does):",
    "",
    "| series | neighbours said to be the same | pairs of others said to be the same |",
    "|---|---|---|",
    ...slices.map(({ name, neighbours, same, others }) =>
      `| ${name} | ${share(same, neighbours)} | ${others} |`
    ),
    "",
    "The same images and a copy of each, of one kind after another, among different phantoms (time without drawing them and",
    "without the fingerprints, which 01 makes as it reads the images):",
    "",
    "| images | copies found | false pairs, % | wall clock, s | processor, s | MiB resident |",
    "|---|---|---|---|---|---|",
    ...crowds.map((c) =>
      `| ${c.images} | ${share(c.found, c.copies)} | ${share(c.pairs, c.different)} | ${
        c.seconds.toFixed(0)
      } | ` +
      `${c.processorSeconds.toFixed(0)} | ${c.mebibytes.toFixed(0)} |`
    ),
    "",
    `${where}; load ${load().toFixed(1)}`,
    "",
  ].join("\n");
  console.log(text);
  console.log(`Written: ${await writeBench("audit", { rows, slices, crowds, machine: where }, text)}`);
}
