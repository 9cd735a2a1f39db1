import { assertEquals } from "@std/assert";
import { kills } from "../../lib/cli/bench/kills.ts";

Deno.test("five kills of a process that writes runs lose none, and a reader beside it sees none that is not whole", async () => {
  const { tried, failed, details } = await kills.run(5, new AbortController().signal);
  assertEquals([tried, failed], [5, 0], details.join("\n"));
});
