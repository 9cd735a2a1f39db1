import { escapeHtml, oneLine, visible } from "../jupyter/mod.ts";
import { lineWidth } from "./fonts.ts";

/** A plotly figure: traces and layout, as plotly.js takes them. */
export interface PlotlySpec {
  /** Traces. */
  data: Record<string, unknown>[];
  /** Axes, titles and sizes in pixels. */
  layout: Record<string, unknown>;
}

/** What every figure says about itself. */
export interface Caption {
  /** What is shown. */
  title: string;
  /** Second, smaller line: the question that the figure answers, or its finding. */
  subtitle?: string;
  /** What the card of the model tells its users (`ModelCard`). Printed below the figure. */
  notice?: string | null;
  /** Where the numbers come from: data, config hash, seed, commit, date, device. Printed below the figure. */
  provenance: string;
}

/** The caption of a figure that shows answers or attention of a model: none without the card's notice, if it has one. */
export type AnswerCaption = Caption & { notice: string | null };

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

/** Text from data, so that plotly shows it as it is: no tags, no `%{variables}` in it. */
export function plainText(text: string): string {
  return escapeHtml(text).replaceAll("%{", "&#37;{");
}

/** The first letters of a text that is longer than `most`. */
export function shortened(text: string, most: number): string {
  const letters = [...oneLine(text)];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
}

/**
 * A figure on its way out. Its texts come from `plainText`; should one not, it still ends no picture, hides nothing,
 * links nowhere and is not LaTeX.
 */
export function tameSpec(spec: PlotlySpec): PlotlySpec {
  const tame = (value: unknown): unknown => {
    if (typeof value === "string") {
      return value.startsWith("data:image/")
        ? value
        : visible(value).replace(/<(?=\s*\/?\s*a\b)|\$/gi, (c) => `&#${c.charCodeAt(0)};`);
    }
    if (Array.isArray(value)) return value.map(tame);
    if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, tame(of)]));
  };
  return { ...spec, data: tame(spec.data), layout: tame(spec.layout) } as PlotlySpec;
}

/**
 * Breaks text into lines for titles and labels, between words where it can.
 *
 * @param width of a line at most, in characters or in what `widthOf` measures.
 */
export function wrapText(text: string, width: number, widthOf = (line: string) => line.length): string {
  const lines: string[] = [""];
  for (const word of visible(text).split(/\s+/)) {
    const last = lines[lines.length - 1], longer = last === "" ? word : `${last} ${word}`;
    if (widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else {
      if (last !== "") lines.push("");
      for (const letter of word) {
        const part = lines[lines.length - 1];
        if (part !== "" && widthOf(part + letter) > width) lines.push(letter);
        else lines[lines.length - 1] = part + letter;
      }
    }
  }
  return lines.map(plainText).join("<br>");
}

/** An axis with a readable title (null: its labels say all) and a light grid. */
export function axis(title: string | null, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...(title === null
      ? {}
      : { title: { text: plainText(title), font: { size: 13, color: INK }, standoff: 10 } }),
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

/** Pixels between the caption and the sides of the figure. */
const EDGE = 14;

/** Text in a corner of the figure, outside the axes. */
function corner(side: "top" | "bottom", room: Record<string, number>, text: Record<string, unknown>) {
  return {
    xref: "paper",
    yref: "paper",
    x: 0,
    y: side === "top" ? 1 : 0,
    xanchor: "left",
    yanchor: side,
    xshift: EDGE - room.l,
    yshift: side === "top" ? room.t - 10 : 8 - room.b,
    align: "left",
    showarrow: false,
    ...text,
  };
}

/**
 * The one layout of all figures: title left, legend under it, notice and provenance below, room for all.
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
  const fitted = (text: string, size: number, bold = false) =>
    wrapText(text, width - 2 * EDGE, (line) => lineWidth(line, size, bold));
  const title = fitted(caption.title, 16, true);
  const subtitle = caption.subtitle ? fitted(caption.subtitle, 12) : "";
  const notice = caption.notice ? fitted(`Note: ${caption.notice}`, 11).replace("Note:", "<b>Note:</b>") : "";
  const provenance = fitted(caption.provenance, 10);
  const lines = (text: string) => (text === "" ? 0 : text.split("<br>").length);
  const { annotations = [], margin = {}, ...rest } = more as {
    annotations?: unknown[];
    margin?: Record<string, number>;
  };
  // Margins are fixed, because the line of provenance is placed by them.
  const room: Record<string, number> = { l: 72, r: 24, b: 60, ...margin };
  room.t = (margin.t ?? 14) + 14 + 21 * (lines(title) + lines(subtitle)) +
    legendHeight(legend, width - room.l - room.r);
  room.b += 8 + 14 * (lines(notice) + lines(provenance));
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
      corner("bottom", room, {
        text: [
          ...(notice ? [`<span style="color:${INK}">${notice}</span>`] : []),
          `<span style="font-size:10px">${provenance}</span>`,
        ].join("<br>"),
        font: { size: 11, color: MUTED },
      }),
    ],
    ...rest,
  };
}
