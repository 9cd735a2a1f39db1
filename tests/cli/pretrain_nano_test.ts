import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { UsageError } from "../../lib/cli/command.ts";
import * as pretrain from "../../lib/cli/pretrain_nano.ts";

Deno.test("what pretrain-nano does not understand is a usage error", async () => {
  await assertRejects(() => pretrain.run([]), UsageError, "1 arguments");
  await assertRejects(() => pretrain.run(["x", "--limit", "few"]), UsageError, "--limit");
});

Deno.test("pretrain-nano touches no folder with files in it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(dir, "mine.txt"), "keep");
    await assertRejects(() => pretrain.run([dir]), Error, "not an empty folder");
    assertEquals([...Deno.readDirSync(dir)].map((e) => e.name), ["mine.txt"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
