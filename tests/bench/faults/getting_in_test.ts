import { assertEquals } from "@std/assert";
import { archives, replies } from "./getting_in.ts";

for (const campaign of [archives, replies]) {
  Deno.test(`80 damaged ${campaign.name} do no harm`, async () => {
    const { tried, details } = await campaign.run(80, new AbortController().signal);
    assertEquals([tried, details], [80, []]);
  });
}
