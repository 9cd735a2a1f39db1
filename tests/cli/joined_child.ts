/**
 * One worker of joined_group_test.ts: writes a run of 03_annealing, joins the others, opens the model, and prints how many have
 * joined, or the error.
 * Usage: joined_child.ts CONTENT, which the run's only file has
 */
import { delay } from "@std/async";
import { startRun } from "@lib/artifacts/mod.ts";
import { GRID, loadConfig } from "@lib/config/mod.ts";
import { joinedGroup, openAlike } from "@lib/cli/support/joined_group.ts";

const [content] = Deno.args, config = loadConfig({});
const run = await startRun("03_annealing", config);
await run.writeText("pairs.txt", content);
await run.finish();
try {
  const group = await joinedGroup(config, ["03_annealing"], { what: GRID });
  await openAlike(config, group, new AbortController().signal);
  console.log(group?.size);
} catch (error) {
  console.log((error as Error).message);
}
await delay(2000); // until the others have heard
Deno.exit(0);
