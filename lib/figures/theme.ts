/** A plotly figure: traces and layout, as plotly.js takes them. */
export interface PlotlySpec {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/** What every figure says about itself. */
export interface Caption {
  title: string;
  /** Second, smaller line: the question that the figure answers, or its finding. */
  subtitle?: string;
  /** Where the numbers come from: data, config hash, seed, commit, date, device. Printed below the figure. */
  provenance: string;
}

/** Colours that people with colour-blindness can tell apart (Okabe and Ito), strongest contrasts first. */
export const COLOURS = [
  "#0072B2",
  "#D55E00",
  "#009E73",
  "#CC79A7",
  "#E69F00",
  "#56B4E9",
  "#4D4D4D",
] as const;

export const INK = "#22272E";
export const MUTED = "#6A737D";
export const GRID = "#E6E8EB";

/** The font that ships and one with nearly the same widths, for browsers that lack it. */
export const FONT = '"DejaVu Sans", Verdana, sans-serif';

/** Text from data, so that plotly shows it as it is and never reads tags in it. */
export function plainText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Breaks text into lines of at most `width` characters (between words) for titles and labels. */
export function wrapText(text: string, width: number): string {
  const lines: string[] = [""];
  for (const word of text.split(/\s+/)) {
    const last = lines[lines.length - 1];
    if (last === "") lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map(plainText).join("<br>");
}

/** An axis with a readable title (null: its labels say all) and a light grid. */
export function axis(title: string | null, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...(title === null ? {} : { title: { text: title, font: { size: 13, color: INK }, standoff: 10 } }),
    tickfont: { size: 12, color: INK },
    gridcolor: GRID,
    linecolor: MUTED,
    zeroline: false,
    ...more,
  };
}

/** An axis that only carries positions: nothing of it is drawn. */
export function hiddenAxis(range: [number, number], more: Record<string, unknown> = {}) {
  return { range, visible: false, fixedrange: true, ...more };
}

/** Height in pixels of a horizontal legend with entries of these names, as plotly breaks it into rows. */
function legendHeight(names: readonly string[], width: number): number {
  if (names.length === 0) return 0;
  const widths = names.map((name) => 48 + 7.5 * name.length);
  const sum = widths.reduce((total, w) => total + w, 0);
  const perRow = sum <= width ? names.length : Math.max(1, Math.floor(width / Math.max(...widths)));
  return 14 + 20 * Math.ceil(names.length / perRow);
}

/** Text in a corner of the figure, outside the axes. */
function corner(side: "top" | "bottom", room: Record<string, number>, text: Record<string, unknown>) {
  return {
    xref: "paper",
    yref: "paper",
    x: 0,
    y: side === "top" ? 1 : 0,
    xanchor: "left",
    yanchor: side,
    xshift: 14 - room.l,
    yshift: side === "top" ? room.t - 10 : 8 - room.b,
    align: "left",
    showarrow: false,
    ...text,
  };
}

/**
 * The one layout of all figures: title left, legend under it, provenance below, room for all.
 *
 * @param size in pixels; `plotHeight` is that of the axes, the words add theirs.
 * @param legend names of the legend's entries; empty: no legend.
 */
export function themedLayout(
  caption: Caption,
  size: { width: number; plotHeight: number },
  legend: readonly string[],
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const { width, plotHeight } = size;
  const title = wrapText(caption.title, Math.floor(width / 10.5));
  const subtitle = caption.subtitle ? wrapText(caption.subtitle, Math.floor(width / 7.4)) : "";
  const provenance = wrapText(caption.provenance, Math.floor(width / 5.9));
  const lines = (text: string) => (text === "" ? 0 : text.split("<br>").length);
  const { annotations = [], margin = {}, ...rest } = more as {
    annotations?: unknown[];
    margin?: Record<string, number>;
  };
  // Margins are fixed, because the line of provenance is placed by them.
  const room: Record<string, number> = { l: 72, r: 24, b: 60, ...margin };
  room.t = (margin.t ?? 14) + 14 + 21 * (lines(title) + lines(subtitle)) +
    legendHeight(legend, width - room.l - room.r);
  room.b += 8 + 13 * lines(provenance);
  return {
    width,
    height: plotHeight + room.t + room.b,
    font: { family: FONT, size: 12, color: INK },
    colorway: [...COLOURS],
    paper_bgcolor: "#FFFFFF",
    plot_bgcolor: "#FFFFFF",
    margin: room,
    showlegend: legend.length > 0,
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", font: { size: 12 } },
    hoverlabel: { font: { family: FONT } },
    annotations: [
      ...annotations,
      // An annotation, because static renderers disagree on where a title of several lines belongs.
      corner("top", room, {
        text: [
          `<b>${title}</b>`,
          ...(subtitle ? [`<span style="font-size:12px;color:${MUTED}">${subtitle}</span>`] : []),
        ].join("<br>"),
        font: { size: 16, color: INK },
      }),
      corner("bottom", room, { text: provenance, font: { size: 10, color: MUTED } }),
    ],
    ...rest,
  };
}
