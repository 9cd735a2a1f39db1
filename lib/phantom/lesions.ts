import type { Carrier } from "./anatomy.ts";
import { type Canvas, paintEllipse, pixelIndex } from "./canvas.ts";
import { labelIndex, type Lesion } from "./names.ts";

/** Lesions keep at least this body distance from the midline, so that left and right are never in doubt. */
const MIDLINE_GAP = 0.15;

/**
 * A point inside the carrier where the lesion's centre and its four neighbours at 0.07 show the carrier's organ
 * (not the heart or a ventricle drawn over it). Falls back to the carrier's centre.
 */
export function placeLesion(
  canvas: Canvas,
  carrier: Carrier,
  random: () => number,
): { x: number; y: number } {
  const wanted = labelIndex(carrier.organ);
  for (let attempt = 0; attempt < 60; attempt++) {
    const angle = random() * 2 * Math.PI, radius = 0.6 * Math.sqrt(random());
    const x = carrier.x + carrier.a * radius * Math.cos(angle);
    const y = carrier.y + carrier.b * radius * Math.sin(angle);
    if (Math.abs(x) < MIDLINE_GAP) continue;
    const around = [[0, 0], [0.07, 0], [-0.07, 0], [0, 0.07], [0, -0.07]];
    if (around.every(([dx, dy]) => canvas.labels[pixelIndex(canvas.frame, x + dx, y + dy)] === wanted)) {
      return { x, y };
    }
  }
  return { x: carrier.x, y: carrier.y };
}

/**
 * Draws one lesion, 1 or 2 patches of 14 pixels wide, relative to the brightness of its organ:
 * - nodule: a solid bright disc, radius 0.09..0.12 (5 to 7 pixels);
 * - cyst: a bright rim around a dark centre, radius 0.13..0.17 (7 to 9 pixels);
 * - hemorrhage: a ragged bright blot of six overlapping soft ellipses.
 * @returns the mask: 1 on the lesion's pixels
 */
export function drawLesion(
  canvas: Canvas,
  lesion: Lesion,
  x: number,
  y: number,
  random: () => number,
): Uint8Array {
  const uniform = (low: number, high: number) => low + (high - low) * random();
  const mask = new Uint8Array(canvas.values.length);
  const base = canvas.values[pixelIndex(canvas.frame, x, y)];
  const label = labelIndex(lesion);
  if (lesion === "nodule") {
    const a = uniform(0.09, 0.12), b = a * uniform(0.85, 1.1);
    paintEllipse(
      canvas,
      { x, y, a, b, tilt: 0, value: Math.min(0.97, base + uniform(0.36, 0.46)), softness: 0.3, label },
      mask,
    );
  } else if (lesion === "cyst") {
    const a = uniform(0.13, 0.17), b = a * uniform(0.85, 1.1);
    const rim = Math.min(0.95, base + 0.34), centre = Math.max(0.03, base - uniform(0.36, 0.46));
    paintEllipse(canvas, { x, y, a, b, tilt: 0, value: rim, softness: 0.1, label }, mask);
    paintEllipse(canvas, { x, y, a: a * 0.7, b: b * 0.7, tilt: 0, value: centre, softness: 0.15, label });
  } else {
    const value = Math.min(0.9, base + uniform(0.36, 0.44));
    for (let k = 0; k < 6; k++) {
      const centre = k === 5, angle = random() * 2 * Math.PI, radius = centre ? 0 : uniform(0.05, 0.13);
      paintEllipse(canvas, {
        x: x + radius * Math.cos(angle),
        y: y + radius * Math.sin(angle),
        a: uniform(0.06, 0.11),
        b: uniform(0.05, 0.09),
        tilt: random() * Math.PI,
        value: value + (centre ? 0 : uniform(-0.08, 0.06)),
        softness: 0.85,
        label,
      }, mask);
    }
  }
  return mask;
}
