import { lineWidth } from "./fonts.ts";

/** As much of an SVG element as measuring needs. */
export interface SvgNode {
  nodeType: number;
  tagName: string;
  textContent: string | null;
  parentElement: SvgNode | null;
  children: Iterable<SvgNode>;
  childNodes: Iterable<SvgNode>;
  style?: { getPropertyValue(name: string): string };
  getAttribute(name: string): string | null;
}

/** A rectangle by its sides. */
interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** x' = a x + c y + e, y' = b x + d y + f. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

const IDENTITY: Matrix = [1, 0, 0, 1, 0, 0];
/** Parts of the font size above and below the line (DejaVu Sans). */
const [ASCENT, DESCENT] = [0.928, 0.236];

/** A property as SVG inherits it: style before attribute, the nearest ancestor that has it. */
function inherited(node: SvgNode, name: string): string {
  for (let at: SvgNode | null = node; at; at = at.parentElement) {
    const value = at.style?.getPropertyValue(name) || at.getAttribute(name);
    if (value) return value;
  }
  return "";
}

const fontSize = (node: SvgNode) => Number.parseFloat(inherited(node, "font-size")) || 12;

/** Width of the text of a node in pixels, in the font that it will be drawn with. */
export function textWidth(node: SvgNode): number {
  let width = 0;
  for (const child of node.childNodes) {
    if (child.nodeType === 3) {
      const bold = /bold|[6-9]00/.test(inherited(node, "font-weight"));
      width += lineWidth(child.textContent ?? "", fontSize(node), bold);
    } else if (child.nodeType === 1) width += textWidth(child);
  }
  return width;
}

function textBox(node: SvgNode): Box | null {
  if (!node.textContent) return null;
  const lines = [...node.children].filter((child) => child.getAttribute("class")?.includes("line"));
  const number = (at: SvgNode, name: string) => Number.parseFloat(at.getAttribute(name) ?? "");
  const anchor = inherited(node, "text-anchor");
  const size = fontSize(node);
  return union((lines.length > 0 ? lines : [node]).map((line) => {
    const width = textWidth(line);
    const x = number(line, "x") || number(node, "x") || 0;
    const shift = line.getAttribute("dy") ?? "";
    const y = (number(line, "y") || number(node, "y") || 0) +
      (Number.parseFloat(shift) || 0) * (shift.endsWith("em") ? size : 1);
    const left = anchor === "middle" ? x - width / 2 : anchor === "end" ? x - width : x;
    return { left, right: left + width, top: y - ASCENT * size, bottom: y + DESCENT * size };
  }));
}

/** Box of a path's corner points; curves count by their control points. */
function pathBox(d: string): Box | null {
  const points: [number, number][] = [];
  let [x, y] = [0, 0];
  for (const [, command, rest] of d.matchAll(/([a-zA-Z])([^a-zA-Z]*)/g)) {
    const numbers = (rest.match(/-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?/g) ?? []).map(Number);
    const relative = command >= "a";
    const kind = command.toUpperCase();
    const step = kind === "H" || kind === "V" ? 1 : kind === "A" ? 7 : 2;
    for (let i = 0; i + step <= numbers.length; i += step) {
      const from = relative ? [x, y] : [0, 0];
      if (kind === "H") x = from[0] + numbers[i];
      else if (kind === "V") y = from[1] + numbers[i];
      else [x, y] = [from[0] + numbers[i + step - 2], from[1] + numbers[i + step - 1]];
      points.push([x, y]);
    }
  }
  return points.length === 0 ? null : around(points);
}

function around(points: readonly (readonly [number, number])[]): Box {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

function union(boxes: readonly (Box | null)[]): Box | null {
  const real = boxes.filter((box) => box !== null);
  if (real.length === 0) return null;
  return around(real.flatMap((box) => [[box.left, box.top], [box.right, box.bottom]] as const));
}

function multiply(m: Matrix, n: Matrix): Matrix {
  return [
    m[0] * n[0] + m[2] * n[1],
    m[1] * n[0] + m[3] * n[1],
    m[0] * n[2] + m[2] * n[3],
    m[1] * n[2] + m[3] * n[3],
    m[0] * n[4] + m[2] * n[5] + m[4],
    m[1] * n[4] + m[3] * n[5] + m[5],
  ];
}

function transformOf(node: SvgNode): Matrix {
  let matrix = IDENTITY;
  for (const [, name, rest] of (node.getAttribute("transform") ?? "").matchAll(/(\w+)\s*\(([^)]*)\)/g)) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = rest.split(/[\s,]+/).map(Number);
    if (name === "translate") matrix = multiply(matrix, [1, 0, 0, 1, a, b]);
    if (name === "scale") matrix = multiply(matrix, [a, 0, 0, rest.trim().match(/[\s,]/) ? b : a, 0, 0]);
    if (name === "matrix") matrix = multiply(matrix, [a, b, c, d, e, f]);
    if (name === "rotate") {
      const [cos, sin] = [Math.cos((a * Math.PI) / 180), Math.sin((a * Math.PI) / 180)];
      const turn: Matrix = [cos, sin, -sin, cos, 0, 0];
      matrix = multiply(multiply(multiply(matrix, [1, 0, 0, 1, b, c]), turn), [1, 0, 0, 1, -b, -c]);
    }
  }
  return matrix;
}

function transformed(box: Box | null, [a, b, c, d, e, f]: Matrix): Box | null {
  if (!box) return null;
  const corners = [[box.left, box.top], [box.right, box.top], [box.left, box.bottom], [
    box.right,
    box.bottom,
  ]];
  return around(corners.map(([x, y]) => [a * x + c * y + e, b * x + d * y + f] as const));
}

function localBox(node: SvgNode): Box | null {
  const number = (name: string) => Number.parseFloat(node.getAttribute(name) ?? "") || 0;
  if (inherited(node, "display") === "none") return null;
  switch (node.tagName) {
    case "text":
    case "tspan":
      return textBox(node);
    case "rect":
    case "image":
      return {
        left: number("x"),
        top: number("y"),
        right: number("x") + number("width"),
        bottom: number("y") + number("height"),
      };
    case "circle":
      return {
        left: number("cx") - number("r"),
        right: number("cx") + number("r"),
        top: number("cy") - number("r"),
        bottom: number("cy") + number("r"),
      };
    case "line":
      return around([[number("x1"), number("y1")], [number("x2"), number("y2")]]);
    case "path":
      return pathBox(node.getAttribute("d") ?? "");
    case "defs":
    case "clipPath":
      return null;
    default:
      return union([...node.children].map((child) => transformed(localBox(child), transformOf(child))));
  }
}

function asRectangle(box: Box | null) {
  const { left, top, right, bottom } = box ?? { left: 0, top: 0, right: 0, bottom: 0 };
  return { x: left, y: top, left, top, right, bottom, width: right - left, height: bottom - top };
}

/** The element's box in its own coordinates, as SVG's getBBox gives it. */
export function boxOf(node: SvgNode) {
  return asRectangle(localBox(node));
}

/** The element's box on the page, its own and its ancestors' transforms applied. */
export function clientBoxOf(node: SvgNode) {
  let box = localBox(node);
  for (let at: SvgNode | null = node; at; at = at.parentElement) box = transformed(box, transformOf(at));
  return asRectangle(box);
}

/** Both ends of a path that is one straight line (an arrow's shaft: the only path whose length plotly asks for here). */
export function lineEnds(d: string) {
  const [x0, y0, x1, y1] = (d.match(/-?[\d.]+(?:e-?\d+)?/g) ?? []).map(Number);
  return { from: [x0, y0], to: [x1, y1], length: Math.hypot(x1 - x0, y1 - y0) };
}
