/** Starts a run of stage 01_data in LAB_RESULTS, says so and stays until it is killed: for run_test.ts. */
import { startRun } from "@lib/artifacts/mod.ts";
import { loadConfig } from "@lib/config/mod.ts";

const run = await startRun("01_data", loadConfig({}));
await run.writeText("half.txt", "half");
console.log("started");
setInterval(() => {}, 1000);
