import { assert, assertEquals } from "@std/assert";
import { walk } from "@std/fs";
import type { Tensor2D } from "@tensorflow/tfjs";
import { fromFileUrl } from "@std/path";
import { jit, matmulPrecision, setMatmulPrecision, tf } from "../../lib/tensor/mod.ts";

const MOD = new URL("../../lib/tensor/mod.ts", import.meta.url).href;
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

Deno.test("matrices are multiplied in float32 unless TF32 is asked for, and jit compiles for each precision", () => {
  assertEquals(matmulPrecision(), "float32");
  const square = jit((x: Tensor2D) => tf.matMul(x, x)), x = tf.ones([2, 2]) as Tensor2D;
  try {
    for (const precision of ["float32", "tf32", "tf32", "float32"] as const) {
      setMatmulPrecision(precision);
      assertEquals(matmulPrecision(), precision);
      assertEquals([...square(x).dataSync()], [2, 2, 2, 2]);
    }
  } finally {
    setMatmulPrecision("float32");
  }
  assertEquals(square.traces.length, 2);
});

Deno.test("the precision reaches XLA: full products are marked as such in what it compiles", async () => {
  const dir = await Deno.makeTempDir({ dir: "/tmp" }); // XLA_FLAGS end at a blank, which TMPDIR may hold
  const code = `const { jit, setMatmulPrecision, tf } = await import(${JSON.stringify(MOD)});
    for (const precision of ["float32", "tf32"]) {
      setMatmulPrecision(precision);
      const f = { [precision]: (x) => tf.matMul(x, x) }[precision];
      jit(f, { compiler: "xla" })(tf.ones([64, 64])).dataSync();
    }`;
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", `--config=${CONFIG}`, code],
      env: { XLA_FLAGS: `--xla_dump_to=${dir} --xla_dump_hlo_as_text`, TF_CPP_MIN_LOG_LEVEL: "3" },
      stdout: "null",
      stderr: "piped",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const marked: Record<string, boolean> = {};
    for await (
      const { path, name } of walk(dir, { exts: [".before_optimizations.txt"], includeDirs: false })
    ) {
      const text = await Deno.readTextFile(path);
      if (text.includes(" dot(")) marked[/jit_(float32|tf32)/.exec(name)![1]] = text.includes("highest");
    }
    assertEquals(marked, { float32: true, tf32: false });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
