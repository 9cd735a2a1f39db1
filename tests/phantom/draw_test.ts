import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  drawPhantom,
  isImageLeft,
  labelIndex,
  LABELS,
  LESION_ORGANS,
  LESIONS,
  oppositeSide,
  ORGANS,
  patchLabels,
  type Phantom,
  PHANTOM_SIZE,
} from "../../lib/phantom/mod.ts";

const seeds = (n: number, from = 1_000_000) => Array.from({ length: n }, (_, k) => from + k);
const sample: Phantom[] = seeds(600).map((seed) => drawPhantom(seed, "shifted"));
const share = (xs: Phantom[], is: (p: Phantom) => boolean) => xs.filter(is).length / xs.length;

Deno.test("a seed and a style give the same phantom again", () => {
  assertEquals(drawPhantom(7, "shifted"), drawPhantom(7, "shifted"));
  assert(drawPhantom(7, "shifted").pixels.some((v, i) => v !== drawPhantom(8, "shifted").pixels[i]));
});

Deno.test("the two styles show one anatomy, acquired differently, with sides that are opposite words", () => {
  for (const seed of seeds(60)) {
    const a = drawPhantom(seed, "generic"), b = drawPhantom(seed, "shifted");
    assertEquals(a.labels, b.labels);
    assertEquals(a.mask, b.mask);
    assertEquals([a.modality, a.region, a.lesion, a.organ, a.imageSide], [
      b.modality,
      b.region,
      b.lesion,
      b.organ,
      b.imageSide,
    ]);
    assert(a.pixels.some((v, i) => v !== b.pixels[i]));
    assertEquals(a.side, a.imageSide);
    assertEquals(b.side, b.imageSide && oppositeSide(b.imageSide));
    for (const organ of ORGANS) {
      const [x, y] = [a.organSide[organ], b.organSide[organ]];
      assertEquals(y, x && oppositeSide(x));
    }
  }
});

Deno.test("the mask, the labels, the side and the organ tell one story", () => {
  for (const p of sample) {
    const pixels = [...p.mask.keys()].filter((i) => p.mask[i] === 1);
    assertEquals(pixels.length > 0, p.lesion !== null);
    assertEquals(p.organ === null, p.lesion === null);
    if (p.lesion === null) continue;
    for (const i of pixels) assertEquals(LABELS[p.labels[i]], p.lesion);
    const x = mean(pixels.map((i) => i % PHANTOM_SIZE)) + 0.5;
    const y = mean(pixels.map((i) => Math.floor(i / PHANTOM_SIZE))) + 0.5;
    assertEquals(isImageLeft(p.frame, x, y) ? "left" : "right", p.imageSide);
    assert(p.organs.includes(p.organ!));
    assert(pixels.length > 40 && pixels.length < 420, `seed ${p.seed}: ${pixels.length} pixels`);
    const width = Math.max(...pixels.map((i) => i % PHANTOM_SIZE)) -
      Math.min(...pixels.map((i) => i % PHANTOM_SIZE));
    assert(width < 28, `seed ${p.seed}: lesion ${width} pixels wide, expected at most two patches`);
  }
});

Deno.test("an organ's side on screen is where its pixels lie", () => {
  for (const p of sample) {
    for (const [organ, side] of Object.entries(p.organSide)) {
      const own = [...p.labels.keys()].filter((i) => p.labels[i] === labelIndex(organ as "heart"));
      const left = own.filter((i) =>
        isImageLeft(p.frame, i % PHANTOM_SIZE + 0.5, Math.floor(i / PHANTOM_SIZE) + 0.5)
      );
      assertEquals(
        left.length > own.length / 2 ? "left" : "right",
        oppositeSide(side),
        `seed ${p.seed} ${organ}`,
      );
    }
  }
});

Deno.test("no answer can be told from the modality, the organ or another answer", () => {
  const sick = sample.filter((p) => p.lesion !== null);
  assertAlmostEquals(sick.length / sample.length, 0.7, 0.06);
  assertAlmostEquals(share(sick, (p) => p.side === "left"), 0.5, 0.08);
  for (const lesion of LESIONS) {
    assertAlmostEquals(share(sick, (p) => p.lesion === lesion), 1 / 3, 0.08);
    for (const organ of LESION_ORGANS) {
      assert(sick.some((p) => p.lesion === lesion && p.organ === organ), `no ${lesion} in the ${organ}`);
    }
  }
  for (const organ of ["liver", "spleen", "heart"] as const) {
    const seen = sample.filter((p) => p.organSide[organ] !== undefined);
    assertAlmostEquals(share(seen, (p) => p.organSide[organ] === "left"), 0.5, 0.12);
  }
});

Deno.test("lesions stand out in the shifted style and are not lost by clipping", () => {
  let lesionPixels = 0, clipped = 0, faint = 0, shown = 0;
  for (const p of sample) {
    if (p.lesion !== "nodule" && p.lesion !== "hemorrhage") continue;
    const inside: number[] = [], around: number[] = [];
    const organ = labelIndex(p.organ!);
    p.mask.forEach((m, i) => {
      if (m) inside.push(p.pixels[i]);
      else if (p.labels[i] === organ && near(p.mask, i)) around.push(p.pixels[i]);
    });
    lesionPixels += inside.length;
    clipped += inside.filter((v) => v === 0 || v === 255).length;
    if (around.length < 20) continue;
    shown++;
    if (Math.abs(mean(inside) - mean(around)) < 25) faint++;
  }
  assert(shown > 150);
  assert(clipped / lesionPixels < 0.05, `${clipped} of ${lesionPixels} lesion pixels are black or white`);
  assert(
    faint / shown < 0.03,
    `${faint} of ${shown} lesions differ by less than 25 of 255 from their surroundings`,
  );
});

Deno.test("the shifted X-ray is inverted and the shifted picture is noisier", () => {
  const chest = seeds(400).map((s) => drawPhantom(s, "generic")).find((p) => p.modality === "x-ray")!;
  const other = drawPhantom(chest.seed, "shifted");
  const of = (p: Phantom, label: "lung" | "spine") =>
    mean([...p.pixels].filter((_, i) => p.labels[i] === labelIndex(label)));
  assert(of(chest, "spine") > of(chest, "lung") + 40);
  assert(of(other, "spine") < of(other, "lung") - 40);
  const air = (p: Phantom) =>
    spread([...p.pixels].filter((_, i) => i % PHANTOM_SIZE < 3 && i < PHANTOM_SIZE * 30));
  assert(air(other) > 1.4 * air(chest));
});

Deno.test("patch labels name the lesion above 15 % of a patch, else the commonest class, and the side of the midline", () => {
  for (const p of sample.slice(0, 80)) {
    const { classes, imageLeft, grid } = patchLabels(p, 14);
    assertEquals(grid, 8);
    for (let k = 0; k < 64; k++) {
      const inPatch = [...p.labels].filter((_, i) =>
        Math.floor(i / PHANTOM_SIZE / 14) === Math.floor(k / 8) &&
        Math.floor((i % PHANTOM_SIZE) / 14) === k % 8
      );
      const lesion = p.lesion ? inPatch.filter((l) => l === labelIndex(p.lesion!)).length / 196 : 0;
      if (lesion > 0.15) assertEquals(LABELS[classes[k]], p.lesion);
      else {
        const top = Math.max(...LABELS.map((_, l) => inPatch.filter((x) => x === l).length));
        assertEquals(inPatch.filter((l) => l === classes[k]).length, top);
      }
    }
    assertEquals([...imageLeft].filter((_, k) => k % 8 === 0), Array(8).fill(1));
    assertEquals([...imageLeft].filter((_, k) => k % 8 === 7), Array(8).fill(0));
  }
  assertThrows(() => patchLabels(sample[0], 15), Error, "divides 112");
});

Deno.test("drawing takes a few milliseconds at most", () => {
  const start = performance.now();
  for (const seed of seeds(200, 2_000_000)) drawPhantom(seed, "shifted");
  assert((performance.now() - start) / 200 < 5);
});

function mean(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
function spread(values: number[]): number {
  const m = mean(values);
  return Math.sqrt(mean(values.map((v) => (v - m) ** 2)));
}
/** Whether a pixel lies within 5 pixels of the mask along a row or column. */
function near(mask: Uint8Array, i: number): boolean {
  for (let d = 1; d <= 5; d++) {
    if (mask[i - d] || mask[i + d] || mask[i - d * PHANTOM_SIZE] || mask[i + d * PHANTOM_SIZE]) return true;
  }
  return false;
}
