/** Landmarks, blurs and alignments of a picture and of the same one turned, or moved by parts of a point. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { agreement, fitPlacement, movement } from "@lib/audit/align.ts";
import { blur } from "@lib/audit/blur.ts";
import { detailsOf } from "@lib/audit/details.ts";
import { DESCRIPTORS, landmarksOf, TURNED } from "@lib/audit/landmarks.ts";
import { turnPicture, turnPoint, TURNS } from "@lib/audit/turns.ts";
import { rng } from "@lib/config/mod.ts";
import { fingerprint, THUMBNAIL } from "@lib/image/mod.ts";
import { madeSlices } from "../bench/volume.ts";

const view = fingerprint(madeSlices(3, 1, 1)[0]).views[0];

Deno.test("a turned picture has the same landmarks at the turned places, and their descriptors turned", () => {
  const upright = landmarksOf(view);
  assert(upright.count > 20, `${upright.count}`);
  for (let turn = 0; turn < TURNS; turn++) {
    const marks = landmarksOf(turnPicture(view, THUMBNAIL, turn)), { from, sign } = TURNED[turn];
    assertEquals(marks.count, upright.count);
    const places = Map.groupBy(
      Array.from({ length: marks.count }, (_, k) => k),
      (k) => `${marks.x[k]} ${marks.y[k]}`,
    );
    for (let k = 0; k < upright.count; k++) {
      const place = turnPoint(turn, upright.x[k], upright.y[k], THUMBNAIL).join(" ");
      const expected = Array.from(sign, (s, i) => s * upright.descriptors[k * DESCRIPTORS + from[i]]);
      const same = (places.get(place) ?? []).some((there) =>
        // one place may have several, of different sizes
        marks.sign[there] === upright.sign[k] &&
        expected.every((value, i) => Math.abs(marks.descriptors[there * DESCRIPTORS + i] - value) <= 1)
      );
      assert(same, `turn ${turn}: no landmark at ${place} for that at ${upright.x[k]} ${upright.y[k]}`);
    }
  }
});

Deno.test("a descriptor has the norm 100, and a negative has the same descriptors with the other sign", () => {
  const marks = landmarksOf(view), negative = landmarksOf(view.map((level) => 255 - level));
  for (let k = 0; k < marks.count; k++) {
    const own = marks.descriptors.subarray(k * DESCRIPTORS, (k + 1) * DESCRIPTORS);
    assertAlmostEquals(Math.sqrt(own.reduce((sum, x) => sum + x * x, 0)), 100, 2);
  }
  assertEquals([negative.count, negative.x, negative.y], [marks.count, marks.x, marks.y]);
  assertEquals(negative.sign, marks.sign.map((sign) => -sign));
});

Deno.test("a blur is the mean under a Gaussian, beyond the border over the border's own level", () => {
  const side = 17, random = rng("blur"), picture = Float32Array.from({ length: side * side }, () => random());
  for (const sigma of [0.6, 1.9]) {
    const reach = Math.ceil(3 * sigma), found = blur(picture, side, sigma);
    const clamp = (at: number) => Math.min(side - 1, Math.max(0, at));
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        let [sum, all] = [0, 0];
        for (let v = -reach; v <= reach; v++) {
          for (let u = -reach; u <= reach; u++) {
            const weight = Math.exp(-(u * u + v * v) / (2 * sigma * sigma));
            sum += weight * picture[clamp(y + v) * side + clamp(x + u)];
            all += weight;
          }
        }
        assertAlmostEquals(found[y * side + x], sum / all, 1e-5, `${x}, ${y}`);
      }
    }
  }
});

/** What lies at (wide x + right, high y + down) of a picture, between its points on straight lines. */
function placed(picture: ArrayLike<number>, wide: number, high: number, right: number, down: number) {
  const at = (x: number, y: number) => {
    const [x0, y0] = [Math.floor(x), Math.floor(y)].map((z) => Math.min(THUMBNAIL - 2, Math.max(0, z)));
    const [fx, fy] = [x - x0, y - y0].map((part) => Math.min(1, Math.max(0, part)));
    const point = (u: number, v: number) => picture[(y0 + v) * THUMBNAIL + x0 + u];
    return (1 - fy) * ((1 - fx) * point(0, 0) + fx * point(1, 0)) +
      fy * ((1 - fx) * point(0, 1) + fx * point(1, 1));
  };
  return Array.from({ length: THUMBNAIL ** 2 }, (_, i) => {
    return at(wide * (i % THUMBNAIL) + right, high * Math.floor(i / THUMBNAIL) + down);
  });
}

Deno.test("a picture moved by parts of a point agrees with itself there, is fitted there, and has not moved in itself", () => {
  const details = detailsOf(view);
  for (
    const [wide, high, right, down] of [[1, 1, 0.5, 0.25], [0.9, 1, 3.3, 0], [1, 1.1, 0, -2.6], [
      0.95,
      0.9,
      1,
      5,
    ]]
  ) {
    const told = `${[wide, high, right, down]}`, placement = { wide, high, right, down };
    const moved = Int8Array.from(placed(details, wide, high, right, down), Math.round);
    assert(agreement(details, moved, placement) > 0.995, `${told}: ${agreement(details, moved, placement)}`);
    const beside = { ...placement, right: right + 1.5, down: down + 1.5 };
    assert(agreement(details, moved, beside) < 0.9, `${told}: ${agreement(details, moved, beside)}`);
    const { placement: found, correlation } = fitPlacement(details, moved, beside, THUMBNAIL, 1)!;
    assert(correlation > 0.99 && correlation < 1 + 1e-6, `${told}: ${correlation}`);
    for (const key of ["wide", "high", "right", "down"] as const) {
      assertAlmostEquals(found[key], placement[key], key === "wide" || key === "high" ? 2e-3 : 0.05, told);
    }
    const grey = Uint8Array.from(placed(view, wide, high, right, down), Math.round);
    assert(movement(view, grey, placement) < 0.02, `${told}: ${movement(view, grey, placement)}`);
  }
});
