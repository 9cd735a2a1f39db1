import { drawPhantom, type Phantom } from "../draw.ts";
import type { Label, Lesion, Modality, Organ, Region, Side } from "../names.ts";
import { encodePng, put } from "./files.ts";

export const SPLITS: readonly Split[] = ["train", "validation", "test"];
/** A part of a data set. */
export type Split = "train" | "validation" | "test";
/** A data set whose layout phantoms are written in. */
export type PhantomDataset = "slake" | "pmc_vqa" | "roco_v2" | "medpix2";
/** Examinations of each split. */
export type SplitCounts = Record<Split, number>;

/** What is true about one written image: a row of ground_truth.jsonl. Paths are relative to the corpora's folder. */
export interface GroundTruth {
  /** The data set. */
  dataset: PhantomDataset;
  /** Its split. */
  split: Split;
  /** Path of the image below the folder. */
  imageFile: string;
  /** Of the phantom. */
  seed: number;
  /** What kind of picture it is. */
  modality: Modality;
  /** Part of the body. */
  region: Region;
  /** Organs in the picture. */
  organs: Label[];
  /** Its lesion; null if it has none. */
  lesion: Lesion | null;
  /** Organ that the lesion lies in; null without one. */
  organ: Organ | null;
  /** The patient's side that it lies on; null where it has none. */
  side: Side | null;
  /** The patient's side of each paired organ. */
  organSide: Partial<Record<Organ, Side>>;
  /** Whether the structure whose size is asked about is larger than normal. */
  enlarged: boolean;
  /** Lesion mask (PNG, 0 or 255), null without a lesion. */
  maskFile: string | null;
}

/** Where a layout writes and what it was asked for. */
export interface LayoutJob {
  root: string;
  seed: number;
  counts: SplitCounts;
  truth: GroundTruth[];
  signal?: AbortSignal;
}

const SPLIT_SEED: Record<Split, number> = { train: 5e6, validation: 6e6, test: 7e6 };
const DATASET_SEED: Record<PhantomDataset, number> = { slake: 0, pmc_vqa: 2e5, roco_v2: 4e5, medpix2: 6e5 };
/** Seeds that one corpus seed may use per data set and split; ten corpus seeds share 200,000. */
export const SEEDS_PER_SPLIT = 20_000;

/**
 * Phantoms of one data set and split, in the shifted style, from seeds that no other split or data set uses:
 * train 5,000,000.., validation 6,000,000.., test 7,000,000.. (pre-training starts at 1,000,000 and stays below).
 */
export function* phantomsOf(dataset: PhantomDataset, split: Split, seed: number): Generator<Phantom> {
  const first = SPLIT_SEED[split] + DATASET_SEED[dataset] + (seed % 10) * SEEDS_PER_SPLIT;
  for (let k = 0; k < SEEDS_PER_SPLIT; k++) yield phantomOf({ seed: first + k, split });
}

/** The phantom that a picture of the corpora shows: only test pictures have lesions in combinations held out from training. */
export function phantomOf({ seed, split }: Pick<GroundTruth, "seed" | "split">): Phantom {
  return drawPhantom(seed, "shifted", { combinations: split === "test" ? "all" : "trained" });
}

/**
 * Records the truth about an image and writes its lesion mask.
 *
 * @throws the reason of the job's signal, once it is aborted
 */
export async function recordTruth(
  job: LayoutJob,
  dataset: PhantomDataset,
  split: Split,
  imageFile: string,
  phantom: Phantom,
): Promise<void> {
  job.signal?.throwIfAborted();
  const { seed, modality, region, organs, lesion, organ, side, organSide, enlarged, mask } = phantom;
  const maskFile = lesion ? `masks/${dataset}/${seed}.png` : null;
  job.truth.push({
    dataset,
    split,
    imageFile,
    seed,
    modality,
    region,
    organs,
    lesion,
    organ,
    side,
    organSide,
    enlarged,
    maskFile,
  });
  if (maskFile) await put(job.root, maskFile, await encodePng(mask.map((m) => m * 255), 1));
}
