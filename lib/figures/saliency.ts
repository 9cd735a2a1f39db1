import { encodeBase64 } from "./bundle.ts";
import { encodePng, type RgbImage } from "../image/mod.ts";
import {
  type AnswerCaption,
  COLOURS,
  hiddenAxis,
  INK,
  plainText,
  type PlotlySpec,
  themedLayout,
} from "./theme.ts";

/** A map over an image's patches with the words above it. */
export interface SaliencyPanel {
  /** Heading of the panel. */
  title: string;
  /** [rows * columns]; null shows the image alone. */
  map: Float32Array | null;
  /** Patches from top to bottom. */
  rows: number;
  /** Patches from left to right. */
  columns: number;
}

/** The image alone, then one panel for each map over its patches. */
export function mapPanels(
  maps: readonly { title: string; map: Float32Array }[],
  { rows, columns }: { rows: number; columns: number },
  imageTitle = "image",
): SaliencyPanel[] {
  return [{ title: imageTitle, map: null }, ...maps].map((panel) => ({ ...panel, rows, columns }));
}

/** CSS pixels of the colour bar with its words, and of a whole figure: beside the file browser on a screen of 1,366. */
const BAR = 76, WIDTH = 908;

/** From transparent over yellow to dark red: strong patches stay readable on dark and light images alike. */
const OVERLAY = [
  [0, "rgba(255,237,160,0)"],
  [0.35, "rgba(254,217,118,0.45)"],
  [0.7, "rgba(253,141,60,0.65)"],
  [1, "rgba(177,0,38,0.8)"],
] as const;

/** Every map is scaled to its own maximum, so one bar tells of all panels. */
const COLOUR_BAR = {
  title: { text: "Share of the map's maximum", side: "right", font: { size: 11 } },
  tickvals: [0, 0.5, 1],
  tickfont: { size: 11 },
  thickness: 12,
  len: 0.9,
  outlinewidth: 0,
} as const;

/**
 * Figure 7: one image several times, each with a map over it; every panel is scaled to its own maximum.
 *
 * @param mask lesion outline [height * width of the image], drawn where given.
 */
export async function saliencyFigure(
  image: RgbImage,
  panels: readonly SaliencyPanel[],
  caption: AnswerCaption,
  mask: Uint8Array | null = null,
): Promise<PlotlySpec> {
  const across = Math.min(4, panels.length);
  const down = Math.ceil(panels.length / across);
  const withBar = panels.findLastIndex(({ map }) => map !== null), bar = withBar < 0 ? 16 : BAR;
  const side = Math.min(300, Math.floor((WIDTH - 16 - bar) / across) - 16);
  const width = Math.max(520, across * (side + 16) + 16 + bar);
  const source = `data:image/png;base64,${encodeBase64(await encodePng(image))}`;
  const data: Record<string, unknown>[] = [];
  const layout: Record<string, unknown> = {};
  const images: unknown[] = [];
  const annotations: unknown[] = [];
  const [cellX, cellY] = [1 / across, 1 / down];
  panels.forEach(({ title, map, rows, columns }, i) => {
    const n = i === 0 ? "" : String(i + 1);
    const [column, row] = [i % across, Math.floor(i / across)];
    const domain = {
      x: [column * cellX + 0.01, (column + 1) * cellX - 0.01],
      y: [1 - (row + 1) * cellY + 0.01, 1 - row * cellY - 0.1 / down],
    };
    layout[`xaxis${n}`] = hiddenAxis([0, image.width], {
      domain: domain.x,
      anchor: `y${n}`,
      constrain: "domain",
    });
    layout[`yaxis${n}`] = hiddenAxis([image.height, 0], {
      domain: domain.y,
      anchor: `x${n}`,
      scaleanchor: `x${n}`,
      constrain: "domain",
    });
    images.push({
      source,
      xref: `x${n}`,
      yref: `y${n}`,
      x: 0,
      y: 0,
      sizex: image.width,
      sizey: image.height,
      sizing: "stretch",
      layer: "below",
    });
    annotations.push({
      text: plainText(title),
      xref: `x${n} domain`,
      yref: `y${n} domain`,
      x: 0.5,
      y: 1,
      yanchor: "bottom",
      yshift: 3,
      showarrow: false,
      font: { size: 12, color: INK },
    });
    const [w, h] = [image.width / columns, image.height / rows];
    const rowsOf = (weights: Float32Array) =>
      Array.from({ length: rows }, (_, r) => [...weights.subarray(r * columns, (r + 1) * columns)]);
    const weights = map ?? new Float32Array(rows * columns), most = Math.max(...weights) || 1;
    data.push({
      type: "heatmap",
      x0: w / 2,
      dx: w,
      y0: h / 2,
      dy: h,
      z: rowsOf(weights.map((weight) => weight / most)),
      customdata: rowsOf(weights),
      zmin: 0,
      zmax: 1,
      colorscale: OVERLAY,
      ...(i === withBar ? { colorbar: COLOUR_BAR } : { showscale: false }),
      xaxis: `x${n}`,
      yaxis: `y${n}`,
      hovertemplate: "weight %{customdata:.4f}<extra></extra>",
    });
    if (mask) data.push(outline(mask, image, n));
  });
  return {
    data,
    layout: themedLayout(caption, { width, plotHeight: down * (side + 36) }, [], {
      ...layout,
      images,
      annotations,
      margin: { l: 16, r: bar, b: 16 },
    }),
  };
}

/** The border of a mask along pixel edges, as one line trace. */
function outline(mask: Uint8Array, { width, height }: RgbImage, n: string): Record<string, unknown> {
  const inside = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] > 0;
  const x: (number | null)[] = [];
  const y: (number | null)[] = [];
  for (let row = 0; row <= height; row++) {
    for (let column = 0; column <= width; column++) {
      if (inside(column, row) !== inside(column, row - 1)) {
        x.push(column, column + 1, null);
        y.push(row, row, null);
      }
      if (inside(column, row) !== inside(column - 1, row)) {
        x.push(column, column, null);
        y.push(row, row + 1, null);
      }
    }
  }
  return {
    type: "scatter",
    mode: "lines",
    x,
    y,
    line: { color: COLOURS[5], width: 2 },
    hoverinfo: "skip",
    xaxis: `x${n}`,
    yaxis: `y${n}`,
  };
}

/**
 * Image to response: how one patch's weight is shared between the answer's tokens, each reading scaled to sum 1 (one that is
 * zero everywhere stays so).
 */
export function tokenSaliencyFigure(
  tokens: readonly string[],
  readings: Readonly<Record<string, Float32Array>>,
  caption: AnswerCaption,
): PlotlySpec {
  const names = Object.keys(readings);
  return {
    data: names.map((name, i) => {
      const total = readings[name].reduce((sum, weight) => sum + weight, 0) || 1;
      return {
        type: "bar",
        name: plainText(name),
        x: tokens.map((_, i) => i),
        y: Array.from(readings[name], (weight) => weight / total),
        marker: { color: COLOURS[i] },
        hovertext: tokens.map(plainText),
      };
    }),
    layout: themedLayout(caption, { width: 760, plotHeight: 220 }, names, {
      xaxis: {
        title: { text: "Answer token", standoff: 10 },
        tickmode: "array",
        tickvals: tokens.map((_, i) => i),
        ticktext: tokens.map(plainText),
      },
      yaxis: {
        title: { text: "Share of the patch's weight", standoff: 10 },
        rangemode: "tozero",
        gridcolor: "#E6E8EB",
      },
    }),
  };
}
