import { PAPER_CURATION } from "../report/mod.ts";
import {
  axis,
  type Caption,
  COLOURS,
  INK,
  plainText,
  type PlotlySpec,
  shortened,
  themedLayout,
  wrapText,
} from "./theme.ts";

/** Concepts shown of a dataset. */
const MOST_CONCEPTS = 11;

/** Counts per concept, one panel per dataset (figure 3). Horizontal bars, largest first. */
export function conceptCountsFigure(
  panels: readonly { dataset: string; unit: string; counts: readonly { concept: string; count: number }[] }[],
  caption: Caption,
): PlotlySpec {
  const across = Math.min(2, panels.length);
  const down = Math.ceil(panels.length / across);
  const width = across === 1 ? 620 : 960;
  const [gapX, gapY] = [0.24, 0.3 / down];
  const data: Record<string, unknown>[] = [];
  const layout: Record<string, unknown> = {};
  const annotations: unknown[] = [];
  panels.forEach(({ dataset, unit, counts }, i) => {
    const top = [...counts].sort((a, b) => b.count - a.count).slice(0, MOST_CONCEPTS).reverse();
    const n = i === 0 ? "" : String(i + 1);
    const [column, row] = [i % across, Math.floor(i / across)];
    const w = (1 - gapX * (across - 1)) / across;
    const h = (1 - gapY * (down - 1)) / down;
    const x0 = column * (w + gapX);
    const y1 = 1 - row * (h + gapY);
    const labels = top.map((c) => plainText(shortened(c.concept, 24)));
    data.push({
      type: "bar",
      orientation: "h",
      y: labels,
      x: top.map((c) => c.count),
      text: top.map((c) => c.count.toLocaleString("en-US")),
      textposition: "outside",
      textfont: { size: 11, color: INK },
      cliponaxis: false,
      marker: { color: COLOURS[i % COLOURS.length] },
      xaxis: `x${n}`,
      yaxis: `y${n}`,
      showlegend: false,
    });
    const most = Math.max(...top.map((c) => c.count), 1);
    layout[`xaxis${n}`] = axis(unit, {
      domain: [x0, x0 + w],
      anchor: `y${n}`,
      range: [0, most * 1.22],
      nticks: 5,
    });
    layout[`yaxis${n}`] = axis(null, {
      domain: [y1 - h, y1],
      anchor: `x${n}`,
      showgrid: false,
      type: "category",
    });
    annotations.push({
      text: `<b>${plainText(dataset)}</b>`,
      xref: "paper",
      yref: "paper",
      x: x0,
      y: y1,
      yanchor: "bottom",
      xanchor: "left",
      yshift: 4,
      showarrow: false,
      font: { size: 13, color: INK },
    });
  });
  return {
    data,
    layout: themedLayout(caption, { width, plotHeight: down * 310 - 60 }, [], {
      ...layout,
      annotations,
      margin: { l: 150, r: 30, t: 30 },
    }),
  };
}

/** One row of `curationFigure`. */
export interface CurationPanel {
  /** Heading, e.g. "Ours (phantoms)". */
  name: string;
  /** Locations with their images, and whether they are kept. */
  locations: readonly { location: string; images: number; kept: boolean }[];
  /** What is left after each filter; the first is what there was. */
  steps: readonly { step: string; count: number; unit: string }[];
  /** Images that a location needs. */
  minImages: number;
}

/** The paper's row of figure 4. It gives no counts for its filters by language model and by hand. */
export function paperCurationPanel(): CurationPanel {
  const { images, kept, minImages } = PAPER_CURATION;
  const locations = Object.entries(PAPER_CURATION.locations).map(([location, images]) => (
    { location, images, kept: images >= minImages }
  ));
  const steps = [["MedPix images", images], ["common location", kept]] as const;
  return {
    name: "The paper",
    locations,
    steps: steps.map(([step, count]) => ({ step, count, unit: "images" })),
    minImages,
  };
}

/** Figure 4: images per location with the threshold, and what each filter leaves; a row for each panel. */
export function curationFigure(panels: readonly CurationPanel[], caption: Caption): PlotlySpec {
  const gap = 0.3 / panels.length, height = (1 - gap * (panels.length - 1)) / panels.length;
  const rows = panels.map((panel, i) => {
    const top = 1 - i * (height + gap);
    return curationRow(panel, 2 * i + 1, [Math.max(0, top - height), top]);
  });
  return {
    data: rows.flatMap((row) => row.data),
    layout: themedLayout(caption, { width: 960, plotHeight: 330 * panels.length }, [], {
      ...Object.assign({}, ...rows.map((row) => row.axes)),
      annotations: rows.flatMap((row) => row.annotations),
      margin: { l: 150, t: 30 },
    }),
  };
}

/** Bars of one row on the axes `n` (locations) and `n + 1` (steps). */
function curationRow(
  { name, locations, steps, minImages }: CurationPanel,
  n: number,
  domain: [number, number],
) {
  const sorted = [...locations].sort((a, b) => a.images - b.images);
  const most = Math.max(...sorted.map((l) => l.images)), left = Math.max(...steps.map((s) => s.count));
  const reversed = [...steps].reverse();
  const ends = (which: number) => which === 1 ? "" : String(which);
  const bars = (which: number, more: Record<string, unknown>) => ({
    type: "bar",
    orientation: "h",
    cliponaxis: false,
    showlegend: false,
    xaxis: `x${ends(which)}`,
    yaxis: `y${ends(which)}`,
    ...more,
  });
  const data = [
    bars(n, {
      y: sorted.map((l) => plainText(l.location)),
      x: sorted.map((l) => l.images),
      text: sorted.map((l) => l.images.toLocaleString("en-US")),
      textposition: "outside",
      marker: { color: sorted.map((l) => (l.kept ? COLOURS[0] : "#C5CBD1")) },
    }),
    bars(n + 1, {
      y: reversed.map((s) => wrapText(s.step, 24)),
      x: reversed.map((s) => s.count),
      text: reversed.map((s) => `${s.count.toLocaleString("en-US")} ${plainText(s.unit)}`),
      textposition: reversed.map((s) => (s.count > 0.45 * left ? "inside" : "outside")),
      insidetextanchor: "end",
      marker: { color: COLOURS[2] },
    }),
  ];
  const axes = {
    [`xaxis${ends(n)}`]: axis("Images", {
      domain: [0, 0.36],
      anchor: `y${ends(n)}`,
      range: [0, most * 1.18],
      nticks: 5,
    }),
    [`yaxis${ends(n)}`]: axis(null, { domain, anchor: `x${ends(n)}`, showgrid: false }),
    [`xaxis${n + 1}`]: axis("Left after each filter", {
      domain: [0.58, 1],
      anchor: `y${n + 1}`,
      range: [0, left * 1.02],
      nticks: 5,
    }),
    [`yaxis${n + 1}`]: axis(null, { domain, anchor: `x${n + 1}`, showgrid: false }),
  };
  const annotations = [{
    text: `<b>${plainText(name)}</b>`,
    xref: "paper",
    yref: "paper",
    x: 0,
    y: domain[1],
    xanchor: "left",
    yanchor: "bottom",
    yshift: 4,
    showarrow: false,
    font: { size: 13, color: INK },
  }, {
    text: `kept: at least ${minImages.toLocaleString("en-US")} images`,
    xref: `x${ends(n)} domain`,
    yref: `y${ends(n)} domain`,
    x: 1,
    y: 0.04,
    xanchor: "right",
    yanchor: "bottom",
    showarrow: false,
    font: { size: 12, color: COLOURS[0] },
  }];
  return { data, axes, annotations };
}
