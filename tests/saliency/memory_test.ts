/** Maps are made layer by layer: what a deeper model needs at its peak must not grow with its layers. */
import { assert, assertEquals } from "@std/assert";
import { rng } from "@lib/config/mod.ts";
import { attentionGradients, featureInputs, forward, labelRows, type Model } from "@lib/model/mod.ts";
import { towerRollout } from "@lib/saliency/mod.ts";
import { startReduction } from "@lib/saliency/reduction.ts";
import { startRelevance } from "@lib/saliency/relevance.ts";
import { memory } from "@lib/tensor/memory.ts";
import { tf, tidy } from "@lib/tensor/mod.ts";
import { expectedShapes, type PaliGemmaConfig } from "@lib/weights/mod.ts";

const HEADS = 4, SIDE = 12, PATCHES = SIDE * SIDE, LENGTH = PATCHES + 16;

/** Narrow layers over many patches, so that attention is nearly all that a layer has. */
function modelOf(layers: number): Model {
  const config: PaliGemmaConfig = {
    vision: {
      ...{ hiddenSize: 8, layers, heads: HEADS, intermediateSize: 8, imageSize: 2 * SIDE, patchSize: 2 },
      layerNormEps: 1e-6,
    },
    text: {
      ...{ hiddenSize: 8, layers, heads: HEADS, kvHeads: 1, headDim: 2, intermediateSize: 8 },
      ...{ rmsNormEps: 1e-6, ropeTheta: 10000, vocabSize: 12 },
    },
    ...{ imageTokenId: 11, bosId: 2, eosId: 1, padId: 0, imageTokens: PATCHES },
  };
  const random = rng("memory");
  const params = Object.fromEntries(
    Object.entries(expectedShapes(config)).map(([name, shape]) => {
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5);
      return [name, tf.tensor(values, shape)];
    }),
  );
  return { params, config, dtype: "float32" };
}

/** Bytes that `work` has at its peak beyond what was there before, by TensorFlow.js's own count after every kernel. */
async function peakOf(work: () => Promise<void> | void): Promise<number> {
  const before = memory().bytes;
  const { peakBytes } = await tf.profile(async () => {
    await work();
    return [];
  });
  return peakBytes - before;
}

/** Asserts that nine more layers cost less than the attention of two. */
async function assertStreams(what: string, length: number, work: (model: Model) => Promise<void> | void) {
  const peaks: number[] = [], layer = 4 * HEADS * length * length;
  for (const layers of [3, 12]) {
    const model = modelOf(layers);
    await work(model); // so that what is made once is there
    const before = memory().tensors;
    peaks.push(await peakOf(() => work(model)));
    assertEquals(memory().tensors, before, `${what} leaves tensors behind`);
    tf.dispose(Object.values(model.params));
  }
  assert(peaks[0] > 2 * layer, `${what}: ${peaks[0]} bytes are not even two layers: the peak is not seen`);
  const more = peaks[1] - peaks[0];
  assert(more < 2 * layer, `${what}: nine more layers cost ${more} bytes, the attention of one has ${layer}`);
}

Deno.test("the tower's rollout holds the attention of one layer, however many there are", async () => {
  const data = Uint8Array.from({ length: 3 * (2 * SIDE) ** 2 }, (_, i) => (i * 37) % 256);
  const store = { size: 2 * SIDE, get: () => Promise.resolve(data), fill: () => Promise.resolve() };
  await assertStreams("towerRollout", PATCHES, async (model) => void await towerRollout(model, store, ""));
});

Deno.test("an answer's attention and gradients are reduced layer by layer", async () => {
  const start = PATCHES + 12, response = [...Array(LENGTH - start).keys()].map((i) => start + i);
  const row = {
    ...{ batch: 1, length: LENGTH },
    ids: Int32Array.from({ length: LENGTH }, (_, i) => i < PATCHES ? 11 : 2 + i % 7),
    tokenTypes: Int32Array.from({ length: LENGTH }, (_, i) => Number(i >= start)),
    attentionMask: new Int32Array(LENGTH).fill(1),
  };
  const labels = Int32Array.from(row.ids, (id, i) => i >= start ? id : -100);
  const grid = { length: LENGTH, imageStart: 0, rows: SIDE, columns: SIDE };
  const layout = { ...grid, response, sinks: [PATCHES, start - 1] };
  await assertStreams("a captured answer", LENGTH, (model) => {
    const reduction = startReduction(layout), relevance = startRelevance(LENGTH);
    tidy(() => {
      const inputs = featureInputs(row, tf.ones([1, PATCHES, 8])),
        own = labelRows(labels, 1, LENGTH, { total: 1 });
      forward(model.params, inputs, model.config, {
        capture: { onLayer: reduction.add },
        logitsAt: own.rows,
      });
      attentionGradients(model, inputs, own, relevance.add);
    });
    assert(reduction.result().rollout.some((weight) => weight > 0));
    assert(relevance.result().some((weight) => weight > 0));
  });
});
