import {
  axis,
  type Caption,
  COLOURS,
  INK,
  plainText,
  type PlotlySpec,
  themedLayout,
  wrapText,
} from "./theme.ts";

/** Counts per concept, one panel per dataset (figure 3). Horizontal bars, largest first. */
export function conceptCountsFigure(
  panels: readonly { dataset: string; unit: string; counts: readonly { concept: string; count: number }[] }[],
  caption: Caption,
  limit = 11,
): PlotlySpec {
  const across = Math.min(2, panels.length);
  const down = Math.ceil(panels.length / across);
  const width = across === 1 ? 620 : 960;
  const [gapX, gapY] = [0.24, 0.3 / down];
  const data: Record<string, unknown>[] = [];
  const layout: Record<string, unknown> = {};
  const annotations: unknown[] = [];
  panels.forEach(({ dataset, unit, counts }, i) => {
    const top = [...counts].sort((a, b) => b.count - a.count).slice(0, limit).reverse();
    const n = i === 0 ? "" : String(i + 1);
    const [column, row] = [i % across, Math.floor(i / across)];
    const w = (1 - gapX * (across - 1)) / across;
    const h = (1 - gapY * (down - 1)) / down;
    const x0 = column * (w + gapX);
    const y1 = 1 - row * (h + gapY);
    const labels = top.map((c) =>
      plainText(c.concept.length > 24 ? `${c.concept.slice(0, 23)}…` : c.concept)
    );
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

/** Figure 4: images per location with the threshold, and what each later filter leaves. */
export function curationFigure(
  locations: readonly { location: string; images: number; kept: boolean }[],
  steps: readonly { step: string; count: number; unit: string }[],
  minImages: number,
  caption: Caption,
): PlotlySpec {
  const sorted = [...locations].sort((a, b) => a.images - b.images);
  const most = Math.max(...sorted.map((l) => l.images));
  const funnelTop = Math.max(...steps.map((s) => s.count));
  const reversed = [...steps].reverse();
  return {
    data: [
      {
        type: "bar",
        orientation: "h",
        y: sorted.map((l) => plainText(l.location)),
        x: sorted.map((l) => l.images),
        text: sorted.map((l) => l.images.toLocaleString("en-US")),
        textposition: "outside",
        cliponaxis: false,
        marker: { color: sorted.map((l) => (l.kept ? COLOURS[0] : "#C5CBD1")) },
        showlegend: false,
      },
      {
        type: "bar",
        orientation: "h",
        y: reversed.map((s) => wrapText(s.step, 20)),
        x: reversed.map((s) => s.count),
        text: reversed.map((s) => `${s.count.toLocaleString("en-US")} ${s.unit}`),
        textposition: reversed.map((s) => (s.count > 0.45 * funnelTop ? "inside" : "outside")),
        insidetextanchor: "end",
        cliponaxis: false,
        marker: { color: COLOURS[2] },
        xaxis: "x2",
        yaxis: "y2",
        showlegend: false,
      },
    ],
    layout: themedLayout(caption, { width: 960, plotHeight: 340 }, [], {
      xaxis: axis("Images", { domain: [0, 0.36], range: [0, most * 1.18], nticks: 5 }),
      yaxis: axis(null, { showgrid: false }),
      xaxis2: axis("Left after each filter", {
        domain: [0.58, 1],
        anchor: "y2",
        range: [0, funnelTop * 1.02],
        nticks: 5,
      }),
      yaxis2: axis(null, { anchor: "x2", showgrid: false }),
      annotations: [{
        text: `kept: at least ${minImages.toLocaleString("en-US")} images`,
        xref: "x domain",
        yref: "y domain",
        x: 1,
        y: 0.04,
        xanchor: "right",
        yanchor: "bottom",
        showarrow: false,
        font: { size: 12, color: COLOURS[0] },
      }],
      margin: { l: 150 },
    }),
  };
}
