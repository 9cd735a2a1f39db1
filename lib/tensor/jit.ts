/** jit: TensorFlow.js code as one TensorFlow function. */
import type { Tensor } from "@tensorflow/tfjs";
import { backend, binding, tf } from "./backend.ts";
import { describe } from "./dtype.ts";
import type { TracedFunction } from "./function.ts";
import { matmulPrecision } from "./precision.ts";
import { isTracedId } from "./table.ts";
import { flatten, replaceTensors } from "./tree.ts";

/** How a traced function is run. */
export interface JitOptions {
  /** "graph" (default): TensorFlow's graph executor. "xla": compiled by XLA at the first call. */
  readonly compiler?: "graph" | "xla";
}

/** What one trace came to. */
export interface TraceInfo {
  /** Structure, types and shapes of the arguments it is for. */
  readonly signature: string;
  /** Nodes of its graph. */
  readonly nodes: number;
  /** Milliseconds that tracing took. */
  readonly traceMs: number;
  /** Tensors used from outside. */
  readonly captures: number;
}

/** A traced function; it can be called like the plain one. */
export interface Jitted<A extends unknown[], R> {
  (...args: A): R;
  /** One for each signature met so far. */
  readonly traces: readonly TraceInfo[];
  /** Frees the traced functions. A later call traces again. */
  dispose(): void;
}

/** Stands for a tensor in a result's tree. */
const HOLE = Symbol("tensor");

type Info = ReturnType<typeof binding.infoOf>;

interface Compiled {
  readonly f: TracedFunction;
  /** The result's tree around the tensors of a call. */
  readonly rebuild: (outputs: Tensor[]) => unknown;
}

/** Types and shapes of tensors as text, which weights are asked for in every call. */
const descriptions = new WeakMap<Info, string>();
function described(info: Info): string {
  let text = descriptions.get(info);
  if (text === undefined) descriptions.set(info, text = describe(info));
  return text;
}

/** True while the function given to jit is being traced. */
export const isTracing = (): boolean => binding.trace !== null;

const isDifferentiating = (): boolean => tf.engine().state.gradientDepth > 0;

function trace(
  fn: (...args: never[]) => unknown,
  name: string,
  xla: boolean,
  args: unknown[],
  ids: number[],
): Compiled {
  const engine = tf.engine(), { random } = Math;
  binding.begin(name, xla);
  engine.startScope("jit");
  Math.random = () => {
    throw new Error(
      `${name}: a random number drawn while tracing (tf.randomNormal, tf.randomUniform, tf.dropout, Math.random) would be ` +
        "the same at each call. Use randomNormal or randomUniform of lib/tensor, with a seed that is an argument.",
    );
  };
  try {
    let at = 0;
    const argument = () => backend().createOutputTensor(binding.argument(binding.infoOf(ids[at++])));
    const result = fn(...args.map((a) => replaceTensors(a, argument)) as never[]), tensors: Tensor[] = [];
    if (result instanceof Promise) throw new Error(`${name}: a function given to jit must not be async.`);
    flatten(result, tensors, `the result of ${name}`);
    const shell = replaceTensors(result, () => HOLE);
    const f = binding.end(backend().getInputTensorIds(tensors));
    dropKept(tensors);
    return { f, rebuild: (outputs) => fillHoles(shell, outputs) };
  } catch (e) {
    dropTape();
    throw e;
  } finally {
    Math.random = random;
    engine.endScope();
    binding.abort();
  }
}

/** Results that had to be kept (from inside of tf.grads, say) are not disposed with the scope. */
function dropKept(results: readonly Tensor[]): void {
  const { tensorMap } = backend();
  for (const t of results) if (!t.isDisposed && isTracedId(tensorMap.get(t.dataId).id)) t.dispose();
}

/** If the function that tf.grads records throws, TensorFlow.js keeps the tape and what it saved. */
function dropTape(): void {
  const { state } = tf.engine();
  for (const { saved } of state.activeTape ?? []) tf.dispose(saved ?? []);
  (state as { activeTape: unknown }).activeTape = null;
}

function fillHoles(shell: unknown, outputs: Tensor[]): unknown {
  let next = 0;
  const fill = (x: unknown): unknown => {
    if (x === HOLE) return outputs[next++];
    if (Array.isArray(x)) return x.map(fill);
    if (x === null || typeof x !== "object") return x;
    return Object.fromEntries(Object.entries(x).map(([k, y]) => [k, fill(y)]));
  };
  return fill(shell);
}

/**
 * A function of tensors, traced at its first call and from then on run as one TensorFlow function: forward, gradients
 * and optimizer alike. Arguments and result are tensors or nested arrays and records of them; numbers and strings
 * among them are part of the signature. There is one trace for each signature (structure, real types, shapes) and
 * precision of matrix products ({@linkcode setMatmulPrecision}).
 *
 * What holds for the traced code:
 * - It runs once, so it must have no other effect than its result; tensors it keeps from inside are of no use.
 * - It cannot read values (`dataSync`, `data`, `print`), nor use ops whose shapes depend on data (`where` with one
 *   argument, `unique`, non-max suppression).
 * - Numbers that JavaScript draws would be the same at each call: to draw without a seed is an error, with one they are
 *   constants. Use randomNormal, randomUniform with a seed that is an argument, not tf.randomNormal,
 *   tf.randomUniform, tf.dropout.
 * - A tensor from outside is used by reference and must live as long as the function is called. A variable's value is
 *   taken at each call; to assign one inside is an error.
 * - Inside of another trace it becomes part of it. While tf.grads records outside of a trace it runs as the plain
 *   function, op by op: put the tf.grads inside.
 * @throws at the call: what TensorFlow says of an op, with its input types and shapes
 *
 * @example A function with its gradient, compiled once
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jit, tf } from "@lib/tensor/mod.ts";
 *
 * const slope = jit((x: ReturnType<typeof tf.scalar>) => tf.grad((x) => tf.square(x))(x));
 * assertEquals([slope(tf.scalar(3)).dataSync()[0], slope(tf.scalar(4)).dataSync()[0]], [6, 8]);
 * ```
 */
// deno-lint-ignore no-explicit-any -- a parameter list of any kind is taken
export function jit<A extends any[], R>(fn: (...args: A) => R, options: JitOptions = {}): Jitted<A, R> {
  const xla = options.compiler === "xla", name = `jit_${fn.name.replace(/\W/g, "_") || "function"}`;
  const compiled = new Map<string, Compiled>(), traces: TraceInfo[] = [];

  const call = (...args: A): R => {
    if (isTracing() || isDifferentiating()) return fn(...args);
    const tensors: Tensor[] = [];
    const structure = args.map((a, i) => flatten(a, tensors, `argument ${i + 1} of ${name}`)).join();
    const ids = backend().getInputTensorIds(tensors);
    const signature = `(${structure}) ${ids.map((id) => described(binding.infoOf(id))).join(" ")}`;
    const key = `${matmulPrecision()} ${signature}`;
    let c = compiled.get(key);
    if (!c) {
      const start = performance.now();
      compiled.set(key, c = trace(fn, name, xla, args, ids));
      const { nodes, captures } = c.f;
      traces.push({ signature, nodes, captures: captures.length, traceMs: performance.now() - start });
    }
    return c.rebuild(binding.call(c.f, ids).map((m) => backend().createOutputTensor(m))) as R;
  };
  const dispose = () => {
    for (const { f } of compiled.values()) binding.remove(f);
    compiled.clear();
    traces.length = 0;
  };
  return Object.assign(call, { traces, dispose });
}
