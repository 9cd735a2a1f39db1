import { rng } from "../../config/mod.ts";
import { captionFor } from "../captions.ts";
import type { Phantom } from "../draw.ts";
import { pick } from "../names.ts";
import { choiceQuestionFor, type ChoiceType, type Question } from "../questions.ts";
import { type LayoutJob, phantomsOf, recordTruth, SPLITS } from "./exams.ts";
import { csv, encodeJpeg, put } from "./files.ts";

const LETTERS = ["A", "B", "C", "D"];
const CHOICES = LETTERS.map((letter) => `Choice ${letter}`);
const HEADER_2 = ["index", "Figure_path", "Caption", "Question", ...CHOICES, "Answer", "split"];
const HEADER_CLEAN = ["Figure_path", "Question", "Answer", ...CHOICES, "Answer_label"];

/**
 * PMC-VQA's layout: version 2 in train_2.csv and test_2.csv (Answer is a letter), the first half of the test rows
 * again in version 1's test_clean.csv (Answer is the text, Answer_label the letter), and images/.
 * One anatomy and one lesion question with four options an image. There is no validation split.
 */
export async function writePmcVqa(job: LayoutJob): Promise<void> {
  let figure = 0;
  for (const split of SPLITS) {
    if (split === "validation") continue;
    const random = rng(`pmc questions/${split}/${job.seed}`);
    const rows: (string | number)[][] = [], clean: string[][] = [];
    const phantoms = phantomsOf("pmc_vqa", split, job.seed);
    for (let k = 0; k < job.counts[split]; k++) {
      const phantom: Phantom = phantoms.next().value;
      const name = `PMC${9_000_000 + figure++}_F1.jpg`;
      for (const { question, answer, choices } of twoQuestions(phantom, random)) {
        const listed = choices!.map((choice, c) => ` ${LETTERS[c]}:${k % 3 === 0 ? " " : ""}${choice}`);
        const letter = LETTERS[choices!.indexOf(answer)];
        rows.push([rows.length, name, captionFor(phantom, k % 4), question, ...listed, letter, split]);
        if (split === "test" && k < job.counts.test / 2) {
          clean.push([name, question, answer, ...listed, letter]);
        }
      }
      await put(job.root, `pmc_vqa/images/${name}`, await encodeJpeg(phantom.pixels));
      await recordTruth(job, "pmc_vqa", split, `pmc_vqa/images/${name}`, phantom);
    }
    await put(job.root, `pmc_vqa/${split}_2.csv`, csv(HEADER_2, rows));
    if (split === "test") await put(job.root, "pmc_vqa/test_clean.csv", csv(HEADER_CLEAN, clean));
  }
}

function twoQuestions(phantom: Phantom, random: () => number): Question[] {
  const anatomy: ChoiceType = pick(["modality", "region"] as const, random);
  const lesion: ChoiceType = phantom.lesion ? pick(["type", "organ", "side"] as const, random) : "type";
  return [anatomy, lesion].map((type) => choiceQuestionFor(phantom, type, random)!);
}
