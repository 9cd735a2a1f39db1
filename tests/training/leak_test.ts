import { assert, assertEquals } from "@std/assert";
import { runScript } from "../tensor/run_script.ts";

type Added = Record<"tensors" | "handles" | "heapBytes" | "mallocBytes" | "rssBytes" | "leakBytes", number>;

Deno.test("steps 400 to 800 of either stage on the nano model add no tensor and no handle, and no memory a step", async () => {
  const script = new URL("./leak_script.ts", import.meta.url);
  const stages = await runScript<Record<string, Added>>(script, ["--v8-flags=--expose-gc"]);
  assertEquals(Object.keys(stages), ["stage1", "stage2"]);
  for (const [name, added] of Object.entries(stages)) {
    const { tensors, handles, heapBytes, mallocBytes, rssBytes, leakBytes } = added;
    assertEquals([tensors, handles], [0, 0], name);
    assert(
      heapBytes + mallocBytes < 0.5e6,
      `${name}: ${heapBytes} bytes of V8's heap, ${mallocBytes} of malloc's`,
    );
    // Pages are resident or not by more than what is in use: malloc's arenas and V8's spaces by a megabyte or two.
    assert(
      rssBytes < leakBytes / 4,
      `${name}: resident memory grew by ${rssBytes} bytes, a leak is ${leakBytes}`,
    );
  }
});
