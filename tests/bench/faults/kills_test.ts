import { assertEquals } from "@std/assert";
import { kills } from "./kills.ts";
import { trainingKills } from "./training_kills.ts";

Deno.test("five kills of a process that writes runs lose none, and a reader beside it sees none that is not whole", async () => {
  const { tried, failed, details } = await kills.run(5, new AbortController().signal);
  assertEquals([tried, failed], [5, 0], details.join("\n"));
});

Deno.test("two kills of a process that trains change no bit of either stage, and leave no file", async () => {
  const { tried, failed, details } = await trainingKills.run(2, new AbortController().signal);
  assertEquals([tried, failed], [2, 0], details.join("\n"));
});
