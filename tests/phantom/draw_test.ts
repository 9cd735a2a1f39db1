import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  drawPhantom,
  isHeldOut,
  labelIndex,
  LABELS,
  LESIONS,
  patchLabels,
  type Phantom,
  PHANTOM_SIZE,
} from "../../lib/phantom/mod.ts";
import { isImageLeft } from "../../lib/phantom/canvas.ts";
import { HELD_OUT, LESION_ORGANS, MEASURED, ORGAN_SIDE } from "../../lib/phantom/names.ts";

const seeds = (n: number, from = 1_000_000) => Array.from({ length: n }, (_, k) => from + k);
const sample: Phantom[] = seeds(600).map((seed) => drawPhantom(seed, "shifted"));
const share = (xs: Phantom[], is: (p: Phantom) => boolean) => xs.filter(is).length / xs.length;

Deno.test("a seed and a style give the same phantom again", () => {
  assertEquals(drawPhantom(7, "shifted"), drawPhantom(7, "shifted"));
  assert(drawPhantom(7, "shifted").pixels.some((v, i) => v !== drawPhantom(8, "shifted").pixels[i]));
});

Deno.test("the two styles show one patient, acquired differently, and mean the same by left and right", () => {
  for (const seed of seeds(60)) {
    const a = drawPhantom(seed, "generic"), b = drawPhantom(seed, "shifted");
    assertEquals(a.labels, b.labels);
    assertEquals(a.mask, b.mask);
    assert(a.pixels.some((v, i) => v !== b.pixels[i]));
    for (const fact of ["modality", "region", "lesion", "organ", "side", "organSide", "enlarged"] as const) {
      assertEquals(a[fact], b[fact]);
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
    const patientSide = isImageLeft(p.frame, x, y) ? "right" : "left";
    assertEquals(p.side, ORGAN_SIDE[p.organ!] ? null : patientSide);
    assert(p.organs.includes(p.organ!));
    assert(pixels.length > 40 && pixels.length < 420, `seed ${p.seed}: ${pixels.length} pixels`);
    const width = Math.max(...pixels.map((i) => i % PHANTOM_SIZE)) -
      Math.min(...pixels.map((i) => i % PHANTOM_SIZE));
    assert(width < 28, `seed ${p.seed}: lesion ${width} pixels wide, expected at most two patches`);
  }
});

Deno.test("heart and spleen lie on the picture's right, which is the patient's left, and the liver opposite", () => {
  const seen = new Set<string>();
  for (const p of sample) {
    for (const [organ, side] of Object.entries(p.organSide)) {
      seen.add(`${side} ${organ}`);
      const own = [...p.labels.keys()].filter((i) => p.labels[i] === labelIndex(organ as "heart"));
      const left = own.filter((i) =>
        isImageLeft(p.frame, i % PHANTOM_SIZE + 0.5, Math.floor(i / PHANTOM_SIZE) + 0.5)
      );
      assertEquals(left.length > own.length / 2 ? "right" : "left", side, `seed ${p.seed} ${organ}`);
    }
  }
  assertEquals([...seen].sort(), ["left heart", "left spleen", "right liver"]);
});

Deno.test("an enlarged heart, spleen or ventricle covers more than the others of its modality, in nearly all pictures", () => {
  const areas = sample.map((p) => {
    const measured = labelIndex(MEASURED[p.region]), lesion = p.organ === MEASURED[p.region];
    const area = p.labels.filter((label) => label === measured).length + (lesion ? sum(p.mask) : 0);
    return { kind: `${p.modality} ${p.region}`, area: area / p.frame.scale ** 2, enlarged: p.enlarged };
  });
  let wrong = 0;
  for (const own of Map.groupBy(areas, ({ kind }) => kind).values()) {
    const large = own.filter(({ enlarged }) => enlarged), small = own.filter(({ enlarged }) => !enlarged);
    assertAlmostEquals(large.length / own.length, 0.5, 0.15);
    const between = (mean(large.map(({ area }) => area)) + mean(small.map(({ area }) => area))) / 2;
    wrong += own.filter(({ area, enlarged }) => enlarged !== area > between).length;
  }
  assert(wrong < 0.02 * sample.length, `${wrong} of ${sample.length} sizes cannot be told`);
});

Deno.test("no answer can be told from the modality, the organ or another answer", () => {
  const sick = sample.filter((p) => p.lesion !== null);
  assertAlmostEquals(sick.length / sample.length, 0.7, 0.06);
  const sided = sick.filter((p) => p.side !== null);
  assertAlmostEquals(share(sided, (p) => p.side === "left"), 0.5, 0.08);
  assertAlmostEquals(share(sample, (p) => p.enlarged), 0.5, 0.08);
  for (const organ of LESION_ORGANS) {
    const own = sick.filter((p) => p.organ === organ),
      kinds = LESIONS.filter((kind) => kind !== HELD_OUT[organ]);
    assertEquals(LESIONS.filter((kind) => own.some((p) => p.lesion === kind)), kinds, organ);
    for (const kind of kinds) {
      assertAlmostEquals(
        share(own, (p) => p.lesion === kind),
        1 / kinds.length,
        0.2,
        `${kind} in the ${organ}`,
      );
    }
    for (const side of ["left", "right"]) {
      if (ORGAN_SIDE[organ]) continue;
      assertAlmostEquals(
        share(own.filter((p) => p.side === side), (p) => p.lesion === kinds[0]),
        1 / kinds.length,
        0.2,
      );
    }
  }
});

Deno.test("no picture for training shows a held-out combination; test pictures show all, each lesion equally often", () => {
  assertEquals(sample.filter(isHeldOut), []);
  const all = seeds(600).map((seed) => drawPhantom(seed, "shifted", { combinations: "all" }));
  const sick = all.filter((p) => p.lesion !== null);
  for (const [organ, lesion] of Object.entries(HELD_OUT)) {
    const own = sick.filter((p) => p.organ === organ);
    assertAlmostEquals(share(own, (p) => p.lesion === lesion), 1 / 3, 0.15, `${lesion} in the ${organ}`);
  }
  assertAlmostEquals(share(sick, isHeldOut), 0.2, 0.06);
  // All else is as it is without: what differs is the lesion's kind.
  for (const [i, p] of all.entries()) {
    if (p.lesion === sample[i].lesion) assertEquals(p.pixels, sample[i].pixels);
    assertEquals([p.organ, p.side, p.enlarged], [sample[i].organ, sample[i].side, sample[i].enlarged]);
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
function sum(values: Uint8Array): number {
  return values.reduce((a, b) => a + b, 0);
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
