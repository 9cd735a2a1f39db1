import { cellTitle, datasetTitle } from "../config/mod.ts";
import { type CurveRow, PAPER_LOSS_CLOSED, PAPER_LOSS_OPEN, validated } from "../report/mod.ts";
import { lossCurvesFigure, type Series } from "./charts.ts";
import type { Caption, PlotlySpec } from "./theme.ts";

/** Validation loss by epoch of one cell ("roco_v2__with"). */
function validationSeries(curves: readonly CurveRow[], cell: string): Series {
  return {
    name: cellTitle(cell),
    points: validated(curves, cell).map((row) => [row.epoch, row.validationLoss] as const),
    from: "ours",
    colourKey: cell,
  };
}

/** The paper's curves of these datasets. */
export function paperCurves(datasets: readonly string[]): Series[] {
  return datasets.flatMap((dataset): Series[] => {
    const name = `${datasetTitle(dataset)}, paper`, colourKey = `${dataset}__with`;
    if (dataset in PAPER_LOSS_OPEN) {
      const losses = PAPER_LOSS_OPEN[dataset as "medpix2"];
      return [{ name, points: losses.map((loss, i) => [i + 1, loss] as const), from: "paper", colourKey }];
    }
    if (dataset in PAPER_LOSS_CLOSED) {
      const measured = dataset === "mimic_cxr" ? `${name} (training loss)` : name;
      return [{ name: measured, points: PAPER_LOSS_CLOSED[dataset as "pmc_vqa"], from: "paper", colourKey }];
    }
    return [];
  });
}

/** Figure 5a or 5b: our validation losses with and without stage 1, and the paper's curves of the same datasets. */
export function stage2Figure(
  curves: readonly CurveRow[],
  datasets: readonly string[],
  caption: Caption,
): PlotlySpec {
  const cells = new Set(curves.map((row) => row.cell));
  const ours = datasets.flatMap((dataset) => [`${dataset}__with`, `${dataset}__without`]).filter((c) =>
    cells.has(c)
  );
  return lossCurvesFigure(
    [...ours.map((cell) => validationSeries(curves, cell)), ...paperCurves(datasets)],
    caption,
  );
}
