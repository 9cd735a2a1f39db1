import type {
  CellAccuracy,
  CellOverlap,
  GroupAccuracy,
  JudgedAccuracy,
  PairedRow,
} from "../evaluation/mod.ts";
import { isOwn } from "../config/mod.ts";
import { type AccuracyBar, accuracyFigure } from "./charts.ts";
import { PAPER_ACCURACY, PAPER_ORGANS, PAPER_OVERLAP, type PaperShare } from "./paper_values.ts";
import { type Cell, percentText } from "./tables.ts";
import type { Caption, PlotlySpec } from "./theme.ts";

/** Rows of table 1 in the paper's order, with what they are called here. */
const DATASETS = [
  ["slake", "SLAKE (stage 1)"],
  ["pmc_vqa", "PMC-VQA"],
  ["medpix2", "MedPix 2.0"],
  ["roco_v2", "ROCO"],
  ["roco_medpix", "ROCO + MedPix"],
] as const;

/** A row of the tables: what the paper says of it, if it is the paper's, and what of ours stands beside that. */
interface Entry {
  dataset: string;
  name: string;
  paper: Partial<Record<"withoutStage1" | "withStage1" | "llavaMed", number | PaperShare | null>>;
}

/** The paper's datasets, then the user's own among `cells`, with the model that was asked where theirs was not trained. */
function entriesOf(cells: readonly CellAccuracy[]): Entry[] {
  const own = new Map(cells.filter(({ testSet }) => isOwn(testSet)).map((cell) => [cell.testSet, cell]));
  return [
    ...DATASETS.map(([dataset, name]) => ({ dataset, name, paper: PAPER_ACCURACY[dataset] })),
    ...[...own].map(([dataset, { adapter }]) => ({
      dataset,
      name: `${dataset.replace("own_", "")} (your own${
        adapter?.startsWith("roco_medpix__") ? "; of ROCO + MedPix" : ""
      })`,
      paper: {},
    })),
  ];
}

const share = (value: number | PaperShare | null | undefined): number | null =>
  value === null || value === undefined ? null : typeof value === "number" ? value : value.correct / value.of;
const shareText = (value: number | PaperShare | null | undefined): string | null =>
  value === null || value === undefined
    ? null
    : typeof value === "number"
    ? `${(100 * value).toFixed(1)}%`
    : `${value.correct}/${value.of}`;
const find = (cells: readonly CellAccuracy[], name: string) => cells.find(({ cell }) => cell === name);
const text = (cell: CellAccuracy | undefined) => cell ? percentText(cell.byImage) : null;
const signed = (x: number) => `${x >= 0 ? "+" : "−"}${Math.abs(100 * x).toFixed(1)}`;

/** The cell without stage 1: for SLAKE, the base model. */
const without = (dataset: string) => dataset === "slake" ? "slake__base" : `${dataset}__without`;

/** Table 1: accuracy without and with stage 1, the paper's and ours; the last columns say whether ours differ. */
export function table1(cells: readonly CellAccuracy[], pairs: readonly PairedRow[]): Record<string, Cell>[] {
  return entriesOf(cells).map(({ dataset, name, paper }) => {
    const pair = pairs.find((p) => p.first === without(dataset) && p.second === `${dataset}__with`);
    return {
      dataset: name,
      "paper without": shareText(paper.withoutStage1),
      "paper with": shareText(paper.withStage1),
      "ours without": text(find(cells, without(dataset))),
      "ours with": text(find(cells, `${dataset}__with`)),
      "difference (points)": pair
        ? `${signed(pair.difference)} (${signed(pair.low)} to ${signed(pair.high)})`
        : null,
      "p (Holm)": pair ? (pair.pValue < 0.001 ? "< 0.001" : pair.pValue.toFixed(2)) : null,
    };
  });
}

/** The bars of table 1 as `accuracyFigure` takes them. */
export function table1Bars(cells: readonly CellAccuracy[]): AccuracyBar[] {
  return entriesOf(cells).flatMap(({ dataset, name: group, paper: { withStage1 } }): AccuracyBar[] => {
    const paper = share(withStage1);
    const bars: AccuracyBar[] = [];
    for (const [name, system] of [[without(dataset), "without stage 1"], [`${dataset}__with`, "with"]]) {
      const cell = find(cells, name);
      if (cell) {
        const { low, high } = cell.byImage;
        bars.push({ group, system: `ours, ${system}`, accuracy: cell.accuracy, low, high, from: "ours" });
      }
    }
    if (paper !== null) {
      bars.push({ group, system: "paper, with", accuracy: paper, low: null, high: null, from: "paper" });
    }
    return bars;
  });
}

/** Table 1 as bars with their intervals. */
export function table1Figure(cells: readonly CellAccuracy[], caption: Caption): PlotlySpec {
  return accuracyFigure(table1Bars(cells), caption);
}

/** Datasets of the paper's table 4. */
const PAPER_DATASETS = ["medpix2", "roco_v2", "roco_medpix"] as const;
type Overlap = Record<"rouge1" | "rouge2" | "rougeL" | "bleu", number>;

/** Table 4: word overlap without stage 1, the paper's (scored on prompt plus answer), ours, and copying the question. */
export function table4(overlaps: readonly CellOverlap[]): Record<string, Cell>[] {
  const own = overlaps.map(({ cell }) => cell).filter((cell) => isOwn(cell) && cell.endsWith("__without"));
  const datasets = [...PAPER_DATASETS, ...own.map((cell) => cell.replace("__without", ""))];
  return datasets.flatMap((dataset): Record<string, Cell>[] => {
    const paper = PAPER_DATASETS.find((name) => name === dataset);
    const ours = overlaps.find(({ cell }) => cell === `${dataset}__without`);
    const line = (who: string, scores: Overlap) => ({
      dataset,
      answers: who,
      "ROUGE-1": scores.rouge1,
      "ROUGE-2": scores.rouge2,
      "ROUGE-L": scores.rougeL,
      BLEU: scores.bleu,
    });
    return [
      ...(paper ? [line("paper's (prompt plus answer)", PAPER_OVERLAP[paper])] : []),
      ...(ours
        ? [
          line(`ours, answer only (${ours.items} items)`, ours.answers),
          line("ours, question copied", ours.copy),
        ]
        : []),
    ];
  });
}

/** Table 5: with stage 1, beside LLaVA-Med as the paper measured it. LLaVA-Med itself is not run here. */
export function table5(
  cells: readonly CellAccuracy[],
  judged: Readonly<Record<string, JudgedAccuracy>>,
): Record<string, Cell>[] {
  return entriesOf(cells).filter(({ dataset }) => dataset !== "slake").map(({ dataset, name, paper }) => {
    const judge = judged[`${dataset}__with`];
    return {
      dataset: name,
      "paper's model": shareText(paper.withStage1),
      "LLaVA-Med (paper's)": shareText(paper.llavaMed),
      "ours, exact match": text(find(cells, `${dataset}__with`)),
      "ours, by the stand-in judge": judge ? percentText(judge.byImage) : null,
    };
  });
}

/** Table 2: accuracy by MedPix location, the paper's and ours; locations that the paper does not report follow. */
export function table2(groups: readonly GroupAccuracy[]): Record<string, Cell>[] {
  const known = PAPER_ORGANS.rows.map(({ organ, ours, llavaMed }) => {
    const group = groups.find(({ group }) => group.startsWith(organ));
    return {
      location: organ,
      "paper's model": shareText(ours),
      "LLaVA-Med (paper's)": shareText(llavaMed),
      ours: group ? percentText(group.byImage) : null,
      "our questions": group?.items ?? 0,
      "our images": group?.images ?? 0,
    };
  });
  const others = groups.filter(({ group }) =>
    !PAPER_ORGANS.rows.some(({ organ }) => group.startsWith(organ))
  );
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
