import { rng } from "../../config/mod.ts";
import type { Phantom } from "../draw.ts";
import { labelIndex, LABELS, PHANTOM_SIZE } from "../names.ts";
import { type Question, questionFor } from "../questions.ts";
import { type LayoutJob, phantomsOf, recordTruth, SPLITS } from "./exams.ts";
import { encodeJpeg, encodePng, put } from "./files.ts";

const FILES = { train: "train.json", validation: "validate.json", test: "test.json" } as const;
const MODALITY = { "x-ray": "X-Ray", ct: "CT", mri: "MRI" } as const;
const LOCATION = { chest: "Lung", abdomen: "Abdomen", head: "Brain_Tissue" } as const;
const CONTENT = {
  modality: "Modality",
  region: "Position",
  organ_yn: "Organ",
  enlarged: "Size",
} as const;
const CHINESE_MODALITY = { "x-ray": "X光", ct: "CT", mri: "MRI" } as const;
type AnatomyType = keyof typeof CONTENT;

/**
 * SLAKE's layout: {train,validate,test}.json and imgs/xmlab{N}/{source.jpg,mask.png,detection.json}, mask.txt.
 * Anatomy questions only, as stage 1 asks them: five an image. Like the real files it has a few Chinese rows,
 * questions with two spaces, and in train one empty answer and one duplicate.
 */
export async function writeSlake(job: LayoutJob): Promise<void> {
  let imageNumber = 0, qid = 0;
  await put(job.root, "slake/mask.txt", LABELS.map((name, k) => `${name}:${colour(k).join(",")}\n`).join(""));
  for (const split of SPLITS) {
    const random = rng(`slake questions/${split}/${job.seed}`);
    const rows: Record<string, unknown>[] = [];
    const phantoms = phantomsOf("slake", split, job.seed);
    for (let k = 0; k < job.counts[split]; k++, imageNumber++) {
      const phantom: Phantom = phantoms.next().value;
      const folder = `imgs/xmlab${imageNumber}`;
      const row = (question: string, answer: string, type: AnatomyType, language = "en") => ({
        img_id: imageNumber,
        img_name: `xmlab${imageNumber}/source.jpg`,
        question,
        answer,
        q_lang: language,
        location: LOCATION[phantom.region],
        modality: MODALITY[phantom.modality],
        answer_type: type === "organ_yn" || type === "enlarged" ? "CLOSED" : "OPEN",
        base_type: "vqa",
        content_type: CONTENT[type],
        triple: ["vhead", "_", "_"],
        qid: qid++,
      });
      for (const { type, question, answer } of anatomyQuestions(phantom, random)) {
        const odd = qid % 97 === 5 ? question.replace(" ", "  ") : question;
        rows.push(row(odd, answer, type as AnatomyType));
      }
      if (k % 25 === 3) {
        rows.push(row("这张图像的模态是什么?", CHINESE_MODALITY[phantom.modality], "modality", "zh"));
      }
      if (split === "train" && k === 7) rows.push(row("is the bladder visible?", "", "organ_yn"));
      if (split === "train" && k === 11) rows.push({ ...rows[rows.length - 1], qid: qid++ });

      await Promise.all([
        put(job.root, `slake/${folder}/source.jpg`, await encodeJpeg(phantom.pixels)),
        put(job.root, `slake/${folder}/mask.png`, await encodePng(colourMap(phantom.labels), 3)),
        put(job.root, `slake/${folder}/detection.json`, JSON.stringify(boxes(phantom))),
        recordTruth(job, "slake", split, `slake/${folder}/source.jpg`, phantom),
      ]);
    }
    await put(job.root, `slake/${FILES[split]}`, JSON.stringify(rows));
  }
}

/** Modality, region, two different organs, and the size of the one whose size is asked about. */
function anatomyQuestions(phantom: Phantom, random: () => number): Question[] {
  const asked: Question[] = [];
  const add = (question: Question | null) => {
    if (question && !asked.some((q) => q.question === question.question)) asked.push(question);
  };
  add(questionFor(phantom, "modality", random));
  add(questionFor(phantom, "region", random));
  while (asked.length < 4) add(questionFor(phantom, "organ_yn", random));
  add(questionFor(phantom, "enlarged", random));
  return asked;
}

/** A distinct colour per class; air is black. */
function colour(label: number): [number, number, number] {
  return [(label * 67) % 256, (label * 131) % 256, (label * 197) % 256];
}

function colourMap(labels: Uint8Array): Uint8Array {
  const out = new Uint8Array(labels.length * 3);
  labels.forEach((label, i) => out.set(colour(label), i * 3));
  return out;
}

/** One bounding box [x, y, width, height] per visible structure or lesion. */
function boxes(phantom: Phantom): Record<string, number[]>[] {
  const names = phantom.lesion ? [...phantom.organs, phantom.lesion] : phantom.organs;
  return names.flatMap((name) => {
    const wanted = labelIndex(name);
    let x0 = PHANTOM_SIZE, y0 = PHANTOM_SIZE, x1 = -1, y1 = -1;
    phantom.labels.forEach((label, i) => {
      if (label !== wanted) return;
      const x = i % PHANTOM_SIZE, y = Math.floor(i / PHANTOM_SIZE);
      x0 = Math.min(x0, x), x1 = Math.max(x1, x), y0 = Math.min(y0, y), y1 = Math.max(y1, y);
    });
    return x1 < 0 ? [] : [{ [name]: [x0, y0, x1 - x0 + 1, y1 - y0 + 1] }];
  });
}
