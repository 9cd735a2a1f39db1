import { type CellAccuracy, paperEntries, shareOf, withoutStage1 } from "../report/mod.ts";
import { type AccuracyBar, accuracyFigure } from "./charts.ts";
import type { Caption, PlotlySpec } from "./theme.ts";

/** The bars of table 1 as `accuracyFigure` takes them. */
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

/** Table 1 as bars with their intervals. */
export function table1Figure(cells: readonly CellAccuracy[], caption: Caption): PlotlySpec {
  return accuracyFigure(table1Bars(cells), caption);
}
