import { PHANTOM_SIZE } from "./names.ts";

/**
 * Where the body lies in the picture. Body coordinates: x to the right of the picture (the patient's left), y down,
 * about -1..1 over the picture, (0, 0) on the midline. A point goes through scale, rotation, shift (in this order) into
 * pixels.
 */
export interface Frame {
  /** To the right, in halves of the picture's side. */
  shiftX: number;
  /** Down, in halves of the picture's side. */
  shiftY: number;
  /** Factor of all lengths. */
  scale: number;
  /** Radians, clockwise on screen. */
  rotation: number;
}

/** Intensities (about 0..1 before acquisition) and classes per pixel, row by row. */
export interface Canvas {
  values: Float32Array;
  labels: Uint8Array;
  frame: Frame;
}

/** A soft-edged ellipse in body coordinates. */
export interface Ellipse {
  x: number;
  y: number;
  /** Half axes along x and y before the tilt. */
  a: number;
  b: number;
  /** Radians. */
  tilt: number;
  value: number;
  /** Share of the squared radius over which the edge fades in. */
  softness: number;
  /** Class painted where the ellipse is more than half opaque. */
  label: number;
}

const HALF = PHANTOM_SIZE / 2;

export function newCanvas(frame: Frame): Canvas {
  const pixels = PHANTOM_SIZE * PHANTOM_SIZE;
  return { values: new Float32Array(pixels), labels: new Uint8Array(pixels), frame };
}

/** Body coordinates to pixel coordinates. */
function toPixel(frame: Frame, x: number, y: number): [number, number] {
  const c = Math.cos(frame.rotation), s = Math.sin(frame.rotation);
  const u = x * frame.scale, v = y * frame.scale;
  return [(c * u - s * v + frame.shiftX + 1) * HALF, (s * u + c * v + frame.shiftY + 1) * HALF];
}

/** Whether a pixel position lies left of the body's midline on screen. */
export function isImageLeft(frame: Frame, px: number, py: number): boolean {
  const dx = px / HALF - 1 - frame.shiftX, dy = py / HALF - 1 - frame.shiftY;
  return Math.cos(frame.rotation) * dx + Math.sin(frame.rotation) * dy < 0;
}

/** Index of the pixel under a body point, clamped to the picture. */
export function pixelIndex(frame: Frame, x: number, y: number): number {
  const [px, py] = toPixel(frame, x, y);
  const clamp = (v: number) => Math.min(PHANTOM_SIZE - 1, Math.max(0, Math.floor(v)));
  return clamp(py) * PHANTOM_SIZE + clamp(px);
}

/** Blends an ellipse over the canvas; pixels that take its label are set to 1 in `mask` too. */
export function paintEllipse(canvas: Canvas, e: Ellipse, mask?: Uint8Array): void {
  const { frame, values, labels } = canvas;
  const [px, py] = toPixel(frame, e.x, e.y);
  const a = e.a * frame.scale * HALF, b = e.b * frame.scale * HALF;
  const angle = e.tilt + frame.rotation;
  const c = Math.cos(angle), s = Math.sin(angle);
  const reachX = Math.hypot(a * c, b * s), reachY = Math.hypot(a * s, b * c);
  const x0 = Math.max(0, Math.floor(px - reachX)), x1 = Math.min(PHANTOM_SIZE, Math.ceil(px + reachX));
  const y0 = Math.max(0, Math.floor(py - reachY)), y1 = Math.min(PHANTOM_SIZE, Math.ceil(py + reachY));
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const dx = x + 0.5 - px, dy = y + 0.5 - py;
      const u = (c * dx + s * dy) / a, v = (c * dy - s * dx) / b;
      const inside = 1 - u * u - v * v;
      if (inside <= 0) continue;
      const alpha = Math.min(1, inside / e.softness);
      const i = y * PHANTOM_SIZE + x;
      values[i] += (e.value - values[i]) * alpha;
      if (alpha > 0.5) {
        labels[i] = e.label;
        if (mask) mask[i] = 1;
      }
    }
  }
}

/** Adds brightness along a curve in body coordinates, spread over the four nearest pixels (ribs on a projection). */
export function addCurve(canvas: Canvas, points: readonly [number, number][], amount: number): void {
  for (const [x, y] of points) {
    const [px, py] = toPixel(canvas.frame, x, y);
    const ix = Math.floor(px - 0.5), iy = Math.floor(py - 0.5);
    const fx = px - 0.5 - ix, fy = py - 0.5 - iy;
    if (ix < 0 || iy < 0 || ix >= PHANTOM_SIZE - 1 || iy >= PHANTOM_SIZE - 1) continue;
    const i = iy * PHANTOM_SIZE + ix;
    canvas.values[i] += amount * (1 - fx) * (1 - fy);
    canvas.values[i + 1] += amount * fx * (1 - fy);
    canvas.values[i + PHANTOM_SIZE] += amount * (1 - fx) * fy;
    canvas.values[i + PHANTOM_SIZE + 1] += amount * fx * fy;
  }
}
