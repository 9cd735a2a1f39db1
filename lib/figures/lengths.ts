import { type LengthSpread, MEASURES } from "../corpus/mod.ts";
import { axis, type Caption, COLOURS, INK, plainText, type PlotlySpec, themedLayout } from "./theme.ts";

/**
 * How long questions, answers and captions and how large images are: a panel a measure, a box a data set (median, the
 * middle half, and whiskers from 5% to 95%). Measures that no data set has are left out.
 */
export function lengthsFigure(spreads: readonly LengthSpread[], caption: Caption): PlotlySpec {
  const datasets = [...new Set(spreads.map(({ dataset }) => dataset))];
  const panels = MEASURES.map((measure) => spreads.filter((spread) => spread.measure === measure))
    .filter((panel) => panel.length > 0);
  const gap = 0.03, width = (1 - gap * (panels.length - 1)) / panels.length;
  const drawn = panels.map((panel, i) => {
    const n = i === 0 ? "" : String(i + 1), from = i * (width + gap);
    const high = Math.max(...panel.map(({ points }) => points[4]));
    return {
      data: panel.map(({ dataset, points: [low, q1, median, q3, high] }) => ({
        type: "box",
        orientation: "h",
        y: [plainText(dataset)],
        lowerfence: [low],
        q1: [q1],
        median: [median],
        q3: [q3],
        upperfence: [high],
        width: 0.5,
        line: { color: COLOURS[datasets.indexOf(dataset) % COLOURS.length], width: 2 },
        xaxis: `x${n}`,
        yaxis: `y${n}`,
        showlegend: false,
      })),
      axes: {
        [`xaxis${n}`]: axis(panel[0].unit, {
          domain: [from, from + width],
          anchor: `y${n}`,
          range: [0, 1.06 * high],
          nticks: 4,
        }),
        [`yaxis${n}`]: axis(null, {
          anchor: `x${n}`,
          type: "category",
          categoryorder: "array",
          categoryarray: datasets.map(plainText),
          range: [datasets.length - 0.5, -0.5], // first on top
          showgrid: false,
          showticklabels: i === 0,
        }),
      },
      heading: {
        text: `<b>${plainText(panel[0].measure)}</b>`,
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
  const subtitle = caption.subtitle ?? "Line: median; box: middle half; whiskers: 5% to 95%";
  const size = { width: 960, plotHeight: 40 + 44 * datasets.length };
  return {
    data: drawn.flatMap(({ data }) => data),
    layout: themedLayout({ ...caption, subtitle }, size, [], {
      ...Object.assign({}, ...drawn.map(({ axes }) => axes)),
      annotations: drawn.map(({ heading }) => heading),
      margin: { l: 90, t: 34 },
    }),
  };
}
