import { visible } from "../jupyter/mod.ts";
import { BASELINES, type PointingGame } from "../saliency/mod.ts";
import type { Interval } from "../stats/mod.ts";
import { lineWidth } from "./fonts.ts";
import {
  axis,
  type Caption,
  COLOURS,
  GRID,
  INK,
  MUTED,
  plainText,
  type PlotlySpec,
  themedLayout,
} from "./theme.ts";

/** An estimate of `intervalsFigure`. */
export interface IntervalRow {
  /** The row. */
  label: string;
  /** The panel. */
  group: string;
  /** The colour. */
  kind: string;
  /** In the axis's unit. */
  interval: Interval;
}

/**
 * Estimates with their 95 % intervals: one panel for each group, beside each other, over the same rows, with a line at zero.
 *
 * @param unit what the axes call the estimates
 * @param ranges of the axes, by group, so that panels which are read beside each other have one; else each its own
 */
export function intervalsFigure(
  rows: readonly IntervalRow[],
  unit: string,
  caption: Caption,
  ranges: Readonly<Record<string, readonly [number, number]>> = {},
): PlotlySpec {
  const labels = [...new Set(rows.map(({ label }) => label))];
  const groups = [...new Set(rows.map(({ group }) => group))];
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  const panels = groups.map((group, g) => ({ group, n: g === 0 ? "" : String(g + 1) }));
  const data = panels.flatMap(({ group, n }, g) =>
    kinds.map((kind, k) => {
      const own = rows.filter((row) => row.group === group && row.kind === kind);
      return {
        type: "scatter",
        mode: "markers",
        name: plainText(kind),
        legendgroup: String(k),
        showlegend: g === 0,
        x: own.map(({ interval }) => interval.estimate),
        y: own.map(({ label }) => labels.indexOf(label)),
        hovertext: own.map(({ label }) => plainText(label)),
        marker: { color: COLOURS[k % COLOURS.length], size: 8, symbol: k === 0 ? "circle" : "square-open" },
        error_x: {
          type: "data",
          symmetric: false,
          array: own.map(({ interval }) => interval.high - interval.estimate),
          arrayminus: own.map(({ interval }) => interval.estimate - interval.low),
          color: COLOURS[k % COLOURS.length],
          thickness: 1.3,
          width: 3,
        },
        xaxis: `x${n}`,
        yaxis: "y",
      };
    })
  );
  const axes = panels.map(({ group, n }, g) => [
    `xaxis${n}`,
    axis(unit, {
      domain: [g / groups.length + (g > 0 ? 0.015 : 0), (g + 1) / groups.length],
      anchor: "y",
      zeroline: true,
      zerolinecolor: MUTED,
      ...(ranges[group] ? { range: ranges[group] } : {}),
    }),
  ]);
  const annotations = panels.map(({ group, n }) => ({
    text: `<b>${plainText(group)}</b>`,
    xref: `x${n} domain`,
    yref: "paper",
    x: 0.5,
    y: 1,
    yanchor: "top",
    showarrow: false,
    font: { size: 12, color: INK },
  }));
  const plotHeight = 40 + 24 * labels.length,
    widest = Math.max(...labels.map((label) => lineWidth(visible(label), 12)));
  return {
    data,
    layout: themedLayout(caption, { width: 960, plotHeight }, kinds, {
      ...Object.fromEntries(axes),
      yaxis: {
        domain: [0, 1 - 26 / plotHeight],
        range: [labels.length - 0.5, -0.5],
        tickmode: "array",
        tickvals: labels.map((_, i) => i),
        ticktext: labels.map(plainText),
        tickfont: { size: 12, color: INK },
        gridcolor: GRID,
        zeroline: false,
      },
      annotations,
      margin: { l: 24 + Math.min(360, Math.ceil(widest)) },
    }),
  };
}

/** The pointing game in percent: maps and baselines over each other, types of questions beside each other, and the mass of all. */
export function pointingFigure(games: readonly PointingGame[], caption: Caption): PlotlySpec {
  const row = ({ map }: PointingGame, group: string, { estimate, low, high }: Interval): IntervalRow => ({
    label: map,
    group,
    kind: map in BASELINES ? "baseline" : "map",
    interval: { estimate: 100 * estimate, low: 100 * low, high: 100 * high },
  });
  const pointing = games.map((game) => row(game, game.question, game.pointing));
  const mass = games.filter(({ question }) => question === "all").map((game) =>
    row(game, "mass, all", game.mass)
  );
  const shares = Object.fromEntries(pointing.map(({ group }) => [group, [0, 102]] as const));
  return intervalsFigure([...pointing, ...mass], "Percent", caption, shares);
}
