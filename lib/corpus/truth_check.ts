import { join } from "@std/path";
import { decodeImage } from "../image/mod.ts";
import { drawPhantom, type GroundTruth, readGroundTruth, trueAnswer } from "../phantom/mod.ts";
import type { CorpusRecord } from "./record.ts";
import { orderBySeed } from "./splits.ts";

/** Ground truth of a folder of phantom corpora, by absolute image path. */
export async function truthByImage(dir: string): Promise<Map<string, GroundTruth>> {
  return new Map((await readGroundTruth(dir)).map((row) => [join(dir, row.imageFile), row]));
}

/** What a check of one data set against ground truth found. */
export interface TruthCheck {
  dataset: string;
  images: number;
  /** Images whose file shows the phantom that the ground truth names, drawn again for comparison. */
  picturesRight: number;
  /** Rows of those images. */
  rows: number;
  /** Rows whose answer, caption and modality are true of the image. */
  rowsRight: number;
  /** Largest mean difference between a file and its phantom, in grey levels. */
  largestDifference: number;
}

/**
 * Mean difference in grey levels up to which a file shows the phantom: the JPEG files differ from their phantoms by
 * 1 to 2 levels, two phantoms from each other by 10 and more.
 */
const SAME_PICTURE = 4;

/**
 * Compares a sample of the images of each data set with the ground truth: the pictures with the phantoms drawn again
 * from their seeds, the rows' words with the facts.
 * @param truth of truthByImage
 * @param options.images images per data set
 */
export async function checkAgainstTruth(
  records: readonly CorpusRecord[],
  truth: ReadonlyMap<string, GroundTruth>,
  { images, seed }: { images: number; seed: number },
): Promise<TruthCheck[]> {
  const datasets = [...new Set(records.map((record) => record.dataset))];
  return await Promise.all(datasets.map(async (dataset) => {
    const ofImage = Map.groupBy(records.filter((r) => r.dataset === dataset), (r) => r.imagePath);
    const check: TruthCheck = {
      dataset,
      images: 0,
      picturesRight: 0,
      rows: 0,
      rowsRight: 0,
      largestDifference: 0,
    };
    for (const path of orderBySeed([...ofImage.keys()], seed).slice(0, images)) {
      const row = truth.get(path), rows = ofImage.get(path)!;
      const difference = row ? await differenceFromPhantom(path, row.seed) : Infinity;
      check.images++;
      check.picturesRight += Number(difference <= SAME_PICTURE);
      check.largestDifference = Math.max(check.largestDifference, difference);
      check.rows += rows.length;
      check.rowsRight += rows.filter((record) => row && tellsTruth(record, row)).length;
    }
    return check;
  }));
}

/** Mean absolute difference in grey levels between an image file and the phantom of a seed. */
async function differenceFromPhantom(path: string, seed: number): Promise<number> {
  const { data } = await decodeImage(path), { pixels } = drawPhantom(seed, "shifted");
  if (data.length !== 3 * pixels.length) return Infinity;
  return pixels.reduce((sum, grey, i) => sum + Math.abs(grey - data[3 * i]), 0) / pixels.length;
}

/** Whether all that a record says is true of its phantom. Questions that phantoms do not ask are not true. */
export function tellsTruth(record: CorpusRecord, truth: GroundTruth): boolean {
  if (record.question !== null && trueAnswer(record.question, truth)?.answer !== record.answer) return false;
  if (record.modality !== null && !isModality(record.modality, truth.modality)) return false;
  if (record.caption === null) return true;
  const { modality, region, lesion, side, organ } = truth;
  const facts = lesion ? [modality, region, lesion, `${side} ${organ}`] : [modality, region];
  const denies = /\bno lesion\b|\bnormal\b/.test(record.caption);
  return facts.every((fact) => record.caption!.includes(fact)) && denies === (lesion === null);
}

/** MedPix writes MR for MRI. */
const isModality = (written: string, truth: string): boolean =>
  (written === "MR" ? "mri" : written.toLowerCase()) === truth;
