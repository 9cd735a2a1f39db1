import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const file = (name: string) => fromFileUrl(new URL(name, import.meta.url));

Deno.test("steps 100 to 500 of either stage on the nano model add no tensor, no handle and no memory", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      "--no-check",
      "--v8-flags=--expose-gc",
      `--config=${file("../../deno.json")}`,
      file("leak_script.ts"),
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const stages: Record<
    string,
    Record<"tensors" | "handles" | "heapBytes" | "rssBytes" | "leakBytes", number>
  > = JSON.parse(new TextDecoder().decode(stdout));
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
