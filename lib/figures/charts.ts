import { type ScalingFit, scalingLoss, type ScalingPoint } from "../stats/mod.ts";
import { axis, type Caption, COLOURS, INK, plainText, type PlotlySpec, themedLayout } from "./theme.ts";
import { type AccuracyBar, type CellAccuracy, table1Bars } from "../report/mod.ts";

const SIZE = { width: 760, plotHeight: 300 };
const count = (n: number) => n.toLocaleString("en-US");

/** One line of a chart. */
export interface Series {
  /** What the legend says. */
  name: string;
  /** Where the line goes. */
  points: readonly (readonly [x: number, y: number])[];
  /** Numbers of the paper, or of a formula, are dashed; those that were measured here solid. */
  from: "paper" | "ours";
  /** Series with the same key share a colour (the paper's and our curve of one dataset); by default the name. */
  colourKey?: string;
}

/** A logarithmic axis with ticks at powers of two. */
function doublings(values: readonly number[]): Record<string, unknown> {
  const powers = values.filter((value) => value > 0).map(Math.log2);
  const [low, high] = [Math.floor(Math.min(...powers)), Math.ceil(Math.max(...powers))];
  const step = Math.max(1, Math.ceil((high - low) / 8));
  const tickvals = Array.from(
    { length: Math.floor((high - low) / step) + 1 },
    (_, i) => 2 ** (low + i * step),
  );
  return { type: "log", tickvals, ticktext: tickvals.map(String) };
}

/**
 * Lines over a common axis: losses, mixing ratios, deletion curves, throughput.
 *
 * @param axes titles with units; `log` makes both logarithmic
 *
 * @example A loss by step, as SVG
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { linesFigure, renderSvg } from "@lib/figures/mod.ts";
 *
 * const series = [{ name: "stage 1", points: [[0, 3], [100, 1]], from: "ours" }] as const;
 * const spec = linesFigure(series, { x: "step", y: "loss (nats)" }, { title: "Loss", provenance: "seed 7" });
 * assertStringIncludes(await renderSvg(spec), "loss (nats)");
 * ```
 */
export function linesFigure(
  series: readonly Series[],
  axes: { x: string; y: string; log?: boolean },
  caption: Caption,
): PlotlySpec {
  const all = series.flatMap(({ points }) => points);
  const scale = (values: number[]) => axes.log ? doublings(values) : {};
  const keys = [...new Set(series.map((s) => s.colourKey ?? s.name))];
  const data: Record<string, unknown>[] = [];
  for (const { name, points, from, colourKey } of series) {
    const colour = COLOURS[keys.indexOf(colourKey ?? name) % COLOURS.length];
    const x = points.map((p) => p[0]);
    data.push({
      type: "scatter",
      mode: points.length > 60 ? "lines" : "lines+markers",
      name: plainText(name),
      x,
      y: points.map((p) => p[1]),
      line: { color: colour, width: from === "paper" ? 1.5 : 2.5, dash: from === "paper" ? "dash" : "solid" },
      marker: {
        color: colour,
        size: from === "paper" ? 6 : 7,
        symbol: from === "paper" ? "circle-open" : "circle",
      },
    });
  }
  return {
    data,
    layout: themedLayout(caption, SIZE, series.map((s) => s.name), {
      xaxis: axis(axes.x, scale(all.map(([x]) => x))),
      yaxis: axis(axes.y, scale(all.map(([, y]) => y))),
    }),
  };
}

/** Figures 5a and 5b: evaluation loss by epoch, the paper's curves dashed beside ours. */
export function lossCurvesFigure(series: readonly Series[], caption: Caption): PlotlySpec {
  return linesFigure(series, { x: "Epoch", y: "Evaluation loss (nats per answer token)" }, caption);
}

/**
 * Accuracies, or other shares, with 95% intervals, grouped (tables 1, 2 and 5); the paper's bars are hatched.
 *
 * @param measure what the axis calls them
 */
export function accuracyFigure(
  bars: readonly AccuracyBar[],
  caption: Caption,
  measure = "Accuracy",
): PlotlySpec {
  const groups = [...new Set(bars.map((b) => b.group))];
  const systems = [...new Set(bars.map((b) => b.system))];
  const percent = (value: number) => 100 * value;
  const data = systems.map((system, s) => {
    const own = groups.map((group) => bars.find((b) => b.group === group && b.system === system));
    const colour = COLOURS[s % COLOURS.length];
    const paper = own.some((b) => b?.from === "paper");
    return {
      type: "bar",
      name: plainText(system),
      x: groups.map((group) => plainText(group)),
      y: own.map((b) => (b ? percent(b.accuracy) : null)),
      text: own.map((b) => (b ? percent(b.accuracy).toFixed(0) : "")),
      textposition: "inside",
      insidetextanchor: "start",
      textfont: { color: paper ? INK : "#FFFFFF", size: 11 },
      textangle: 0,
      cliponaxis: false,
      marker: {
        color: paper ? "#FFFFFF" : colour,
        line: { color: colour, width: 1.5 },
        ...(paper ? { pattern: { shape: "/", fgcolor: colour + "66", size: 7, solidity: 0.25 } } : {}),
      },
      error_y: {
        type: "data",
        visible: own.some((b) => b?.low != null),
        symmetric: false,
        array: own.map((b) => (b?.high == null ? null : percent(b.high - b.accuracy))),
        arrayminus: own.map((b) => (b?.low == null ? null : percent(b.accuracy - b.low))),
        color: INK,
        thickness: 1.3,
        width: 4,
      },
    };
  });
  return {
    data,
    layout: themedLayout(caption, SIZE, systems, {
      barmode: "group",
      bargap: 0.25,
      xaxis: axis(null, { showgrid: false }),
      yaxis: axis(`${measure} (%), 95% interval`, { range: [0, 104], dtick: 20 }),
    }),
  };
}

/** Measured losses and the fitted law (equation 1), one curve per number of trainable parameters. */
export function scalingFigure(
  points: readonly ScalingPoint[],
  fit: ScalingFit,
  caption: Caption,
): PlotlySpec {
  const sizes = [...new Set(points.map((p) => p.parameters))].sort((a, b) => a - b);
  const tokens = points.map((p) => p.tokens);
  const [low, high] = [Math.min(...tokens), Math.max(...tokens)];
  const grid = Array.from({ length: 41 }, (_, i) => low * (high / low) ** (i / 40));
  const data = sizes.flatMap((size, s) => {
    const colour = COLOURS[s % COLOURS.length];
    const own = points.filter((p) => p.parameters === size);
    const name = `${count(size)} parameters`;
    return [
      {
        type: "scatter",
        mode: "markers",
        name,
        x: own.map((p) => p.tokens),
        y: own.map((p) => p.loss),
        marker: { color: colour, size: 8 },
      },
      {
        type: "scatter",
        mode: "lines",
        name: `${name}, law`,
        showlegend: false,
        x: grid,
        y: grid.map((d) => scalingLoss(fit.law, size, d)),
        line: { color: colour, width: 1.5, dash: "dot" },
      },
    ];
  });
  return {
    data,
    layout: themedLayout(caption, SIZE, sizes.map((size) => `${count(size)} parameters`), {
      xaxis: axis("Training tokens D", { type: "log", exponentformat: "power", dtick: 1 }),
      yaxis: axis("Evaluation loss (nats per answer token)"),
    }),
  };
}

/** Table 1 as bars with their intervals. */
export function table1Figure(cells: readonly CellAccuracy[], caption: Caption): PlotlySpec {
  return accuracyFigure(table1Bars(cells), caption);
}
