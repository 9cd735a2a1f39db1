/** The maps of one answer, against sums made by hand. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { encodePng } from "@lib/image/mod.ts";
import { answerMaps, type CapturedAnswer, meanOverAnswer, readMask, rollout } from "@lib/saliency/mod.ts";

/** Four patches, bos, newline and two answer tokens; one layer with one head whose rows are given. */
function captured(row: (i: number) => number[]): CapturedAnswer {
  const length = 8, head = new Float32Array(length * length);
  for (let i = 0; i < length; i++) head.set(row(i), i * length);
  const sinks = [4, 5];
  return {
    answerIds: [7, 8],
    text: "left lung",
    tokens: Array(length).fill(""),
    logprobs: [0, 0],
    layout: { length, imageStart: 0, rows: 2, columns: 2, response: [6, 7], sinks },
    prefix: Uint8Array.from([1, 1, 1, 1, 1, 1, 0, 0]),
    raw: head,
    lastLayer: head,
    rollout: rollout([[head]], { dropped: sinks }),
    rolloutWithSinks: rollout([[head]]),
    overAnswer: new Float32Array(8).fill(0.5),
  };
}

Deno.test("a map is the mean of the rows that predict the answer's tokens", () => {
  const one = captured((i) => i === 5 ? [0.2, 0, 0, 0, 0.8, 0, 0, 0] : [0.1, 0.1, 0.1, 0.5, 0.2, 0, 0, 0]);
  const raw = answerMaps(one)["raw, with sinks"];
  [0.15, 0.05, 0.05, 0.25].forEach((want, p) => assertAlmostEquals(raw[p], want, 1e-6));
  // Without bos the first row is all on patch 0, the second 0.1 and 0.5 of 0.8.
  const clean = answerMaps(one)["raw attention"];
  [(1 + 0.125) / 2, 0.0625, 0.0625, 0.625 / 2].forEach((want, p) => assertAlmostEquals(clean[p], want, 1e-6));
  assertEquals(meanOverAnswer(one.raw, one.layout).length, 4);
});

Deno.test("rollout of one layer is half the attention; its diagonal is what stays in place", () => {
  const one = captured(() => [0.1, 0.1, 0.1, 0.5, 0.2, 0, 0, 0]), maps = answerMaps(one);
  [0.05, 0.05, 0.05, 0.25].forEach((want, p) =>
    assertAlmostEquals(maps["rollout, with sinks"][p], want, 1e-6)
  );
  [0.55, 0.55, 0.55, 0.75].forEach((want, p) => assertAlmostEquals(maps["rollout, diagonal"][p], want, 1e-6));
});

Deno.test("a mask is read as ones where the picture is bright", async () => {
  const path = join(await Deno.makeTempDir(), "mask.png");
  const data = Uint8Array.from([
    0,
    0,
    0,
    255,
    255,
    255,
    128,
    128,
    128,
    100,
    100,
    100,
    0,
    0,
    0,
    255,
    255,
    255,
  ]);
  await Deno.writeFile(path, await encodePng({ width: 3, height: 2, data }));
  const { mask, rows, columns } = await readMask(path);
  assertEquals([[...mask], rows, columns], [[0, 1, 1, 0, 0, 1], 2, 3]);
  assert(mask instanceof Uint8Array);
});
