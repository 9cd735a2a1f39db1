/** Loops whose number of turns depends on what they compute. */
import type { Tensor } from "@tensorflow/tfjs";
import { backend, binding, tf } from "./backend.ts";
import { describe } from "./dtype.ts";
import type { Metadata } from "./table.ts";
import { flatten, replaceTensors } from "./tree.ts";
import { tidy } from "./typed.ts";

/** The tree with other tensors in the place of its own. */
function withTensors<S>(tree: S, tensors: readonly Tensor[]): S {
  let next = 0;
  return replaceTensors(tree, () => tensors[next++]) as S;
}

/** The tensors of what a turn makes of a state. @throws if it is not of the state's structure, types and shapes */
function alike(before: readonly Tensor[], structure: string, after: unknown): Tensor[] {
  const tensors: Tensor[] = [], found = flatten(after, tensors, "the state after a turn of the loop");
  const told = (of: readonly Tensor[], structure: string) =>
    `${structure} ${backend().getInputTensorIds(of).map((id) => describe(binding.infoOf(id))).join(" ")}`;
  if (told(tensors, found) !== told(before, structure)) {
    throw new Error(
      `A loop's state must keep its structure, types and shapes: it was ${
        told(before, structure)
      } and became ${told(tensors, found)}.`,
    );
  }
  return tensors;
}

/**
 * What becomes of a state by a body that is applied to it as long as a condition holds. Inside of {@linkcode jit} it is a
 * loop of the traced function, which waits for nothing outside; else the condition is read in each turn. Not
 * differentiated.
 *
 * @param state a tree of tensors; its structure, types and shapes stay
 * @param condition gives a bool scalar
 * @returns new tensors
 * @throws if the body gives a state of another kind
 */
export function whileLoop<S>(state: S, condition: (state: S) => Tensor, body: (state: S) => S): S {
  const start: Tensor[] = [], structure = flatten(state, start, "the state of the loop");
  if (binding.trace) {
    const inState = (made: Metadata[]) =>
      withTensors(state, made.map((m) => backend().createOutputTensor(m)));
    const idsOf = (tensors: Tensor[]) => backend().getInputTensorIds(tensors);
    const engine = tf.engine();
    engine.startScope("loop");
    let end: Metadata[];
    try {
      end = binding.loop(
        idsOf(start),
        (now) => idsOf([condition(inState(now))]),
        (now) => {
          const given = inState(now), before: Tensor[] = [];
          flatten(given, before, "the state of the loop");
          return idsOf(alike(before, structure, body(given)));
        },
      );
    } finally {
      engine.endScope();
    }
    return withTensors(state, end.map((m) => backend().createOutputTensor(m)));
  }
  let now = start.map((x) => tf.clone(x));
  while (tf.tidy(() => condition(withTensors(state, now)).dataSync()[0])) {
    const before = now;
    now = tidy(() => alike(before, structure, body(withTensors(state, before))).map((x) => tf.clone(x)));
    tf.dispose(before);
  }
  return withTensors(state, now);
}
