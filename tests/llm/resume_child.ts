/** A process that runs jobs with a journal until it is done; resume_test.ts kills it. */
import { runJobs } from "@lib/llm/mod.ts";
import { sayings } from "./sayings.ts";

const [baseURL, journalPath, count, concurrency] = Deno.args;
const outcomes = await runJobs({ baseURLs: [baseURL], model: "m" }, sayings(Number(count)), {
  journalPath,
  concurrency: Number(concurrency),
});
console.log(outcomes.filter(({ completion }) => completion).length);
