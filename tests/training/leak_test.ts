import { assert, assertEquals } from "@std/assert";
import { runScript } from "../tensor/run_script.ts";

type Added = Record<"tensors" | "handles" | "heapBytes" | "rssBytes" | "leakBytes", number>;

Deno.test("steps 100 to 500 of either stage on the nano model add no tensor and no handle, and no memory a step", async () => {
  const script = new URL("./leak_script.ts", import.meta.url);
  const stages = await runScript<Record<string, Added>>(script, ["--v8-flags=--expose-gc"]);
  assertEquals(Object.keys(stages), ["stage1", "stage2"]);
  for (const [name, { tensors, handles, heapBytes, rssBytes, leakBytes }] of Object.entries(stages)) {
    assertEquals([tensors, handles], [0, 0], name);
    assert(heapBytes < 0.5e6, `${name}: V8's heap grew by ${heapBytes} bytes`);
    // XLA's and the allocator's own buffers come and go by megabytes (memory_test.ts measures the engine closer).
    assert(
      rssBytes < leakBytes / 4,
      `${name}: resident memory grew by ${rssBytes} bytes, a leak is ${leakBytes}`,
    );
  }
});
