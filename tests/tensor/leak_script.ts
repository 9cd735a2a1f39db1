/** Prints what 400 train steps add, five times over. Run by memory_test.ts in a process of its own. */
import { jit, tf, upload } from "../../lib/tensor/mod.ts";
import { memory } from "../../lib/tensor/memory.ts";
import { binding } from "../../lib/tensor/backend.ts";
import { start, step, wave } from "./train_step.ts";

const x = wave([5, 3]), y = wave([5, 2], 0.5), train = jit(step);
let state = start();
upload([x, y, ...Object.values(state.p), ...Object.values(state.m)]);

function run(steps: number) {
  for (let i = 0; i < steps; i++) {
    const { loss, params, momentum } = train(state.p, state.m, x, y);
    tf.dispose([loss, ...Object.values(state.p), ...Object.values(state.m)]);
    state = { p: params, m: momentum };
  }
  return { ...memory(), handles: binding.getNumOfTensors() };
}

// First V8's own heap has to reach its size.
run(2000);
const added = Array.from({ length: 5 }, () => {
  const before = run(100), after = run(400);
  return {
    tensors: after.tensors - before.tensors,
    handles: after.handles - before.handles,
    rssBytes: after.rssBytes - before.rssBytes,
  };
});
console.log(JSON.stringify(added));
