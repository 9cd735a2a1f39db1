import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  imageToResponse,
  prefixLmMask,
  rawAttention,
  responseToImage,
  rollout,
  type SequenceLayout,
  summariseImageToResponse,
} from "../../lib/saliency/mod.ts";
import { attentionShares, predictingRow, withoutSinks } from "../../lib/saliency/directions.ts";
import { fuseHeads, headsOf } from "../../lib/saliency/matrices.ts";
import { startRelevance } from "../../lib/saliency/relevance.ts";
import { startReduction } from "../../lib/saliency/reduction.ts";
import { startRollout } from "../../lib/saliency/rollout.ts";
import { memory } from "../../lib/tensor/memory.ts";
import { tf } from "../../lib/tensor/mod.ts";

// deno-lint-ignore no-explicit-any -- a file of numbers, checked by the tests themselves
const fixture: any = JSON.parse(Deno.readTextFileSync(new URL("./fixtures/rollout.json", import.meta.url)));
const { length, heads } = fixture;
const perLayer = heads * length * length;
const layersOf = (all: Float32Array) =>
  Array.from(
    { length: fixture.layers },
    (_, l) => headsOf(all.subarray(l * perLayer, (l + 1) * perLayer), heads, length),
  );
const layers = layersOf(Float32Array.from(fixture.attentions));
const mask = Uint8Array.from(fixture.mask);
const layout: SequenceLayout = {
  length,
  imageStart: 0,
  rows: fixture.rows,
  columns: fixture.columns,
  response: fixture.response,
  sinks: fixture.sinks,
};

/** Patch p has p + 1, so often as the answer has tokens. */
const overAnswer = Float32Array.from(
  { length: layout.rows * layout.columns * layout.response.length },
  (_, i) => 1 + Math.floor(i / layout.response.length),
);

function assertClose(ours: ArrayLike<number>, theirs: number[], tolerance = 1e-6) {
  assertEquals(ours.length, theirs.length);
  for (let i = 0; i < theirs.length; i++) assertAlmostEquals(ours[i], theirs[i], tolerance);
}

Deno.test("The prefix-LM mask equals numpy's", () => {
  assertEquals([...prefixLmMask(fixture.prefix, fixture.present)], fixture.mask);
});

Deno.test("Raw attention equals numpy's: mean, one head of one layer, largest head", () => {
  assertClose(rawAttention(layers), fixture.raw_mean);
  assertClose(rawAttention(layers, { layer: 2, heads: 1 }), fixture.raw_layer2_head1);
  assertClose(rawAttention(layers, { heads: "max" }), fixture.raw_max);
  assertThrows(() => rawAttention(layers, { layer: 9 }), RangeError, "below 4");
  assertThrows(() => fuseHeads(layers[0], 7), RangeError, "below 3");
});

Deno.test("Rollout equals numpy's: plain, largest head, sinks dropped", () => {
  assertClose(rollout(layers), fixture.rollout);
  assertClose(rollout(layers.map((layer) => [fuseHeads(layer, "max")])), fixture.rollout_max);
  assertClose(rollout(layers, { dropped: fixture.sinks }), fixture.rollout_dropped);
});

Deno.test("Gradient x attention equals numpy's, and negative products add nothing", () => {
  const relevance = (gradients: number[]) => {
    const stream = startRelevance(length), shape = [fixture.layers, 1, heads, length, length];
    const [A, G] = [fixture.attentions, gradients].map((all) => tf.unstack(tf.tensor(all, shape)));
    for (let k = fixture.layers - 1; k >= 0; k--) stream.add({ attention: A[k], gradient: G[k] });
    return stream.result();
  };
  assertClose(relevance(fixture.gradients), fixture.relevance);
  assertEquals(
    relevance(fixture.gradients.map((g: number) => -Math.abs(g))),
    Float32Array.from({ length: length ** 2 }, (_, i) => Number(i % (length + 1) === 0)),
  );
});

Deno.test("Rollout rows sum to one and stay within the mask, and the product order matters", () => {
  const result = rollout(layers);
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let j = 0; j < length; j++) {
      sum += result[i * length + j];
      if (!mask[i * length + j]) assertEquals(result[i * length + j], 0);
    }
    assertAlmostEquals(sum, 1, 1e-5);
  }
  const reversed = rollout([...layers].reverse());
  assert(reversed.some((value, i) => Math.abs(value - result[i]) > 1e-3));
});

Deno.test("What is reduced layer by layer is raw attention, its last layer and both rollouts; nothing is left behind", () => {
  const shape = [1, heads, length, length], stream = startReduction(layout), before = memory().tensors;
  for (const layer of layers) {
    const attention = tf.tensor(Float32Array.from(layer.flatMap((head) => [...head])), shape);
    const scores = tf.tidy(() => tf.log(tf.add(attention, 1e-3)));
    stream.add({ attention, scores });
    tf.dispose([attention, scores]);
  }
  assertEquals(memory().tensors, before);
  const result = stream.result();
  assertClose(result.raw, fixture.raw_mean);
  assertClose(result.lastLayer, [...fuseHeads(layers[layers.length - 1], "mean")]);
  assertClose(result.rollout, fixture.rollout_dropped);
  assertClose(result.rolloutWithSinks, fixture.rollout);
  const rows = layout.rows * layout.columns, tokens = layout.response.length;
  const shares = Array.from({ length: rows * tokens }, (_, i) => {
    const [patch, token] = [Math.floor(i / tokens), i % tokens];
    const own = layers.flat().map((head) => {
      const weights = layout.response.map((at) => head[patch * length + at] + 1e-3); // of the logarithm's softmax
      return weights[token] / weights.reduce((a, b) => a + b);
    });
    return own.reduce((a, b) => a + b) / own.length;
  });
  assertClose(result.overAnswer, shares);
});

Deno.test("Rollout needs a layer, and layers of its length", () => {
  const stream = startRollout(length);
  assertThrows(() => stream.result(), Error, "at least one layer");
  assertThrows(() => stream.add(tf.zeros([2, 2])), RangeError, "found 2 x 2");
});

Deno.test("Response to image is the token's row over the patches, not the image's diagonal", () => {
  const result = rollout(layers);
  const query = predictingRow(layout.response[0]);
  assertEquals(query, fixture.sinks[1]); // the newline predicts the first answer token
  const map = responseToImage(result, layout.response[0], layout);
  assertEquals([...map], [0, 1, 2, 3, 4, 5].map((p) => result[query * length + p]));
  assertThrows(() => predictingRow(0), RangeError);
});

Deno.test("Image to response: the columns are those of the rows that predict the answer, the masked row is zero", () => {
  const matrices = { raw: rawAttention(layers), rollout: rollout(layers), overAnswer };
  const { "masked row": row, "column of raw attention": raw, ...rest } = imageToResponse(matrices, 4, layout);
  assertEquals([...raw], layout.response.map((t) => matrices.raw[(t - 1) * length + 4]));
  assertEquals(
    [...rest["column of rollout"]],
    layout.response.map((t) => matrices.rollout[(t - 1) * length + 4]),
  );
  assert(raw.every((value) => value > 0));
  assertEquals([...row], [0, 0, 0]);
  assertEquals([...rest["softmax over the answer"]], [...overAnswer.slice(12, 15)]);
  const summary = summariseImageToResponse(matrices, layout);
  assertEquals([summary.maskedRow, summary.overAnswer], [0, [3, 3 * layout.rows * layout.columns]]);
  assert(summary.column.raw > 1 && summary.column.rollout > 1);
});

Deno.test("Sinks: shares add up, and without them rows are normalised again", () => {
  const raw = rawAttention(layers);
  const shares = attentionShares(raw, layout.response[1], layout);
  assertAlmostEquals(shares.image + shares.sinks + shares.rest, 1, 1e-6);
  assert(shares.sinks > 0 && shares.image > 0);
  const clean = withoutSinks(raw, layout);
  assertAlmostEquals(attentionShares(clean, layout.response[1], layout).sinks, 0, 1e-9);
  const row = clean.subarray(layout.response[1] * length, (layout.response[1] + 1) * length);
  assertAlmostEquals(row.reduce((a, b) => a + b, 0), 1, 1e-5);
});

Deno.test("Attention of another size is refused", () => {
  assertThrows(() => headsOf(new Float32Array(10), 2, 3), RangeError, "18 values");
  assertThrows(() => headsOf(new Float32Array(36), 2, 3), RangeError, "18 values"); // two examples
});
