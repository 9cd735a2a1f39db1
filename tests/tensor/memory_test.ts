import { assert, assertEquals } from "@std/assert";
import { runScript } from "./run_script.ts";

Deno.test("400 train steps add no tensor, no handle and less than 0.5 MB of resident memory", async () => {
  const added = await runScript<Record<"tensors" | "handles" | "rssBytes", number>[]>(
    new URL("./leak_script.ts", import.meta.url),
  );
  assertEquals(added.length, 5);
  for (const { tensors, handles } of added) assertEquals([tensors, handles], [0, 0]);
  // The median: now and then V8 compiles something and keeps a megabyte for it.
  const median = added.map((a) => a.rssBytes).sort((a, b) => a - b)[2];
  assert(median < 0.5e6, `resident memory grew by ${added.map((a) => a.rssBytes)} bytes`);
});
