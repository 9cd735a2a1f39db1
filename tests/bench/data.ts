import { join } from "@std/path";
import { paths } from "@lib/config/mod.ts";
import { encodePng, resizeBicubic } from "@lib/image/mod.ts";
import { greyToRgb } from "@lib/image/rgb.ts";
import { drawPhantom } from "@lib/phantom/mod.ts";
import { median } from "@lib/stats/mod.ts";
import { benchPython, type ImageMeasurement, measureImages, type Way, WAYS } from "./data_cases.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";
import { measureTable, type TableMeasurement } from "./table.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";

/** Sides that images are resized to: PaliGemma's. */
const SIZES = [448, 224] as const;

/** What results/local/bench/data.json holds. */
export interface DataReport {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  /** What the files are. */
  files: { what: string; count: number };
  workers: number;
  passes: number;
  results: { way: Way; size: number; rounds: Omit<ImageMeasurement, "hashes">[] }[];
  /** Files whose pixel values have other bytes than transformers' in any measurement, by side. */
  different: Record<string, string[]>;
  table: TableMeasurement;
}

/** The files to measure with: VQA-RAD's photographs in LAB_DATA, else phantoms, enlarged. */
async function imageFiles(): Promise<{ what: string; files: string[] }> {
  const data = Deno.env.get("LAB_DATA");
  if (data) {
    const folder = join(data, "vqa-rad-train/VQA_RAD Image Folder");
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
    return {
      what: "radiographs, CT and MR of VQA-RAD, JPEG",
      files: names.map((name) => join(folder, name)),
    };
  }
  const folder = join(paths.root, "build/bench/phantoms");
  await Deno.mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (let seed = 0; seed < 40; seed++) {
    const small = greyToRgb(drawPhantom(seed, "generic").pixels, 112, 112);
    files.push(join(folder, `${seed}.png`));
    await Deno.writeFile(files[seed], await encodePng(resizeBicubic(small, 900, 700)));
  }
  return { what: "phantoms enlarged to 900x700, PNG (no LAB_DATA)", files };
}

/** The report as Markdown tables. */
export function dataText(
  { machine, load, files, workers, passes, results, different, table }: DataReport,
): string {
  const images = files.count * passes;
  const speed = (rounds: { seconds: number }[]) => images / median(rounds.map((round) => round.seconds));
  const rows = results.map(({ way, size, rounds }) => {
    const other = (name: Way) => speed(results.find((r) => r.way === name && r.size === size)!.rounds);
    const against = (name: Way) => (speed(rounds) / other(name)).toFixed(2);
    const fastest = Math.max(other("transformers, threads"), other("transformers, processes"));
    const all = rounds.map((round) => images / round.seconds);
    return `| ${size} | ${way} | ${way.startsWith("pool, 1") || way === "transformers" ? 1 : workers} | ${
      speed(rounds).toFixed(1)
    } | ${Math.min(...all).toFixed(1)} - ${Math.max(...all).toFixed(1)} | ${
      (1000 * median(rounds.map((round) => round.coreSeconds)) / images).toFixed(1)
    } | ${against("transformers")} | ${(speed(rounds) / fastest).toFixed(2)} | ${
      Math.max(...rounds.map((round) => round.peakMiB)).toFixed(0)
    } |`;
  });
  const versions = results.flatMap((r) => r.rounds).map((round) => round.versions).find((v) => v.pillow)!;
  const unequal = Object.values(different).flat().length;
  const ms = (seconds: number) => (1000 * seconds).toFixed(seconds < 0.01 ? 2 : 0);
  return `# Image files to pixel values, and a large table

${files.count} files (${files.what}), ${passes} passes. A file is read, hashed (ours alone), decoded, resized and becomes float32
values of [3, side, side].

| side | by | at once | images/s | of the rounds | core ms an image | to transformers, one thread | to its faster parallel way | peak MiB |
|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}

Pixel values with other bytes than transformers': ${
    unequal ? `${unequal}: ${JSON.stringify(different)}` : "none, in every measurement"
  }. ${describeMachine(machine)}; ${
    Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")
  } (\`SiglipImageProcessorPil\`, numpy arrays). Load of the machine ${load.before.toFixed(1)} before, ${
    load.after.toFixed(1)
  } after.

${
    results[0].rounds.length
  } rounds over all ways in turn, every other one backwards, each measurement in a process of its own; start,
imports and a first pass are not timed. Ours: workers read, decode and resize, the main thread writes the values into a
batch. *Processes*: forked, the values stay in the process that made them. *Core ms*: processor time of all
threads. *Peak*: resident memory of all processes, pages that
they share counted in each.

## A table of ${table.rows} records

| file | written in | memory for that | opened in | memory for that | a random row | the first | the slowest of 1,000 |
|---|---|---|---|---|---|---|---|
| ${(table.bytes / 2 ** 20).toFixed(0)} MiB | ${formatSeconds(table.writeSeconds)} | ${
    table.writeMiB.toFixed(0)
  } MiB | ${ms(table.openSeconds)} ms | ${table.openMiB.toFixed(0)} MiB | ${
    ms(table.medianRowSeconds)
  } ms | ${ms(table.firstRowSeconds)} ms | ${ms(table.slowestRowSeconds)} ms |

Written by one process, read by another while the file is in the system's cache. Memory: resident, above that before.
`;
}

/** `./lab bench data`: measures every way at both sides in alternating rounds; prints and writes the tables. */
export async function benchData(rounds: number, passes: number): Promise<void> {
  const python = await benchPython(), { what, files } = await imageFiles();
  const workers = Math.min(8, navigator.hardwareConcurrency);
  const about = await machine(),
    startedAt = new Date().toISOString(),
    before = load(),
    start = performance.now();
  const results: DataReport["results"] = SIZES.flatMap((size) =>
    WAYS.map((way) => ({ way, size, rounds: [] }))
  );
  const expected = new Map<number, string[]>(), found: { size: number; hashes: string[] }[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const result of round % 2 ? results.toReversed() : results) {
      const { way, size } = result, at = way === "pool, 1 worker" ? 1 : workers;
      const { hashes, ...measured } = await measureImages(way, { files, size, workers: at, passes }, python);
      result.rounds.push(measured);
      found.push({ size, hashes });
      if (way === "transformers") expected.set(size, hashes);
      console.error(
        `round ${round + 1}/${rounds}  ${`${way}, ${size}`.padEnd(30)}${
          (files.length * passes / measured.seconds).toFixed(1).padStart(7)
        } images/s  (${formatSeconds((performance.now() - start) / 1000)})`,
      );
    }
  }
  const different = Object.fromEntries(SIZES.map((size) => {
    const wrong = found.filter((f) => f.size === size).flatMap(({ hashes }) =>
      files.filter((_, i) => hashes[i] !== expected.get(size)![i])
    );
    return [`${size}`, [...new Set(wrong)]];
  }));
  const place = join(paths.root, "build/bench/table.arrow");
  const table = await measureTable(place, 200_000);
  await Deno.remove(place);
  const report: DataReport = {
    machine: about,
    startedAt,
    load: { before, after: load() },
    files: { what, count: files.length },
    workers,
    passes,
    results,
    different,
    table,
  };
  const text = dataText(report);
  console.log(text);
  console.log(
    `Written to ${await writeBench("data", report, text)}, with every measurement in data.json beside it.`,
  );
}
