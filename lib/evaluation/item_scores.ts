import { z } from "zod";
import type { QaPair } from "../synthesis/mod.ts";
import type { CellAnswers, GridItems } from "./cells.ts";
import { majorityPredictions, questionOnlyPredictions } from "./controls.ts";
import type { JudgeVerdict } from "./judge.ts";
import { answersByItem, type EvaluationItem, type Prediction } from "./records.ts";
import { type ScorerName, SCORERS, UNREAD } from "./scorers.ts";

/**
 * How an answer came about: to a short or an open question about its image, to a short one about a grey image or another
 * item's, or without any model (the most frequent training answer: of all, to that question, to it about that region).
 */
const AnswerKind = z.enum([
  "short",
  "open",
  "blank",
  "shuffled",
  "majority",
  "questionOnly",
  "questionAndRegion",
]);
/** One of them. */
export type AnswerKind = z.infer<typeof AnswerKind>;

/** One answer under one rule, or as the judge sees it. All tables are made from these rows. */
export const ItemScore = z.object({
  /** The system. */
  cell: z.string(),
  /** With the real image, or which control. */
  kind: AnswerKind,
  /** The rule. */
  scorer: z.enum([...Object.keys(SCORERS) as ScorerName[], "judge"]),
  /** Id of the item. */
  id: z.string(),
  /** Id of its image. */
  imageId: z.string(),
  /** Which of the answers to it, from 0. */
  run: z.number(),
  /** 0 to 1; null where the rule leaves the answer out of its average. */
  score: z.number().nullable(),
  /** The rule found nothing in the answer that it could read, or the judge's reply held no verdict: it counts as wrong. */
  unread: z.boolean(),
  /** The answer was cut at the token limit. */
  cut: z.boolean(),
});
/** A row that {@linkcode ItemScore} accepts. */
export type ItemScore = z.infer<typeof ItemScore>;

/**
 * Answers to items under some rules. A rule that says nothing about any of them gives no rows.
 *
 * @throws when a prediction is missing, unknown or doubled.
 */
export function scoreAnswers(
  items: readonly EvaluationItem[],
  predictions: readonly Prediction[],
  of: Pick<ItemScore, "cell" | "kind">,
  scorers: readonly ScorerName[] = ["exact"],
): ItemScore[] {
  if (items.length === 0) return [];
  answersByItem(items, predictions);
  const byId = new Map(items.map((item) => [item.id, item]));
  return scorers.flatMap((scorer) => {
    const rows = predictions.map(({ id, run, answer, cut }): ItemScore => {
      const item = byId.get(id)!, input = { ...item, prediction: answer }, score = SCORERS[scorer](input);
      const unread = score !== null && (UNREAD[scorer]?.(input) ?? false);
      return { ...of, scorer, id, imageId: item.imageId, run, score, unread, cut };
    });
    return rows.some(({ score }) => score !== null) ? rows : [];
  });
}

/** A system's answers to one test set; what it was not asked is empty. */
export type GivenAnswers = Omit<CellAnswers, "cell">;

/**
 * Scores of one system: short and open answers under every rule, controls by exact match. Answers that were not asked for give
 * no rows.
 *
 * @param training pairs that the controls without a model count answers in
 * @param regionOf the body region of an item's image, where ground truth tells it: one control more
 */
export function systemScores<I extends EvaluationItem>(
  cell: string,
  { short, open }: { short: readonly I[]; open: readonly I[] },
  given: GivenAnswers,
  training: readonly I[],
  regionOf: ((item: I) => string) | null = null,
): ItemScore[] {
  const all = Object.keys(SCORERS) as ScorerName[];
  const some = (predictions: readonly Prediction[], kind: AnswerKind, scorers?: readonly ScorerName[]) =>
    predictions.length > 0
      ? scoreAnswers(kind === "open" ? open : short, predictions, { cell, kind }, scorers)
      : [];
  return [
    ...some(given.short, "short", all),
    ...some(given.open, "open", all),
    ...some(given.blank, "blank"),
    ...some(given.shuffled, "shuffled"),
    ...(training.length > 0 && given.short.length > 0
      ? [
        ...some(majorityPredictions(training, short), "majority"),
        ...some(questionOnlyPredictions(training, short), "questionOnly"),
        ...(regionOf ? some(questionOnlyPredictions(training, short, regionOf), "questionAndRegion") : []),
      ]
      : []),
  ];
}

/**
 * Scores of all systems of the grid.
 *
 * @param regionOf as of `systemScores`
 */
export function itemScores(
  answers: readonly CellAnswers[],
  items: GridItems,
  training: readonly QaPair[],
  regionOf: ((item: QaPair) => string) | null = null,
): ItemScore[] {
  return answers.flatMap(({ cell: { name, testSet }, ...given }) => {
    const seen = training.filter((pair) => pair.dataset === testSet && pair.split === "train");
    return systemScores(name, items[testSet], given, seen, regionOf);
  });
}

/** The judge's verdicts about one system's open answers as scores; without a verdict an answer is wrong. */
export function verdictScores(
  verdicts: readonly JudgeVerdict[],
  { cell: { name, testSet }, open }: {
    cell: Pick<CellAnswers["cell"], "name" | "testSet">;
    open: readonly Prediction[];
  },
  items: GridItems,
): ItemScore[] {
  const imageOf = new Map(items[testSet].open.map((item) => [item.id, item.imageId]));
  const cut = new Map(open.map((answer) => [`${answer.id}#${answer.run}`, answer.cut]));
  return verdicts.map(({ id, run, correct }) => ({
    ...{ cell: name, kind: "open", scorer: "judge", id, imageId: imageOf.get(id)!, run },
    ...{ score: Number(correct ?? false), unread: correct === null, cut: cut.get(`${id}#${run}`)! },
  }));
}

/** Rows of the table of scores by system, kind and rule. */
export type ScoreTable = ReadonlyMap<string, readonly ItemScore[]>;

const keyOf = ({ cell, kind, scorer }: Pick<ItemScore, "cell" | "kind" | "scorer">) =>
  `${cell}\n${kind}\n${scorer}`;

/** Scores by system, kind of answer and rule. */
export const scoreTable = (rows: readonly ItemScore[]): ScoreTable => Map.groupBy(rows, keyOf);

/** One system's scores of one kind by one rule; none where it was not asked, or the rule does not apply. */
export const scoresOf = (
  table: ScoreTable,
  cell: string,
  kind: AnswerKind = "short",
  scorer: ItemScore["scorer"] = "exact",
): readonly ItemScore[] => table.get(keyOf({ cell, kind, scorer })) ?? [];
