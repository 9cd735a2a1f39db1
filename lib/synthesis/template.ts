import { rng } from "../config/mod.ts";
import type { CorpusRecord } from "../corpus/mod.ts";
import {
  ANATOMY_TYPES,
  captionFor,
  type GroundTruth,
  LESION_TYPES,
  questionFor,
  type QuestionType,
  questionTypeOf,
  trueAnswer,
} from "../phantom/mod.ts";
import { yesOrNo } from "../stats/mod.ts";
import { type QaPair, templatePairs, type TruthQuestion } from "./pair.ts";

/**
 * Template pairs for captioned phantoms: every lesion question that applies, "describe the image", and one anatomy
 * question, chosen by seed. They stand in for what a good teacher would write.
 * @param truth ground truth by image path; records without are left out
 */
export function phantomPairs(
  records: readonly CorpusRecord[],
  truth: ReadonlyMap<string, GroundTruth>,
  seed: number,
): QaPair[] {
  const asked = records.flatMap((record): TruthQuestion[] => {
    const findings = truth.get(record.imagePath);
    if (!findings) return [];
    const random = rng(`template/${seed}/${record.id}`);
    const ask = (type: QuestionType) => questionFor(findings, type, random);
    const anatomy = ANATOMY_TYPES.map(ask).filter((question) => question !== null);
    const one = anatomy[Math.floor(random() * anatomy.length)];
    const questions = [...LESION_TYPES, "open" as const].map(ask).filter((question) => question !== null);
    return [...questions, one].map((question) => ({ record, ...question }));
  });
  return templatePairs(asked);
}

/** The ground truth's type of question for the prompts' topics. */
const TYPE_OF_TOPIC: Record<string, QuestionType> = {
  finding: "type",
  organ: "organ",
  side: "side",
  modality: "modality",
  region: "region",
};

/**
 * Pairs with the question types of ground truth, so that results can be read by type whatever a pair's origin: by the
 * wording where a phantom's question is recognised, by topic for the teacher's pairs ("presence" for yes-no questions
 * about a finding), else unchanged.
 */
export function withQuestionTypes(pairs: readonly QaPair[]): QaPair[] {
  return pairs.map((pair) => {
    const topic = pair.questionType === "finding" && yesOrNo(pair.answer) !== null
      ? "presence"
      : TYPE_OF_TOPIC[pair.questionType ?? ""];
    const questionType = questionTypeOf(pair.question) ??
      (pair.origin === "teacher" ? topic : undefined) ??
      pair.questionType;
    return { ...pair, questionType };
  });
}

/**
 * How many of the pairs that ask as phantoms do are answered as the ground truth says ("open" ones by the caption of the
 * first wording). Other pairs are not counted.
 */
export function phantomTruth(
  pairs: readonly QaPair[],
  truth: ReadonlyMap<string, GroundTruth>,
): { checked: number; right: number } {
  let checked = 0, right = 0;
  for (const { imagePath, question, answer } of pairs) {
    const findings = truth.get(imagePath);
    const found = findings && trueAnswer(question, findings);
    if (!found) continue;
    checked++;
    right += Number(answer === (found.type === "open" ? captionFor(findings) : found.answer));
  }
  return { checked, right };
}
