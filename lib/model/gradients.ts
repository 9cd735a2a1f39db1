import type { Tensor } from "@tensorflow/tfjs";
import { barrier, dispose, gather, jit, tf, tidy, upload, valueAndGradients, vjp } from "../tensor/mod.ts";
import type { PaliGemmaConfig, Params } from "../weights/mod.ts";
import { type Block, BLOCK_KINDS, type BlockContext, blocksOf, prefixOf, tensorsByBlock } from "./blocks.ts";
import { lmHead } from "./gemma.ts";
import { weight, type Weights } from "./layers.ts";
import { crossEntropy, type LabelRows } from "./loss.ts";
import { attentionInputs, dtypeOf, type FeatureInputs, type ModelInputs, run } from "./paligemma.ts";

/** A loss (float32 scalar) and its gradient for each trained tensor. */
export interface LossAndGradients {
  /** float32 scalar. */
  loss: Tensor;
  /** In the shapes and under the names of the trained tensors. */
  gradients: Params;
}

/** How gradients are computed. */
export interface GradientOptions {
  /**
   * Keep only the input of each block, and compute the block again when its gradient is due: about a third more time for
   * a fraction of the memory (18 + 27 blocks of 448 px activations would not fit).
   */
  recompute?: boolean;
  /**
   * With `recompute`: how each kind of block is compiled, its forward and its backward pass once for all layers. Default:
   * not at all, op by op, or as part of the traced function in which this is called.
   */
  compiler?: "graph" | "xla";
}

/**
 * Loss of a batch and its gradients for the tensors named in `trained`, and for no others: what is frozen is never
 * differentiated, and below the first trained tensor nothing is.
 *
 * @param trained names among `w.tensors`: e.g. the projector's two (stage 1) or all LoRA matrices (stage 2)
 * @throws if a name is unknown or has no influence on the loss
 */
export function lossAndGradients(
  w: Weights,
  trained: readonly string[],
  inputs: ModelInputs | FeatureInputs,
  labels: LabelRows,
  config: PaliGemmaConfig,
  options: GradientOptions = {},
): LossAndGradients {
  if (trained.length === 0) throw new Error("Nothing to train: name at least one tensor.");
  const start = Object.fromEntries(trained.map((name) => [name, weight(w, name)]));
  return tidy(() => {
    if (options.recompute) return byBlock(w, start, inputs, labels, config, options.compiler);
    const f = (params: Params) => {
      const tensors = { ...w.tensors, ...params };
      return crossEntropy(run({ ...w, tensors }, inputs, config, { logitsAt: labels.rows }).logits, labels);
    };
    const { value: loss, gradients } = valueAndGradients(f, start);
    return { loss, gradients };
  });
}

/** Forward and backward pass of one kind of block, the layers' weights being arguments. */
interface Passes {
  forward: (own: Params, h: Tensor, context: BlockContext) => Tensor;
  /** From the gradient of the block's output those of its trained tensors and, if anything lies below, of its input. */
  backward: (
    trained: Params,
    own: Params,
    h: Tensor,
    context: BlockContext,
    dy: Tensor,
    below: boolean,
  ) => { dh?: Tensor; gradients: Params };
}

/** The passes of all kinds of blocks, and loss and gradients of the output layer. */
interface CompiledBlocks {
  of: Record<Block["kind"], Passes>;
  head: (trained: Params, own: Params, h: Tensor, labels: LabelRows) => LossAndGradients & { dh: Tensor };
}

function compileBlocks(
  config: PaliGemmaConfig,
  loraScale: number,
  compiler?: "graph" | "xla",
): CompiledBlocks {
  // deno-lint-ignore no-explicit-any -- as jit's own
  const compiled = <Args extends any[], R>(f: (...args: Args) => R): (...args: Args) => R =>
    compiler ? jit(f, { compiler }) : (...args) => tidy(() => f(...args));
  const passes = (kind: Block["kind"]): Passes => {
    const apply = (tensors: Params, h: Tensor, context: BlockContext) =>
      BLOCK_KINDS[kind]({ tensors, loraScale }, h, context, config);
    return {
      forward: compiled(apply),
      backward: compiled((trained, own, h, context, dy, below) => {
        // Without the barrier a trace around it all would merge the repetition away, memory and all.
        const before = barrier(h, dy);
        const f = ({ h = before, ...params }: Params) => apply({ ...own, ...params }, h, context);
        const { h: dh, ...gradients } = vjp(f, below ? { h: before, ...trained } : trained, dy);
        return { dh, gradients };
      }),
    };
  };
  return {
    of: {
      patches: passes("patches"),
      visionLayer: passes("visionLayer"),
      visionEnd: passes("visionEnd"),
      projector: passes("projector"),
      merge: passes("merge"),
      textLayer: passes("textLayer"),
    },
    head: compiled((trained, own, h, labels) => {
      const f = ({ h, ...params }: Params) => {
        const weights = { loraScale, tensors: { ...own, ...params } };
        return crossEntropy(lmHead(weights, gather(h, labels.rows), config), labels);
      };
      const { value: loss, gradients: { h: dh, ...gradients } } = valueAndGradients(f, { h, ...trained });
      return { loss, gradients, dh };
    }),
  };
}

/** Compiled blocks by what they close over. */
const compiledBlocks = new Map<string, CompiledBlocks>();

/** The passes of a model, compiled once for all runs. */
function blocksFor(config: PaliGemmaConfig, loraScale: number, compiler?: "graph" | "xla"): CompiledBlocks {
  const key = JSON.stringify([config, loraScale, compiler]);
  const found = compiledBlocks.get(key) ?? compileBlocks(config, loraScale, compiler);
  compiledBlocks.set(key, found);
  return found;
}

function byBlock(
  w: Weights,
  trained: Params,
  inputs: ModelInputs | FeatureInputs,
  labels: LabelRows,
  config: PaliGemmaConfig,
  compiler?: "graph" | "xla",
): LossAndGradients {
  const { of, head } = blocksFor(config, w.loraScale, compiler), gradients: Params = {};
  const collect = (found: Params, prefix = "") => {
    for (const [name, g] of Object.entries(found)) {
      const sum = gradients[prefix + name];
      gradients[prefix + name] = sum ? tf.add(sum, g) : g;
    }
  };
  // In advance: the bits of int32, made in the middle of a step, would wait for the GPU.
  if (compiler) upload([inputs.ids, labels.rows, labels.targets]);
  const context = { ids: inputs.ids, shared: attentionInputs(inputs, config, dtypeOf(w)) };
  const all = blocksOf(config), projecting = all.findIndex(({ kind }) => kind === "projector");
  const [first, chain] = "features" in inputs
    ? [tf.reshape(inputs.features, [-1, config.vision.hiddenSize]), all.slice(projecting)]
    : [inputs.pixelValues, all];
  const isFrozen = ([name]: [string, Tensor]) => !(name in trained);
  const frozen = Object.fromEntries(Object.entries(w.tensors).filter(isFrozen));
  const [ownOf, trainedOf] = [frozen, trained].map((tensors) => tensorsByBlock(chain, tensors));
  const blocks = chain.map((block, i) => ({
    passes: of[block.kind],
    own: ownOf[i],
    trained: trainedOf[i],
    prefix: prefixOf(block),
  }));
  const lowest = blocks.findIndex((block) => Object.keys(block.trained).length > 0);

  // Forward, outside any tape: only the inputs of the blocks that will be differentiated stay.
  const inputsOf = [first];
  for (const [i, { passes, own, trained }] of blocks.entries()) {
    inputsOf.push(passes.forward({ ...own, ...trained }, inputsOf[i], context));
    if (i > 0 && (lowest < 0 || i < lowest)) inputsOf[i].dispose();
  }

  // The output layer reads the embedding table too (tied), so that tensor gets gradients from both ends.
  const ends = (tensors: Params): Params =>
    Object.fromEntries(
      Object.entries(tensors).filter(([n]) => /^language_model\.(norm|embed_tokens)\./.test(n)),
    );
  const last = inputsOf.pop()!,
    { loss, dh, gradients: atEnd } = head(ends(trained), ends(frozen), last, labels);
  collect(atEnd);
  last.dispose();
  let dy = dh;
  for (let i = blocks.length - 1; lowest >= 0 && i >= lowest; i--) {
    const { passes, own, trained, prefix } = blocks[i];
    const found = passes.backward(trained, own, inputsOf[i], context, dy, i > lowest);
    collect(found.gradients, prefix);
    dispose([dy, i > 0 ? inputsOf[i] : null]);
    dy = found.dh ?? dy;
  }
  const missing = Object.keys(trained).filter((n) => !gradients[n]);
  if (missing.length) {
    throw new Error(`No part of the model reads ${missing.join(", ")}: nothing to train there.`);
  }
  return { loss, gradients };
}
