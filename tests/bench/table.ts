/** What `./lab bench data` measures of a large table, in a process of its own. */
import { type Row, writeArrow } from "@lib/artifacts/mod.ts";
import { openTable } from "@lib/artifacts/open_table.ts";
import { rng } from "@lib/config/mod.ts";
import { median } from "@lib/stats/mod.ts";
import { measureInProcess } from "./case_process.ts";

export interface TableMeasurement {
  rows: number;
  bytes: number;
  /** From rows in memory to the file, and what that took above them at its peak. */
  writeSeconds: number;
  writeMiB: number;
  openSeconds: number;
  /** Resident memory after opening, above that before. */
  openMiB: number;
  /** The first random row, and of 1,000 the median and the slowest. */
  firstRowSeconds: number;
  medianRowSeconds: number;
  slowestRowSeconds: number;
}

const WORDS = "the axial image shows a large opacity in left lower lobe with effusion and no fracture seen"
  .split(" ");
const text = (seed: number, words: number) =>
  Array.from({ length: words }, (_, i) => WORDS[(seed * 7 + i * 13 + (seed >> 3) * i) % WORDS.length]).join(
    " ",
  );

/** Row `i` of a table with the columns of a corpus and texts as long as PMC-VQA's: some 650 bytes. */
export function recordRow(i: number): Row {
  const article = `PMC${1_000_000 + i * 17 % 900_000}`, figure = `${article}_Fig${i % 9}_${i % 40}`;
  return {
    id: `pmc_vqa/train/${i}`,
    dataset: "pmc_vqa",
    split: "train",
    sourceId: `${i}`,
    imagePath: `/data/local/pmc_vqa/images_2/figures/${figure}.jpg`,
    imageId: `pmc_vqa/${figure}`,
    caseId: article,
    imageSha256: (Math.imul(i, 2_654_435_761) >>> 0).toString(16).padStart(8, "0").repeat(8),
    question: `${text(i, 13)}?`,
    answer: text(i + 1, 4),
    choices: [0, 1, 2, 3].map((k) => text(i + k, 4)),
    answerType: i % 2 ? "closed" : "open",
    caption: text(i, 32),
    modality: null,
    region: null,
    contentType: null,
    language: "en",
    licence: "CC BY-SA",
    noThirdParty: false,
    context: null,
  };
}

/** MiB of this process: resident now ("VmRSS") or at its peak ("VmHWM"). */
function resident(what: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
}

const seconds = (since: number) => (performance.now() - since) / 1000;

async function write(
  path: string,
  count: number,
): Promise<Pick<TableMeasurement, "writeSeconds" | "writeMiB">> {
  const rows = Array.from({ length: count }, (_, i) => recordRow(i)), before = resident("VmHWM");
  const start = performance.now();
  await writeArrow(path, rows);
  return { writeSeconds: seconds(start), writeMiB: resident("VmHWM") - before };
}

async function read(path: string): Promise<Omit<TableMeasurement, "writeSeconds" | "writeMiB">> {
  const before = resident("VmRSS"), start = performance.now();
  using table = await openTable(path);
  const openSeconds = seconds(start), openMiB = resident("VmRSS") - before;
  const random = rng("rows of a large table");
  const times = Array.from({ length: 1000 }, () => {
    const i = Math.floor(random() * table.length), began = performance.now(), { sourceId } = table.row(i);
    const took = seconds(began);
    if (sourceId !== `${i}`) throw new Error(`Row ${i} of ${path} says that it is row ${sourceId}.`);
    return took;
  });
  return {
    rows: table.length,
    bytes: Deno.statSync(path).size,
    openSeconds,
    openMiB,
    firstRowSeconds: times[0],
    medianRowSeconds: median(times),
    slowestRowSeconds: Math.max(...times),
  };
}

/** Writes `rows` corpus rows to `path` in one process and reads them in another, each with a fresh memory. */
export async function measureTable(path: string, rows: number): Promise<TableMeasurement> {
  const inProcess = (...args: string[]) =>
    measureInProcess<TableMeasurement>("./table.ts", args, { what: "Measuring the table" });
  return { ...await inProcess("write", path, `${rows}`), ...await inProcess("read", path) };
}

if (import.meta.main) {
  const [task, path, rows] = Deno.args;
  console.log(JSON.stringify(task === "write" ? await write(path, Number(rows)) : await read(path)));
}
