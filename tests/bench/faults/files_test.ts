import { assertEquals } from "@std/assert";
import { modelFiles } from "./model_files.ts";
import { tables } from "./tables.ts";

for (const [campaign, count] of [[modelFiles, 60], [tables, 190]] as const) {
  Deno.test(`damaged ${campaign.name} neither hang nor end the process, and are refused by a sentence`, async () => {
    const { tried, failed, details } = await campaign.run(count, new AbortController().signal);
    assertEquals([tried, failed], [count, 0], details.join("\n"));
  });
}
