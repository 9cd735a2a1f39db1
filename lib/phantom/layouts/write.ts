import { canonicalJson, rng, sha256 } from "../../config/mod.ts";
import { CAPTION_TEMPLATES, captionFor } from "../captions.ts";
import { CHOICE_TYPES, choiceQuestionFor, QUESTION_TYPES, questionFor } from "../questions.ts";
import {
  type GroundTruth,
  type LayoutJob,
  type PhantomDataset,
  phantomOf,
  SEEDS_PER_SPLIT,
  type SplitCounts,
} from "./exams.ts";
import { jsonLines, put } from "./files.ts";
import { writeMedPix2 } from "./medpix2.ts";
import { writePmcVqa } from "./pmc_vqa.ts";
import { writeRocoV2 } from "./roco_v2.ts";
import { writeSlake } from "./slake.ts";
import { join } from "@std/path";

/** Images per split; cases for medpix2. */
export type PhantomCounts = Record<PhantomDataset, SplitCounts>;

/** The tiny scale. */
const TINY_COUNTS: PhantomCounts = {
  slake: { train: 300, validation: 60, test: 120 },
  pmc_vqa: { train: 500, validation: 0, test: 200 },
  roco_v2: { train: 700, validation: 100, test: 200 },
  medpix2: { train: 130, validation: 20, test: 50 },
};

/** What is known of all phantoms of a folder. */
export interface GroundTruthSummary {
  /** Folder with slake/, pmc_vqa/, roco_v2/, medpix2/, masks/ and ground_truth.jsonl. */
  dir: string;
  /** Hash of seed, counts and drawing code's output; equal hashes mean equal corpora. */
  hash: string;
  /** Images written per data set and split. */
  images: Record<PhantomDataset, SplitCounts>;
  /** False where the corpora were already there and nothing was written. */
  written: boolean;
}

/** Raise when a layout changes in a way that the fingerprint of a few pictures does not show. */
const LAYOUT_VERSION = 3;
const MARKER = "phantom_corpora.json";
const WRITERS: Record<PhantomDataset, (job: LayoutJob) => Promise<void>> = {
  slake: writeSlake,
  pmc_vqa: writePmcVqa,
  roco_v2: writeRocoV2,
  medpix2: writeMedPix2,
};

/**
 * Writes phantom corpora in the official layouts of SLAKE, PMC-VQA, ROCOv2 and MedPix 2.0, with masks and
 * ground_truth.jsonl. Does nothing when `dir` already holds the same ones. Everything is written beside `dir` and
 * moved there at the end, so a cut run leaves nothing half-written.
 * @param options.seed 0..9 give disjoint phantoms; others are taken modulo 10
 * @throws when `dir` holds something else than phantom corpora; the reason of `signal` between two phantoms
 */
export async function writePhantomCorpora(
  dir: string,
  { seed = 0, counts = TINY_COUNTS, signal }: {
    seed?: number;
    counts?: PhantomCounts;
    signal?: AbortSignal;
  } = {},
): Promise<GroundTruthSummary> {
  for (const [dataset, splits] of Object.entries(counts)) {
    for (const [split, count] of Object.entries(splits)) {
      if (!Number.isInteger(count) || count < 0 || count > SEEDS_PER_SPLIT / 10) {
        throw new Error(
          `Expected 0..${SEEDS_PER_SPLIT / 10} phantoms for ${dataset} ${split}, found ${count}.`,
        );
      }
    }
  }
  const hash = fingerprint(seed, counts);
  const present = await presentCorpora(dir);
  if (present?.hash === hash) return { ...present, dir, written: false };

  const root = `${dir}.tmp`;
  await Deno.remove(root, { recursive: true }).catch(ignoreMissing);
  const truth: GroundTruth[] = [];
  for (const dataset of Object.keys(WRITERS) as PhantomDataset[]) {
    await put(root, `${dataset}/licence.txt`, "Apache-2.0 (phantoms drawn by RadVQA Lab)\n");
    await WRITERS[dataset]({ root, seed, counts: counts[dataset], truth, signal });
  }
  const images = structuredClone(counts);
  for (const splits of Object.values(images)) splits.train = splits.validation = splits.test = 0;
  for (const row of truth) images[row.dataset][row.split]++;
  await put(root, "ground_truth.jsonl", jsonLines(truth));
  await put(root, MARKER, JSON.stringify({ hash, seed, counts, images }, null, 2) + "\n");
  if (present !== null) await Deno.remove(dir, { recursive: true });
  await Deno.rename(root, dir);
  return { dir, hash, images, written: true };
}

/** The rows of a folder's ground_truth.jsonl. */
export async function readGroundTruth(dir: string): Promise<GroundTruth[]> {
  const text = await Deno.readTextFile(join(dir, "ground_truth.jsonl"));
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Hash over the request and what the code draws and asks for seven seeds: a changed drawing is a changed corpus. */
function fingerprint(seed: number, counts: PhantomCounts): string {
  const drawn = Array.from({ length: 7 }, (_, k) => {
    const phantom = phantomOf({ seed: 5_000_000 + k, split: "test" }), random = rng(k);
    const questions = QUESTION_TYPES.map((type) => questionFor(phantom, type, random));
    const choices = CHOICE_TYPES.map((type) => choiceQuestionFor(phantom, type, random));
    const captions = Array.from(
      { length: CAPTION_TEMPLATES },
      (_, template) => captionFor(phantom, template),
    );
    return { pixels: sha256(phantom.pixels), questions, choices, captions };
  });
  return sha256(canonicalJson({ version: LAYOUT_VERSION, seed, counts, drawn }));
}

/** The marker of a folder of phantom corpora; null when the folder is missing. */
async function presentCorpora(dir: string): Promise<{ hash: string; images: PhantomCounts } | null> {
  try {
    for await (const _ of Deno.readDir(dir)) {
      return JSON.parse(await Deno.readTextFile(join(dir, MARKER)));
    }
    return { hash: "", images: TINY_COUNTS };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (await Deno.stat(dir).then(() => true, () => false)) {
      throw new Error(
        `Expected ${dir} to be missing, empty or phantom corpora (with ${MARKER}); it holds something else. ` +
          "Choose another folder, or move its contents away.",
      );
    }
    return null;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
