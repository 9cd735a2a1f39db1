import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const file = (name: string) => fromFileUrl(new URL(name, import.meta.url));

Deno.test("400 train steps add no tensor, no handle and less than 0.5 MB of resident memory", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      "--no-check",
      `--config=${file("../../deno.json")}`,
      file("leak_script.ts"),
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const added: Record<"tensors" | "handles" | "rssBytes", number>[] = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  for (const { tensors, handles } of added) assertEquals([tensors, handles], [0, 0]);
  // The median: now and then V8 compiles something and keeps a megabyte for it.
  const median = added.map((a) => a.rssBytes).sort((a, b) => a - b)[2];
  assert(median < 0.5e6, `resident memory grew by ${added.map((a) => a.rssBytes)} bytes`);
});
