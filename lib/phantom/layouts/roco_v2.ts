import { rng } from "../../config/mod.ts";
import { CAPTION_TEMPLATES, captionFor } from "../captions.ts";
import type { Phantom } from "../draw.ts";
import { type LayoutJob, phantomsOf, recordTruth, SPLITS } from "./exams.ts";
import { csv, encodeJpeg, put } from "./files.ts";

const FOLDER = { train: "train", validation: "valid", test: "test" } as const;

/** UMLS concept identifiers of what a phantom can show. */
const CUI: Record<string, string> = {
  "x-ray": "C1306645",
  ct: "C0040405",
  mri: "C0024485",
  chest: "C0817096",
  abdomen: "C0000726",
  head: "C0018670",
  lung: "C0024109",
  liver: "C0023884",
  spleen: "C0037993",
  kidney: "C0022646",
  brain: "C0006104",
  nodule: "C0028259",
  cyst: "C0010709",
  hemorrhage: "C0019080",
};

/**
 * ROCOv2's layout: {train,valid,test}_captions.csv (ID,Caption), {..}_concepts.csv (ID,CUIs) and {split}/{ID}.jpg.
 * One caption an image in one of four wordings; every 50th begins with a space.
 */
export async function writeRocoV2(job: LayoutJob): Promise<void> {
  for (const split of SPLITS) {
    const random = rng(`roco captions/${split}/${job.seed}`);
    const captions: string[][] = [], concepts: string[][] = [];
    const phantoms = phantomsOf("roco_v2", split, job.seed);
    for (let k = 0; k < job.counts[split]; k++) {
      const phantom: Phantom = phantoms.next().value;
      const id = `ROCOv2_2023_${FOLDER[split]}_${String(k + 1).padStart(6, "0")}`;
      const caption = captionFor(phantom, Math.floor(random() * CAPTION_TEMPLATES));
      captions.push([id, k % 50 === 4 ? ` ${caption}` : caption]);
      const shown = [phantom.modality, phantom.region, phantom.organ, phantom.lesion].filter((c) =>
        c !== null
      );
      concepts.push([id, shown.map((concept) => CUI[concept]).join(";")]);
      const image = `roco_v2/${FOLDER[split]}/${id}.jpg`;
      await put(job.root, image, await encodeJpeg(phantom.pixels));
      await recordTruth(job, "roco_v2", split, image, phantom);
    }
    await put(job.root, `roco_v2/${FOLDER[split]}_captions.csv`, csv(["ID", "Caption"], captions));
    await put(job.root, `roco_v2/${FOLDER[split]}_concepts.csv`, csv(["ID", "CUIs"], concepts));
  }
}
