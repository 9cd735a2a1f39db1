import { isChinese, mean, rouge } from "../stats/mod.ts";
import { bleu } from "./bleu.ts";
import { typicalAnswer } from "./controls.ts";
import { answersByItem, type EvaluationItem, type Prediction } from "./records.ts";

/** Word-overlap metrics of answers against references: ROUGE as mean F1 in [0, 1], BLEU of the whole set in [0, 1]. */
export interface OverlapRow {
  /** Which answers are compared with the reference. */
  answers: string;
  /** ROUGE-1 F1, 0 to 1. */
  rouge1: number;
  /** ROUGE-2 F1. */
  rouge2: number;
  /** ROUGE-L F1. */
  rougeL: number;
  /** BLEU of the whole set, 0 to 1. */
  bleu: number;
}

function row(name: string, pairs: readonly { prediction: string; reference: string }[]): OverlapRow {
  const scores = pairs.map(({ prediction, reference }) => rouge(prediction, reference));
  return {
    answers: name,
    rouge1: mean(scores.map((s) => s.rouge1)),
    rouge2: mean(scores.map((s) => s.rouge2)),
    rougeL: mean(scores.map((s) => s.rougeL)),
    bleu: bleu(pairs.map((p) => p.prediction), pairs.map((p) => p.reference)) / 100,
  };
}

/**
 * ROUGE and BLEU of the generated answers alone (first run), and of baselines that know nothing of the picture: a copy of
 * the question, which scores high where questions leak their answers, and one typical training answer to every question.
 *
 * @param training answers to choose the typical one from; without any there is no third row
 * @throws when answers repeat their question in front, because scoring prompt plus answer measures the prompt.
 */
export function overlapTable(
  items: readonly EvaluationItem[],
  predictions: readonly Prediction[],
  training: readonly string[] = [],
): OverlapRow[] {
  const { answers } = answersByItem(items, predictions);
  const repeated = items.filter((item, i) => {
    const said = answers[i][0].toLowerCase();
    return item.question.length > 0 &&
      said.slice(0, item.question.length + 20).includes(item.question.toLowerCase());
  }).length;
  if (repeated > items.length / 10) {
    throw new Error(
      `${repeated} of ${items.length} answers begin with their question: give the generated tokens only, without the prompt.`,
    );
  }
  const typical = typicalAnswer(training);
  const units = items.some(({ answer }) => isChinese(answer)) ? " (each Chinese character is a word)" : "";
  return [
    row(`system${units}`, items.map((item, i) => ({ prediction: answers[i][0], reference: item.answer }))),
    row(
      `copy of the question${units}`,
      items.map((item) => ({ prediction: item.question, reference: item.answer })),
    ),
    ...(typical === null ? [] : [
      row(
        `typical training answer${units}`,
        items.map((item) => ({ prediction: typical, reference: item.answer })),
      ),
    ]),
  ];
}
