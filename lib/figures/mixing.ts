import type { ShareWindow } from "../annealing/mod.ts";
import { axis, type Caption, COLOURS, INK, plainText, type PlotlySpec, themedLayout } from "./theme.ts";

/** Shares of one schedule in windows of steps: what it asked for and what was drawn. */
export interface MixingPanel {
  /** Heading of the panel. */
  name: string;
  /** Shares of windows of steps: asked for and drawn. */
  windows: readonly ShareWindow[];
}

/** Share of enrichment pairs over training, a panel for each schedule: asked for as a line, drawn as points. */
export function mixingFigure(panels: readonly MixingPanel[], caption: Caption): PlotlySpec {
  const gap = 0.035, width = (1 - gap * (panels.length - 1)) / panels.length;
  const shares = panels.flatMap(({ windows }) => windows.flatMap((w) => [w.target, w.measured]));
  const top = Math.min(102, 110 * Math.max(...shares, 0.05));
  const rows = panels.map(({ name, windows }, i) => {
    const n = i === 0 ? "" : String(i + 1), from = i * (width + gap);
    const line = (more: Record<string, unknown>, share: (w: typeof windows[number]) => number) => ({
      type: "scatter",
      x: windows.map((w) => w.step),
      y: windows.map((w) => 100 * share(w)),
      xaxis: `x${n}`,
      yaxis: `y${n}`,
      showlegend: i === 0,
      ...more,
    });
    const asked = { mode: "lines", name: "asked for", line: { color: COLOURS[1], width: 1.5 } };
    const drawn = { mode: "markers", name: "drawn", marker: { color: COLOURS[0], size: 6 } };
    return {
      data: [line(asked, (w) => w.target), line(drawn, (w) => w.measured)],
      axes: {
        [`xaxis${n}`]: axis("Optimizer step", { domain: [from, from + width], anchor: `y${n}`, nticks: 5 }),
        [`yaxis${n}`]: axis(i === 0 ? "MedPix pairs in the mix (%)" : null, {
          anchor: `x${n}`,
          range: [0, top],
          showticklabels: i === 0,
        }),
      },
      heading: {
        text: `<b>${plainText(name)}</b>`,
        xref: "paper",
        yref: "paper",
        x: from,
        y: 1,
        xanchor: "left",
        yanchor: "bottom",
        yshift: 4,
        showarrow: false,
        font: { size: 13, color: INK },
      },
    };
  });
  return {
    data: rows.flatMap((row) => row.data),
    layout: themedLayout(caption, { width: 960, plotHeight: 240 }, ["asked for", "drawn"], {
      ...Object.assign({}, ...rows.map((row) => row.axes)),
      annotations: rows.map((row) => row.heading),
      // Above the headings of the panels.
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.1, yanchor: "bottom", font: { size: 12 } },
      margin: { t: 34 },
    }),
  };
}
