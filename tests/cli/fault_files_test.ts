import { assertEquals } from "@std/assert";
import { modelFiles } from "../../lib/cli/bench/model_files.ts";

Deno.test("damaged checkpoint files neither hang nor end the process, and are refused by a sentence", async () => {
  const { tried, failed, details } = await modelFiles.run(60, new AbortController().signal);
  assertEquals([tried, failed], [60, 0], details.join("\n"));
});
