import { rng, shuffle } from "../config/mod.ts";
import type { ImageStore, Model } from "../model/mod.ts";
import { gather, tf, tidy } from "../tensor/mod.ts";
import { centreMap } from "./localisation.ts";

/** Maps that do not depend on what the question asks of the image: rollout is worth something only ahead of them. */
export const BASELINES = {
  "random": "a constant map: what a random point would score",
  "centre": "a blob in the middle of the image",
  "local contrast": "how much the pixels of a patch differ among themselves",
  "mean of other images": "mean rollout of answers to the same type of question about other images",
  "another image": "rollout of an answer to the same type of question about another image",
  "another question":
    "rollout of the answer to a question about the same image in which the lesion has no part",
  "shuffled weights": "rollout of the same answer by a model whose decoder's weights are shuffled",
} as const;
/** One of {@linkcode BASELINES}. */
export type Baseline = keyof typeof BASELINES;

/** Standard deviation of the grey values of each patch, `[rows * columns]`. */
export async function contrastMap(
  store: ImageStore,
  imagePath: string,
  rows: number,
  columns: number,
): Promise<Float32Array> {
  const data = await store.get(imagePath), side = store.size, [height, width] = [side / rows, side / columns];
  return Float32Array.from({ length: rows * columns }, (_, patch) => {
    const [top, left] = [Math.floor(patch / columns) * height, (patch % columns) * width];
    let [sum, squares] = [0, 0];
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) {
        const at = 3 * (y * side + x), grey = (data[at] + data[at + 1] + data[at + 2]) / 3;
        sum += grey;
        squares += grey * grey;
      }
    }
    const n = height * width;
    return Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
  });
}

/**
 * The model with the matrices of its language model's layers shuffled, each within itself, and without its adapter: the
 * distribution of the weights stays, what was learnt goes. Vision tower and projector stay as they are, so that what a map
 * still shows is theirs. (A sanity check of Adebayo et al. 2018.)
 *
 * @returns the model, and what frees its new tensors
 */
export function shuffledDecoder(model: Model, seed: number): { model: Model; dispose: () => void } {
  const random = rng(`shuffled decoder/${seed}`);
  const params = Object.fromEntries(
    Object.entries(model.params).map(([name, x]) => {
      if (!name.startsWith("language_model.layers.") || x.rank < 2) return [name, x];
      const places = Int32Array.from(shuffle([...Array(x.size).keys()], random));
      return [
        name,
        tidy(() => tf.reshape(gather(tf.reshape(x, [-1]), tf.tensor1d(places, "int32")), x.shape)),
      ];
    }),
  );
  const own = Object.entries(params).filter(([name, x]) => x !== model.params[name]);
  return {
    model: { ...model, params, adapter: undefined },
    dispose: () => tf.dispose(own.map(([, x]) => x)),
  };
}

/** What maps of other images are chosen by. */
interface Placed {
  imageId: string;
  questionType: string | null;
  /** Rollout of its own answer. */
  rollout: Float32Array;
}

/**
 * The baselines that no model is needed for: constant, centre, and what rollout shows for other images that were asked the
 * same type of question (a constant map where there is no other image).
 */
export function mapsOfOthers(
  studied: readonly Placed[],
  side: number,
): Record<"random" | "centre" | "mean of other images" | "another image", Float32Array>[] {
  const constant = new Float32Array(side * side).fill(1), centre = centreMap(side, side);
  const shares = studied.map(({ rollout }) => {
    const total = rollout.reduce((sum, weight) => sum + weight, 0);
    return rollout.map((weight) => weight / total);
  });
  return studied.map((own, i) => {
    const others = [...studied.keys()].filter((j) =>
      studied[j].questionType === own.questionType && studied[j].imageId !== own.imageId
    );
    const next = others.find((j) => j > i) ?? others[0];
    const mean = new Float32Array(side * side);
    for (const j of others) shares[j].forEach((share, p) => mean[p] += share / others.length);
    return {
      "random": constant,
      "centre": centre,
      "mean of other images": others.length > 0 ? mean : constant,
      "another image": next === undefined ? constant : shares[next],
    };
  });
}
