import { rng } from "@lib/config/mod.ts";
import { type RgbImage } from "@lib/image/mod.ts";
import { greyToRgb } from "@lib/image/rgb.ts";

/** Pixels across a slice, of 350 mm; and what a made body has inside: many vessels, some nodules, few organs. */
const SIDE = 192, FIELD = 350;
const INSIDE = [
  { count: 160, smallest: 2, largest: 6 },
  { count: 25, smallest: 6, largest: 15 },
  { count: 9, smallest: 20, largest: 60 },
];

/**
 * Neighbouring slices of a made body, standing in for a CT: an ellipsoid with organs, nodules and vessels of random place
 * and shape in three dimensions, cut every `spacing` millimetres, with noise of its own in each slice.
 */
export function madeSlices(seed: number, count: number, spacing: number): RgbImage[] {
  const random = rng(`volume/${seed}`), within = (low: number, high: number) => low + (high - low) * random();
  const body = {
    x: 0,
    y: 0,
    z: 0,
    wide: within(130, 160),
    high: within(90, 120),
    deep: 250,
    tilt: [0, 0],
    light: 90,
  };
  const inside = INSIDE.flatMap(({ count, smallest, largest }) =>
    Array.from({ length: count }, () => ({
      x: within(-0.75, 0.75) * body.wide,
      y: within(-0.75, 0.75) * body.high,
      z: within(-120, 120),
      wide: within(smallest, largest),
      high: within(smallest, largest),
      deep: within(smallest, largest) * (largest < 10 ? 4 : 1), // vessels are long
      tilt: [within(-1, 1), within(-1, 1)],
      light: within(-60, 90),
    }))
  );
  return Array.from({ length: count }, (_, k) => {
    const z = (k - (count - 1) / 2) * spacing, grey = new Float32Array(SIDE * SIDE).fill(8);
    for (const part of [body, ...inside]) {
      const left = 1 - ((z - part.z) / part.deep) ** 2;
      if (left <= 0) continue;
      for (let i = 0; i < grey.length; i++) {
        const x = ((i % SIDE) / SIDE - 0.5) * FIELD - part.x,
          y = (Math.floor(i / SIDE) / SIDE - 0.5) * FIELD - part.y - part.tilt[1] * (z - part.z);
        const from = Math.sqrt(((x / part.wide) ** 2 + (y / part.high) ** 2) / left);
        if (from < 1.3) grey[i] += part.light / (1 + Math.exp(Math.min(30, (from - 1) * part.wide))); // a border of 1 mm
      }
    }
    const bytes = Uint8Array.from(
      grey,
      (level) => Math.max(0, Math.min(255, level + 8 * (random() + random() - 1))),
    );
    return greyToRgb(bytes, SIDE, SIDE);
  });
}
