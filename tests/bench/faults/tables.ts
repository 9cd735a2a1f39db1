/** Tables of the kinds that the loaders and `openTable` read, damaged at random. */
import { basename, dirname, join } from "@std/path";
import { gzipSync } from "node:zlib";
import { writeArrow } from "@lib/artifacts/mod.ts";
import { openTable } from "@lib/artifacts/open_table.ts";
import { paths, rng } from "@lib/config/mod.ts";
import {
  type Corpus,
  loadMedPix2,
  loadMedPixShortQa,
  loadMimicCxr,
  loadOwn,
  loadPmcVqa,
  loadRocoQa,
  loadRocoV1,
  loadRocoV2,
  loadSlake,
  loadVqaRad,
} from "@lib/corpus/mod.ts";
import { damaged, damageJsonBytes, pick } from "./damage.ts";
import type { Campaign } from "../faults.ts";
import { tryEach, tryInProcesses } from "./in_process.ts";

/** A file longer at work than this hangs. */
const LIMIT_MS = 20_000;
/** What reading a small file may add to the resident memory. */
const BYTES = 2 ** 30;

type Bytes = Uint8Array<ArrayBuffer>;
type Random = () => number;

/** Sound files of one layout, and what reads them. */
interface Source {
  name: string;
  files: ReadonlyMap<string, Bytes>;
  read(dir: string): Promise<unknown>;
}

export const tables: Campaign = {
  name: "tables",
  describe:
    "CSV, TSV, JSON, JSON lines, Arrow and Parquet tables, damaged at random (cut, bytes changed, other types, nested " +
    `deeply, huge sizes), are read by the loaders and openTable; failed: the process dies, takes more than ${
      LIMIT_MS / 1000
    } s or ${BYTES / 2 ** 30} GiB, or says something else than a sentence`,
  count: 3000,
  run: (count, signal) => tryInProcesses(import.meta.filename!, count, LIMIT_MS, signal),
};

const text = (value: string): Bytes => new TextEncoder().encode(value);
const json = (rows: unknown): Bytes => text(JSON.stringify(rows));
const count = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

const slake = (qid: number) => ({
  img_id: qid,
  img_name: `xmlab${qid}/source.jpg`,
  question: `Which organ is number ${qid}?`,
  answer: "Liver",
  q_lang: "en",
  location: "Abdomen",
  modality: "CT",
  answer_type: "OPEN",
  base_type: "vqa",
  content_type: "Organ",
  triple: ["vhead", "_", "_"],
  qid,
});
const vqaRad = (qid: number) => ({
  qid,
  phrase_type: "freeform",
  qid_linked_id: "x",
  image_case_url: "u",
  image_name: `synpic${qid}.jpg`,
  image_organ: "HEAD",
  evaluation: "given",
  question: `Question ${qid}?`,
  question_relation: "NULL",
  question_frame: "NULL",
  question_type: "PRES",
  answer: qid % 2 ? "Yes" : qid,
  answer_type: "CLOSED",
});
const description = (k: number) => ({
  Type: "CT",
  U_id: `MPX${k}`,
  image: `MPX${k}_synpic${k}`,
  Description: { Age: "3", Caption: `Caption ${k}.`, Modality: "CT", Plane: null, Sex: "male" },
  Location: "Spine",
  "Location Category": "Spine and Muscles",
});
const own = (k: number) => ({
  image: `${k}.png`,
  question: `Number ${k}?`,
  answer: k,
  choices: [k, "b", "c"],
});
const pictures = Object.fromEntries(count(9).map((k) => [`${k}.png`, text("a picture")]));
const readOwn = (dir: string) => loadOwn("mine", { path: dir }, { imageCache: join(dir, "images") });
const rows = (header: string, row: (k: number) => string) =>
  text([header, ...count(9).map(row), ""].join("\n"));

const PMC = "Figure_path,Caption,Question,Choice A,Choice B,Choice C,Choice D,Answer";
const FINDINGS =
  "Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,Lung Opacity," +
  "No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices";
const MIMIC = {
  split: rows("dicom_id,study_id,subject_id,split", (k) => `d${k},s${k},1000${k},train`),
  metadata: rows("dicom_id,ViewPosition", (k) => `d${k},PA`),
  chexpert: rows(`subject_id,study_id,${FINDINGS}`, (k) => `1000${k},s${k},1.0${",0.0".repeat(12)},`),
};
const EMPTY = { requireImages: false };

/** Files of small tables in every layout of text. */
function textSources(): Source[] {
  const source = (name: string, files: Record<string, Bytes>, read: (dir: string) => Promise<Corpus>) => (
    { name, files: new Map(Object.entries(files)), read }
  );
  const mimic = (packed: boolean) =>
    Object.fromEntries(
      Object.entries(MIMIC).map(([table, bytes]) => [
        `mimic-cxr-2.0.0-${table}.csv${packed ? ".gz" : ""}`,
        packed ? Uint8Array.from(gzipSync(bytes)) : bytes,
      ]),
    );
  const pmc = rows(PMC, (k) => `PMC${k}_F1.jpg,"A ""caption"",\n${k}",What?,A:one,B:two,C:three,D:four,B`);
  const captions = (split: string) => rows("ID,Caption", (k) => `${split}${k},"Caption, ${k}"`);
  return [
    source("SLAKE", {
      "train.json": json(count(9).map(slake)),
      "validate.json": json([slake(20)]),
      "test.json": json([slake(30)]),
    }, (dir) => loadSlake(dir, EMPTY)),
    source(
      "VQA-RAD",
      { "VQA_RAD Dataset Public.json": json(count(9).map(vqaRad)) },
      (dir) => loadVqaRad(dir, EMPTY),
    ),
    source("PMC-VQA", { "train_2.csv": pmc, "test_2.csv": pmc }, (dir) => loadPmcVqa(dir, EMPTY)),
    source("ROCO v1", {
      "train/radiology/captions.txt": text(count(9).map((k) => `ROCO_${k}\t Caption ${k}\n`).join("")),
      "train/radiology/licences.txt": rows("ROCO_ID,PMC_ID,CC", (k) => `ROCO_${k},PMC${k}_1.jpg,CC BY`),
    }, (dir) => loadRocoV1(dir, EMPTY)),
    source("ROCOv2", {
      "train_captions.csv": captions("a"),
      "train_concepts.csv": rows("ID,CUIs", (k) => `a${k},C1;C2`),
      "valid_captions.csv": captions("b"),
      "test_captions.csv": captions("c"),
    }, (dir) => loadRocoV2(dir, EMPTY)),
    source("MedPix 2.0", {
      "Descriptions.json": json(count(9).map(description)),
      "Case_topic.json": json(count(9).map((k) => ({ U_id: `MPX${k}`, Case: { Title: "T", Exam: null } }))),
      "splitted_dataset/uid_list.json": json({ train: count(9).map((k) => `MPX${k}`), dev: [], test: [] }),
    }, (dir) => loadMedPix2(dir, EMPTY)),
    source("MIMIC-CXR", mimic(false), (dir) => loadMimicCxr(dir, EMPTY)),
    source("MIMIC-CXR, packed", mimic(true), (dir) => loadMimicCxr(dir, EMPTY)),
    source("MEDPIX-ClinQA", {
      "dataset_sa.csv": rows(
        "image_id,case_id,question,answer,split",
        (k) => `sample/MPX${k}_1.png,MPX${k},What?,a,Train`,
      ),
    }, (dir) => loadMedPixShortQa(dir, EMPTY)),
    source("your own CSV", {
      ...pictures,
      "train.csv": rows("image,question,answer,choices,case", (k) => `${k}.png,What?,b,a|b,p${k}`),
    }, readOwn),
    source("your own JSON lines", {
      ...pictures,
      "train.jsonl": text(count(9).map((k) => `${JSON.stringify(own(k))}\n`).join("")),
    }, readOwn),
  ];
}

/** The parquet files of the loaders' tests. */
function parquetSources(): Source[] {
  const folder = join(paths.root, "tests/corpus/fixtures");
  const source = (name: string, read: (dir: string, options: { imageCache: string }) => Promise<Corpus>) => {
    const files = [...Deno.readDirSync(join(folder, name))].flatMap((entry) =>
      entry.isDirectory
        ? [...Deno.readDirSync(join(folder, name, entry.name))].map((inner) => join(entry.name, inner.name))
        : [entry.name]
    );
    return {
      name,
      files: new Map(files.map((file) => [file, Deno.readFileSync(join(folder, name, file))])),
      read: (dir: string) => read(dir, { imageCache: join(dir, "images") }),
    };
  };
  return [
    source("own_parquet", readOwn),
    source("medpix_short_qa_hub", loadMedPixShortQa),
    source("medpix_short_qa_sample", loadMedPixShortQa),
    source("roco_qa_hub", loadRocoQa),
    source("roco_v1_hub", loadRocoV1),
    source("roco_v2_hub", loadRocoV2),
    source("vqa_rad_hub", loadVqaRad),
  ];
}

/** A table of every type of column. */
async function arrowSource(dir: string): Promise<Source> {
  const path = join(dir, "sound.arrow");
  await writeArrow(
    path,
    count(40).map((k) => ({
      text: k % 5 ? `row ${k}` : null,
      whole: k,
      part: k / 3,
      yes: k % 2 === 0,
      words: count(k % 4).map(String),
      numbers: count(k % 3).map((n) => n / 2),
    })),
  );
  const read = async (dir: string) => {
    using table = await openTable(join(dir, "t.arrow"));
    for (const row of table) void row;
    for (const column of table.columns) table.column(column);
  };
  return { name: "Arrow", files: new Map([["t.arrow", await Deno.readFile(path)]]), read };
}

// deno-fmt-ignore
const FIELDS = [
  "", '"', '""', '"a\nb"', ",", ",,,,", "\t", "\0", "\uFEFF", "../../x", "/etc/passwd", "1e999", "-1", "null", "NaN",
  "\r", "__proto__", "constructor", "a".repeat(300_000), ",".repeat(20_000), "[".repeat(50_000), "é\u0301\u202E",
];

/** Puts an odd value in the place of a field of a text table, or doubles or drops one of its lines. */
function damageFields(bytes: Bytes, random: Random): Bytes {
  const lines = new TextDecoder().decode(bytes).split("\n"), at = Math.floor(random() * lines.length);
  const kind = random();
  if (kind < 0.1) lines.splice(at, 1);
  else if (kind < 0.2) lines.splice(at, 0, lines[at]);
  else {
    const separator = pick(random, [",", "\t"]), cells = lines[at].split(separator);
    cells[Math.floor(random() * cells.length)] = pick(random, FIELDS);
    lines[at] = cells.join(separator);
  }
  return text(lines.join("\n"));
}

const NUMBERS = [-1n, 0n, 1n, 7n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, -(2n ** 63n)];

/** Overwrites some of the numbers with which a binary table says where and how large its parts are. */
function damageNumbers(bytes: Bytes, random: Random): Bytes {
  const out = bytes.slice(), view = new DataView(out.buffer);
  for (let n = 1 + Math.floor(random() * 3); n > 0; n--) {
    // The footers lie at the end.
    const span = random() < 0.6 ? Math.min(out.length, 1200) : out.length;
    const at = out.length - span + 4 * Math.floor(random() * (span - 8) / 4), value = pick(random, NUMBERS);
    if (random() < 0.5) view.setBigInt64(at, value, true);
    else view.setInt32(at, Number(BigInt.asIntN(32, value)), true);
  }
  return out;
}

/** Wraps a JSON text's beginning in brackets that nothing closes, or closes them. */
function nested(bytes: Bytes, random: Random): Bytes {
  const depth = 1000 * 2 ** Math.floor(random() * 9), close = random() < 0.5;
  const inner = new TextDecoder().decode(bytes).trim();
  return text(`${"[".repeat(depth)}${inner}${close ? "]".repeat(depth) : ""}`);
}

/** A file damaged in one of the ways that fit its kind. */
function damageFile(name: string, bytes: Bytes, random: Random): Uint8Array {
  const what = random();
  if (/\.(arrow|parquet)$/.test(name)) {
    return what < 0.5 ? damageNumbers(bytes, random) : damaged(bytes, random);
  }
  if (name.endsWith(".json") && what < 0.6) return damageJsonBytes(bytes, random);
  if (/\.jsonl?$/.test(name) && what < 0.7) return nested(bytes, random);
  if (/\.(csv|txt|jsonl)$/.test(name) && what < 0.6) return damageFields(bytes, random);
  return damaged(bytes, random);
}

if (import.meta.main) {
  const dir = await Deno.makeTempDir({ prefix: "tables-" });
  try {
    const sources = [await arrowSource(dir), ...textSources(), ...parquetSources()];
    await tryEach(async (index) => {
      const source = sources[index % sources.length], random = rng(`table ${index}`);
      const broken = pick(random, [...source.files.keys()]), folder = join(dir, `table${index}`);
      for (const [name, bytes] of source.files) {
        await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
        const content = name === broken ? damageFile(name, bytes, random) : bytes;
        await Deno.writeFile(join(folder, name), content);
      }
      const read = async () => {
        const before = Deno.memoryUsage().rss;
        const [{ reason }] = await Promise.allSettled([source.read(folder)]) as [{ reason?: unknown }];
        const added = Deno.memoryUsage().rss - before;
        await Deno.remove(folder, { recursive: true });
        if (added > BYTES) throw new RangeError(`took ${added} bytes`); // no sentence: it counts as harm
        if (reason !== undefined) throw reason;
      };
      return { name: `${source.name}, ${basename(broken)}, damage ${index}`, read };
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
