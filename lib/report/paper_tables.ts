import { datasetTitle, isOwn } from "../config/mod.ts";
import {
  type Accuracy,
  accuracyOf,
  type GroupAccuracy,
  isWorthless,
  type JudgedCell,
  type OverlapRow,
  scoresOf,
  type ScoreTable,
} from "../evaluation/mod.ts";
import { type Interval, percent } from "../stats/mod.ts";
import type { CellAccuracy, CellOverlap, PairedRow } from "./accuracies.ts";
import { PAPER_ACCURACY, PAPER_ORGANS, PAPER_OVERLAP, type PaperShare } from "./paper_values.ts";
import { isKappaDefined, kappaInterval, kappaText, pText } from "./rows.ts";
import { percentText, type ShownRow } from "./tables.ts";

/** A dataset of the tables: what it is called, and what the paper says of it, if it is the paper's. */
export interface PaperEntry {
  /** Name of the data set here. */
  dataset: string;
  /** Its name in the paper. */
  name: string;
  /** What the paper reports; null where it reports nothing. */
  paper: Partial<Record<"withoutStage1" | "withStage1" | "llavaMed", PaperShare>>;
}

type PaperDataset = Exclude<keyof typeof PAPER_ACCURACY, "source">;

/** Names that are others in the paper. */
const IN_PAPER: Partial<Record<PaperDataset, string>> = { slake: "SLAKE (closed)", roco_v2: "ROCO" };

const paperEntry = (dataset: PaperDataset): PaperEntry => ({
  dataset,
  name: IN_PAPER[dataset] ?? datasetTitle(dataset),
  paper: PAPER_ACCURACY[dataset],
});

/** The user's own datasets among `cells`, with the model that was asked where theirs was not trained. */
function ownEntries(cells: readonly CellAccuracy[]): PaperEntry[] {
  const own = new Map(cells.filter(({ testSet }) => isOwn(testSet)).map((cell) => [cell.testSet, cell]));
  return [...own].map(([dataset, { adapter }]) => ({
    dataset,
    name: `${datasetTitle(dataset)} (your own${
      adapter?.startsWith("roco_medpix__") ? "; of ROCO + MedPix" : ""
    })`,
    paper: {},
  }));
}

/** The rows of the paper's table 1 in its order, then the user's own datasets among `cells`. */
export const paperEntries = (cells: readonly CellAccuracy[]): PaperEntry[] => [
  ...(["slake", "pmc_vqa", "roco_v2", "roco_medpix"] as const).map(paperEntry),
  ...ownEntries(cells),
];

/** A share as a number; null where the paper gives none. */
export const shareOf = (value: PaperShare | undefined): number | null =>
  value === null || value === undefined ? null : typeof value === "number" ? value : value.correct / value.of;
const shareText = (value: PaperShare | undefined): string | null =>
  value === null || value === undefined
    ? null
    : typeof value === "number"
    ? `${percent(value)}%`
    : `${value.correct}/${value.of}`;
const signed = (x: number) => `${x >= 0 ? "+" : "−"}${Math.abs(100 * x).toFixed(1)}`;

/** "34.0% ± 1.2 (27.8–40.8)": accuracy, standard deviation of the runs, interval. */
const runsText = (found: Accuracy | undefined): string | null =>
  found ? percentText(found.byImage).replace("%", `% ± ${percent(found.std)}`) : null;

/** The cell without stage 1: for SLAKE, the base model. */
export const withoutStage1 = (dataset: string): string =>
  dataset === "slake" ? "slake__base" : `${dataset}__without`;

/**
 * Table 1: accuracy without and with stage 1, mean of the runs with their standard deviation, the paper's and ours. The last
 * columns say whether ours differ.
 */
export function table1(cells: readonly CellAccuracy[], pairs: readonly PairedRow[]): ShownRow[] {
  const find = (name: string) => cells.find(({ cell }) => cell === name);
  return paperEntries(cells).map(({ dataset, name, paper }) => {
    const first = withoutStage1(dataset), second = `${dataset}__with`;
    const pair = pairs.find((p) => p.first === first && p.second === second);
    return {
      dataset: name,
      "paper without": shareText(paper.withoutStage1),
      "paper with": shareText(paper.withStage1),
      "paper's LLaVA-Med": shareText(paper.llavaMed),
      "ours without": runsText(find(first)),
      "ours with": runsText(find(second)),
      items: find(second)?.items ?? find(first)?.items ?? null,
      "difference (points)": pair
        ? `${signed(pair.estimate)} (${signed(pair.low)} to ${signed(pair.high)})`
        : null,
      "p (Holm)": pair ? pText(pair.pValue) : null,
    };
  });
}

/** An accuracy that is drawn as a bar, beside others of its group. */
export interface AccuracyBar {
  /** Dataset or organ: the position on the axis. */
  group: string;
  /** System: the colour. */
  system: string;
  /** Height of the bar, 0 to 1. */
  accuracy: number;
  /** 95% interval; null where the source gives none. */
  low: number | null;
  /** See `low`. */
  high: number | null;
  /** Whose number it is. */
  from: "paper" | "ours";
}

/** Table 1 as bars: ours without and with stage 1, the paper's with it. */
export function table1Bars(cells: readonly CellAccuracy[]): AccuracyBar[] {
  return paperEntries(cells).flatMap(({ dataset, name: group, paper: { withStage1 } }): AccuracyBar[] => {
    const paper = shareOf(withStage1);
    const bars: AccuracyBar[] = [];
    for (
      const [name, system] of [[withoutStage1(dataset), "without stage 1"], [`${dataset}__with`, "with"]]
    ) {
      const own = cells.find(({ cell }) => cell === name);
      if (own) {
        const { low, high } = own.byImage;
        bars.push({ group, system: `ours, ${system}`, accuracy: own.accuracy, low, high, from: "ours" });
      }
    }
    if (paper !== null) {
      bars.push({ group, system: "paper, with", accuracy: paper, low: null, high: null, from: "paper" });
    }
    return bars;
  });
}

/** What the paper's table 4 prints of word overlap. */
const PRINTED = new Map<string, Omit<OverlapRow, "answers">>([
  ["medpix2", PAPER_OVERLAP.medpix2],
  ["roco_v2", PAPER_OVERLAP.roco_v2],
  ["roco_medpix", PAPER_OVERLAP.roco_medpix],
]);

/** What the tables of answers are made from. */
export interface AnswerSources {
  /** Accuracy of every system. */
  accuracies: readonly CellAccuracy[];
  /** Scores by rule. */
  scores: ScoreTable;
  /** Overlap with the references. */
  overlaps: readonly CellOverlap[];
  /** What a language model says of the answers. */
  judged: readonly JudgedCell[];
}

/**
 * What the judge says, with its kappa, unless it has been shown worthless: over all systems that it judged, or, where no person
 * graded answers, on this one. Where exact match says the same of all answers, nothing can agree with it, and the judge's share
 * stands with that remark.
 */
function judgeText(judged: JudgedCell | undefined): string | null {
  if (!judged) return null;
  const { accuracy, agreement, standing } = judged, share = percentText(accuracy.byImage);
  const byPerson = standing.with === "a person", by = byPerson ? " with a person" : "";
  const none = ({ estimate }: Interval) => `no information (kappa ${kappaText(estimate)}${by})`;
  if (isWorthless(standing)) return none(standing.kappa);
  if (byPerson) return `${share}, kappa ${kappaInterval(standing.kappa)}${by}`;
  if (!isKappaDefined(judged)) return `${share} (unconfirmed: exact match says the same of all answers)`;
  return agreement.kappa.low > 1e-9
    ? `${share}, kappa ${kappaInterval(agreement.kappa)}`
    : none(agreement.kappa);
}

/**
 * Tables 4 (without stage 1) and 5 (with it): word overlap, accuracy and the judge, the paper's and ours. All numbers of a row
 * are about the same items: the open questions, or the short ones of a dataset that has no others (SLAKE, PMC-VQA), as in the
 * paper without word overlap.
 */
export function answerTable(
  stage: "without" | "with",
  { accuracies, scores, overlaps, judged }: AnswerSources,
): ShownRow[] {
  const paper = (["medpix2", "roco_v2", "roco_medpix", "pmc_vqa"] as const).map(paperEntry);
  const entries = [...(stage === "with" ? [paperEntry("slake")] : []), ...paper, ...ownEntries(accuracies)];
  const words = (overlap: Omit<OverlapRow, "answers"> | undefined) => ({
    "ROUGE-1": overlap?.rouge1 ?? null,
    "ROUGE-2": overlap?.rouge2 ?? null,
    "ROUGE-L": overlap?.rougeL ?? null,
    BLEU: overlap?.bleu ?? null,
  });
  return entries.flatMap(({ dataset, name, paper }): ShownRow[] => {
    const cell = `${dataset}__${stage}`, overlap = overlaps.find((row) => row.cell === cell);
    const open = accuracyOf(scoresOf(scores, cell, "open")),
      found = open ?? accuracyOf(scoresOf(scores, cell));
    const theirs = stage === "with" ? paper.withStage1 : paper.withoutStage1;
    const printed = stage === "without" ? PRINTED.get(dataset) : undefined;
    const line = (
      answers: string,
      items: number | null,
      overlap: Parameters<typeof words>[0],
      more = {},
    ) => ({
      ...{ dataset: name, answers, items, ...words(overlap) },
      ...{ accuracy: null, judge: null, "paper's LLaVA-Med": null, ...more },
    });
    return [
      ...(isOwn(dataset) ? [] : [
        line(`paper's${printed ? " (prompt plus answer)" : ""}`, null, printed, {
          accuracy: shareText(theirs),
          "paper's LLaVA-Med": stage === "with" ? shareText(paper.llavaMed) : null,
        }),
      ]),
      ...(found
        ? [
          line(open ? "ours, open questions" : "ours, short questions", found.items, overlap?.answers, {
            accuracy: percentText(found.byImage),
            judge: judgeText(judged.find((row) => row.cell === cell)),
          }),
        ]
        : []),
      ...(overlap ? [line("question copied", overlap.items, overlap.copy)] : []),
      ...(overlap?.typical ? [line("one typical answer to all", overlap.items, overlap.typical)] : []),
    ];
  });
}

/** Table 2: accuracy by MedPix location, the paper's and ours; locations that the paper does not report follow. */
export function table2(groups: readonly GroupAccuracy[]): ShownRow[] {
  const groupOf = (organ: string) => groups.find(({ group }) => group.startsWith(organ));
  const known = PAPER_ORGANS.rows.map(({ organ, ours, llavaMed }) => {
    const group = groupOf(organ);
    return {
      location: organ,
      "paper's model": shareText(ours),
      "LLaVA-Med (paper's)": shareText(llavaMed),
      ours: group ? percentText(group.byImage) : null,
      "our questions": group?.items ?? 0,
      "our images": group?.images ?? 0,
    };
  });
  const others = groups.filter((group) => !PAPER_ORGANS.rows.some(({ organ }) => groupOf(organ) === group));
  return [
    ...known,
    ...others.map(({ group, byImage, items, images }) => ({
      location: group,
      "paper's model": null,
      "LLaVA-Med (paper's)": null,
      ours: percentText(byImage),
      "our questions": items,
      "our images": images,
    })),
  ];
}
