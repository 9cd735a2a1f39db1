// deno-lint-ignore-file no-explicit-any
/** First version: the prototype under its final interface. */
import type { Tensor } from "@tensorflow/tfjs";
import { b, be, NodeJSKernelBackend, tf } from "./backend.ts";
export { NodeJSKernelBackend, tf };
export type DType = "float32" | "bfloat16" | "float16";
const CODE = { float32: 1, bfloat16: 14, float16: 19 } as const;
const idOf = (x: Tensor): number => be().getInputTensorIds([x])[0];
export function realType(x: Tensor): DType {
  const t = b.dtypeOf(idOf(x));
  return t === 14 ? "bfloat16" : t === 19 ? "float16" : "float32";
}
tf.registerKernel({
  kernelName: "AsType",
  backendName: "tensorflow",
  kernelFunc: ({ inputs: { x }, attrs }: any) =>
    be().executeSingleOutput("Cast", [{ name: "DstT", type: b.TF_ATTR_TYPE, value: attrs.to }], [x]),
});
tf.registerGradient({
  kernelName: "AsType",
  gradFunc: (dy: any, _: any, attrs: any) => ({ x: () => as(dy, attrs.from) }),
});
const as = (x: any, to: number): any => {
  const from = b.dtypeOf(idOf(x));
  return from === to ? x : tf.engine().runKernel("AsType", { x }, { from, to } as any);
};
export const asType = <T extends Tensor>(x: T, dtype: DType): T => as(x, CODE[dtype]);
export const isTracing = () => b.tracing;
export const tensorflowVersion = b.TF_Version;
export const devices = () => b.devices;
export const upload = (ts: Tensor[]) => {
  be().getInputTensorIds(ts);
};
export function barrier<T extends Tensor>(h: T, dy: Tensor): T {
  if (!b.tracing) return h;
  if (compiler === "xla") {
    return tf.tidy(() => {
      const z = tf.mul(tf.reshape(tf.slice(dy, dy.shape.map(() => 0), dy.shape.map(() => 1)), []), 0);
      return tf.add(h, asType(z, realType(h)));
    }) as T;
  }
  return b.after(idOf(dy), () => be().executeSingleOutput("Identity", [], [h])) as T;
}
export const allocTensor = (
  shape: number[],
  dtype: DType,
  fill: (part: Uint8Array<ArrayBuffer>) => void,
): Tensor => be().createOutputTensor(b.alloc(shape, CODE[dtype], fill));
type Seed = Tensor | readonly [number, number];
const seedOf = (s: Seed) => Array.isArray(s) ? tf.tensor1d(s as number[], "int32") : s as Tensor;
const draw = (op: string, shape: readonly number[], seed: Seed): Tensor =>
  tf.tidy(() =>
    be().executeSingleOutput(op, [{ name: "dtype", type: b.TF_ATTR_TYPE, value: 1 }], [
      tf.tensor1d(shape as number[], "int32"),
      seedOf(seed),
    ])
  );
export const randomNormal = (shape: readonly number[], seed: Seed) =>
  draw("StatelessRandomNormal", shape, seed);
export const randomUniform = (shape: readonly number[], seed: Seed) =>
  draw("StatelessRandomUniform", shape, seed);
/** Gumbel-max. */
export const categorical = (logits: Tensor, seed: Seed): Tensor =>
  tf.tidy(() =>
    tf.argMax(
      tf.sub(
        asType(logits, "float32"),
        tf.log(tf.neg(tf.log(tf.add(randomUniform(logits.shape, seed), 1e-20)))),
      ),
      -1,
    )
  );
export function updateSlice(buffer: Tensor, update: Tensor, position: Tensor): Tensor {
  return tf.tidy(() => {
    const n = buffer.shape[1] ?? 0;
    const hot = tf.reshape(tf.oneHot(tf.reshape(position, [1]), n), [
      1,
      n,
      ...buffer.shape.slice(2).map(() => 1),
    ]);
    return tf.where(tf.cast(hot, "bool"), update, buffer);
  });
}
let compiler: "graph" | "xla" = "graph";
const flat = (x: any, out: Tensor[]): string => {
  if (x instanceof tf.Tensor) {
    out.push(x);
    return "*";
  }
  if (Array.isArray(x)) return `[${x.map((y) => flat(y, out)).join()}]`;
  if (x && typeof x === "object") {
    return `{${Object.keys(x).map((k) => JSON.stringify(k) + ":" + flat(x[k], out)).join()}}`;
  }
  return JSON.stringify(x) ?? "undefined";
};
const rebuild = (x: any, next: () => Tensor): any =>
  x instanceof tf.Tensor
    ? next()
    : Array.isArray(x)
    ? x.map((y) => rebuild(y, next))
    : x && typeof x === "object"
    ? Object.fromEntries(Object.entries(x).map(([k, y]) => [k, rebuild(y, next)]))
    : x;
export function jit<A extends any[], R>(
  fn: (...args: A) => R,
  opts: { compiler?: "graph" | "xla" } = {},
): ((...args: A) => R) & { dispose(): void; traces: { nodes: number; traceMs: number; captures: number }[] } {
  const cache = new Map<string, { f: any; out: any }>();
  const run = ((...args: A): R => {
    if (b.tracing) return fn(...args);
    const xs: Tensor[] = [], tree = flat(args, xs), ids = be().getInputTensorIds(xs);
    const key = tree + xs.map((x, i) => b.dtypeOf(ids[i]) + "/" + x.shape).join();
    let e = cache.get(key);
    if (!e) {
      b.begin();
      compiler = opts.compiler ?? "graph";
      try {
        const t0 = performance.now();
        tf.engine().startScope();
        let i = 0;
        const ins = rebuild(args, () => {
          const k = i++;
          return be().createOutputTensor(b.input(xs[k].shape, b.dtypeOf(ids[k])));
        });
        const out = fn(...ins), ts: Tensor[] = [];
        flat(out, ts);
        const f = b.end(be().getInputTensorIds(ts));
        tf.engine().endScope();
        cache.set(key, e = { f, out: rebuild(out, () => new tf.Tensor([], "float32", {}, 0) as any) });
        run.traces.push({ nodes: f.nodes, traceMs: performance.now() - t0, captures: f.captures.length });
      } finally {
        b.abort();
      }
    }
    const outs = b.call(e.f, ids, opts.compiler === "xla").map((m) => be().createOutputTensor(m));
    let i = 0;
    return rebuild(e.out, () => outs[i++]);
  }) as any;
  run.traces = [];
  run.dispose = () => cache.clear();
  return run;
}
export const memory = () => ({
  tensors: tf.memory().numTensors,
  bytes: tf.memory().numBytes,
  rssBytes: Deno.memoryUsage().rss,
});
