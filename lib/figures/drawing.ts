import { INK, MUTED, plainText } from "./theme.ts";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  title: string;
  lines: string[];
  colour: string;
  /** Filled boxes are trained, outlined ones are frozen or are data. */
  filled?: boolean;
}

/** Arrow from one point to another. */
export type Arrow = [fromX: number, fromY: number, toX: number, toY: number];

/** Boxes and arrows in pixel-like units, y upwards. */
export function drawing(boxes: readonly Box[], arrows: readonly Arrow[]) {
  const shapes: unknown[] = [];
  const annotations: unknown[] = [];
  for (const { x, y, width, height, title, lines, colour, filled } of boxes) {
    shapes.push({
      type: "rect",
      x0: x,
      x1: x + width,
      y0: y,
      y1: y + height,
      line: { color: colour, width: 2 },
      fillcolor: filled ? colour + "33" : "#FFFFFF",
      layer: "below",
    });
    annotations.push({
      text: [
        `<b>${plainText(title)}</b>`,
        ...lines.map((line) => `<span style="font-size:11px">${plainText(line)}</span>`),
      ].join(
        "<br>",
      ),
      x: x + width / 2,
      y: y + height / 2,
      showarrow: false,
      font: { size: 13, color: INK },
      align: "center",
    });
  }
  for (const [fromX, fromY, toX, toY] of arrows) {
    annotations.push({
      x: toX,
      y: toY,
      ax: fromX,
      ay: fromY,
      xref: "x",
      yref: "y",
      axref: "x",
      ayref: "y",
      text: "",
      showarrow: true,
      arrowhead: 2,
      arrowsize: 1,
      arrowwidth: 1.8,
      arrowcolor: MUTED,
    });
  }
  return { shapes, annotations };
}

/** A whole number with thousands marked. */
export const count = (n: number): string => n.toLocaleString("en-US");
