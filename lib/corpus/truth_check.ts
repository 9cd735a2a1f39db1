import { join } from "@std/path";
import { isOwn } from "../config/mod.ts";
import { decodeImage } from "../image/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";
import { type GroundTruth, phantomOf, placeOf, readGroundTruth, trueAnswer } from "../phantom/mod.ts";
import type { CorpusRecord } from "./record.ts";
import { orderBySeed } from "./splits.ts";

/** Ground truth of a folder of phantom corpora, by absolute image path. */
export async function truthByImage(dir: string): Promise<Map<string, GroundTruth>> {
  return new Map((await readGroundTruth(dir)).map((row) => [join(dir, row.imageFile), row]));
}

/**
 * What the ground truth says of a row's image; undefined for rows of the user's own, and where there is no ground truth.
 *
 * @throws when it has no word of another row's image: then rows and ground truth are of different folders
 */
export function truthOf<Truth>(
  truth: ReadonlyMap<string, Truth>,
  { dataset, imagePath }: { dataset: string; imagePath: string },
): Truth | undefined {
  const known = truth.get(imagePath);
  if (known === undefined && truth.size > 0 && !isOwn(dataset)) {
    throw new Error(
      `Expected the ground truth of ${imagePath}, found none: its rows were read from another data folder. Run notebook 01 again.`,
    );
  }
  return known;
}

/** What a look at some pictures of one data set found. */
export interface PictureCheck {
  /** The data set. */
  dataset: string;
  /** Images that were compared. */
  images: number;
  /** With ground truth: files that show the phantom it names. Without: files that can be read and are not of one grey. */
  picturesRight: number;
  /** Rows of those images. */
  rows: number;
  /** With ground truth: rows whose answer, caption and modality are true of the image. Without: rows with words. */
  rowsRight: number;
  /** Largest mean difference between a file and its phantom, in grey levels; null without ground truth. */
  largestDifference: number | null;
}

/**
 * Mean difference in grey levels up to which a file shows the phantom: the JPEG files differ from their phantoms by
 * 1 to 2 levels, two phantoms from each other by 20 and more.
 */
const SAME_PICTURE = 4;

/**
 * Looks at a sample of the pictures of each data set and at their rows. With ground truth, the pictures are compared
 * with the phantoms drawn again from their seeds and the rows' words with the facts; sets of the user's own have none.
 * @param options.images images per data set
 * @param options.truth of truthByImage; null for real data, which brings none
 */
export async function checkPictures(
  records: readonly CorpusRecord[],
  { images, seed, truth, signal }: {
    images: number;
    seed: number;
    truth: ReadonlyMap<string, GroundTruth> | null;
    signal?: AbortSignal;
  },
): Promise<PictureCheck[]> {
  const datasets = [...new Set(records.map((record) => record.dataset))];
  return await Promise.all(datasets.map(async (dataset) => {
    const facts = isOwn(dataset) ? null : truth;
    const ofImage = Map.groupBy(records.filter((r) => r.dataset === dataset), (r) => r.imagePath);
    // By the first record's id: the choice must not depend on where the data lie.
    const pathOf = new Map([...ofImage].map(([path, [{ id }]]) => [id, path]));
    const found: PictureCheck = {
      dataset,
      images: 0,
      picturesRight: 0,
      rows: 0,
      rowsRight: 0,
      largestDifference: facts && 0,
    };
    for (const id of orderBySeed([...pathOf.keys()], seed).slice(0, images)) {
      await checkpoint(signal);
      const path = pathOf.get(id)!, rows = ofImage.get(path)!;
      found.images++;
      found.rows += rows.length;
      if (facts === null) {
        found.picturesRight += Number(await showsSomething(path));
        found.rowsRight += rows.filter((r) => (r.question && r.answer) || r.caption).length;
        continue;
      }
      const row = facts.get(path);
      const difference = row ? await differenceFromPhantom(path, row) : Infinity;
      found.picturesRight += Number(difference <= SAME_PICTURE);
      found.rowsRight += rows.filter((record) => row && tellsTruth(record, row)).length;
      found.largestDifference = Math.max(found.largestDifference!, difference);
    }
    return found;
  }));
}

/** Share of the pictures and rows looked at that are right, of all sets but the user's own: those may be of one grey. */
export function rightShare(checks: readonly PictureCheck[]): number {
  const published = checks.filter(({ dataset }) => !isOwn(dataset));
  const right = published.reduce((n, c) => n + c.picturesRight + c.rowsRight, 0);
  return right / published.reduce((n, c) => n + c.images + c.rows, 0);
}

async function showsSomething(path: string): Promise<boolean> {
  try {
    const { data } = await decodeImage(path);
    return data.some((level) => level !== data[0]);
  } catch {
    return false;
  }
}

/** Mean absolute difference in grey levels between an image file and the phantom that it should show. */
async function differenceFromPhantom(path: string, row: GroundTruth): Promise<number> {
  const { data } = await decodeImage(path), { pixels } = phantomOf(row);
  if (data.length !== 3 * pixels.length) return Infinity;
  return pixels.reduce((sum, grey, i) => sum + Math.abs(grey - data[3 * i]), 0) / pixels.length;
}

/** Whether all that a record says is true of its phantom. Questions that phantoms do not ask are not true. */
function tellsTruth(record: CorpusRecord, truth: GroundTruth): boolean {
  if (record.question !== null && trueAnswer(record.question, truth)?.answer !== record.answer) return false;
  if (record.modality !== null && !isModality(record.modality, truth.modality)) return false;
  if (record.caption === null) return true;
  const { modality, region, lesion } = truth;
  const facts = [modality, region, lesion, placeOf(truth)].filter((fact) => fact !== null);
  const denies = /\bno lesion\b|\bnormal\b/.test(record.caption);
  return facts.every((fact) => record.caption!.includes(fact)) && denies === (lesion === null);
}

/** MedPix writes MR for MRI. */
const isModality = (written: string, truth: string): boolean =>
  (written === "MR" ? "mri" : written.toLowerCase()) === truth;
