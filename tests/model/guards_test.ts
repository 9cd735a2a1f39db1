import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { tf } from "@lib/tensor/mod.ts";
import { crossEntropy, forward, labelRows, type ModelInputs } from "@lib/model/mod.ts";
import { changed, difference, fixture, NAMES } from "./fixture.ts";

/** Places of row b: its first real one, its first suffix token (the last real place is where types end). */
function places(inputs: ModelInputs, b: number) {
  const length = inputs.ids.shape[1]!,
    row = (x: Tensor) => [...x.dataSync().slice(b * length, (b + 1) * length)];
  const mask = row(inputs.attentionMask), types = row(inputs.tokenTypes);
  return { first: mask.indexOf(1), suffix: types.indexOf(1), end: mask.lastIndexOf(1) + 1 };
}
const at = (x: Tensor, b: number, from: number, n: number) => tf.slice(x, [b, from, 0], [1, n, x.shape[2]!]);

for (const name of NAMES) {
  Deno.test(`${name}: another answer token changes no earlier logit, but the later ones`, async () => {
    const { params, config, inputs } = await fixture(name),
      { suffix, end } = places(inputs, 0),
      place = end - 2;
    assert(place >= suffix);
    const before = forward(params, inputs, config).logits;
    const ids = changed(inputs.ids, [0, place], 9),
      after = forward(params, { ...inputs, ids }, config).logits;
    assert(
      difference(at(before, 0, 0, place), at(after, 0, 0, place)) <= 1e-6,
      "the future leaked into the past",
    );
    assert(
      difference(at(before, 0, place, 2), at(after, 0, place, 2)) > 1e-2,
      "the token should matter from there on",
    );
  });

  Deno.test(`${name}: another image changes the answer's logits, of its own row only`, async () => {
    const { params, config, inputs } = await fixture(name), { suffix } = places(inputs, 1);
    const before = forward(params, inputs, config).logits;
    const pixelValues = changed(inputs.pixelValues, [1, 0, 3, 3], 25);
    const after = forward(params, { ...inputs, pixelValues }, config).logits;
    assert(difference(at(before, 1, suffix - 1, 1), at(after, 1, suffix - 1, 1)) > 1e-3);
    assert(difference(tf.slice(before, 0, 1), tf.slice(after, 0, 1)) <= 1e-6);
  });

  Deno.test(`${name}: the prefix sees all of itself and nothing of the answer; the answer is causal; padding is never seen`, async () => {
    const { params, config, inputs } = await fixture(name);
    const { attentions } = forward(params, inputs, config, { capture: { attentions: "all" } });
    const length = inputs.ids.shape[1]!, mask = inputs.attentionMask.arraySync() as number[][];
    for (const layer of attentions!.text.map((a) => a.arraySync() as number[][][][])) {
      layer.forEach((heads, b) => {
        const { first, suffix, end } = places(inputs, b);
        for (const head of heads) {
          for (let q = first; q < end; q++) {
            for (let k = 0; k < length; k++) {
              const seen = mask[b][k] === 1 && (q < suffix ? k < suffix : k <= q);
              if (seen) assert(head[q][k] > 0, `row ${b}: query ${q} should see key ${k}`);
              else assertEquals(head[q][k], 0, `row ${b}: query ${q} should not see key ${k}`);
            }
          }
        }
      });
    }
  });

  Deno.test(`${name}: more padding on either side, or another row in the batch, changes nothing`, async () => {
    const { params, config, inputs } = await fixture(name), before = forward(params, inputs, config).logits;
    for (const [left, right] of [[3, 0], [0, 4], [2, 1]]) {
      const wider = (x: Tensor) => tf.pad(x as Tensor, [[0, 0], [left, right]], 0) as Tensor;
      const more = {
        pixelValues: inputs.pixelValues,
        ids: wider(inputs.ids),
        tokenTypes: wider(inputs.tokenTypes),
        attentionMask: wider(inputs.attentionMask),
      };
      const after = forward(params, more, config).logits;
      for (let b = 0; b < inputs.ids.shape[0]; b++) {
        const { first, end } = places(inputs, b);
        assert(difference(at(before, b, first, end - first), at(after, b, first + left, end - first)) < 2e-5);
      }
    }
    const { first, end } = places(inputs, 1), cut = (x: Tensor) => tf.slice(x, [1, first], [1, end - first]);
    const alone = {
      pixelValues: tf.slice(inputs.pixelValues, 1, 1),
      ids: cut(inputs.ids),
      tokenTypes: cut(inputs.tokenTypes),
      attentionMask: cut(inputs.attentionMask),
    };
    const after = forward(params, alone, config).logits;
    assert(difference(at(before, 1, first, end - first), after) < 2e-5);
  });

  Deno.test(`${name}: the loss over label rows is the masked loss over every position`, async () => {
    const { params, config, inputs, labels, record } = await fixture(name);
    const few =
      crossEntropy(forward(params, inputs, config, { logitsAt: labels.rows }).logits, labels).dataSync()[0];
    const logP = tf.logSoftmax(forward(params, inputs, config).logits).arraySync() as number[][][];
    let sum = 0, count = 0;
    (record.labels.arraySync() as number[][]).forEach((row, b) => {
      row.forEach((label, t) => {
        if (label === -100) return;
        sum -= logP[b][t - 1][label];
        count++;
      });
    });
    assert(Math.abs(few - sum / count) < 2e-6, `${few}, all positions ${sum / count}`);
  });
}

Deno.test("labelRows shifts by one, fills up to the capacity, and divides by what it is told", () => {
  const labels = Int32Array.from([-100, -100, 7, 8, -100, 9, 5, -100]);
  const { rows, targets, weights } = labelRows(labels, 2, 4, { capacity: 6, total: 8 });
  assertEquals([...rows.dataSync()], [1, 2, 4, 5, 0, 0]);
  assertEquals([...targets.dataSync()], [7, 8, 9, 5, 0, 0]);
  assertEquals([...weights.dataSync()], [0.125, 0.125, 0.125, 0.125, 0, 0]);
  assertThrows(
    () => labelRows(labels, 2, 4, { capacity: 3 }),
    Error,
    "4 labels, more than the capacity of 3",
  );
  assertThrows(() => labelRows(new Int32Array(8).fill(-100), 2, 4), Error, "no label");
  assertThrows(() => labelRows(labels, 2, 5), Error, "Expected 2 x 5 labels, found 8");
});
