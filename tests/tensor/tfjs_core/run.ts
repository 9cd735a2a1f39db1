/**
 * Runs TensorFlow.js's own specs of its core on our backend: deno run -A tests/tensor/tfjs_core/run.ts [part of a name]
 *
 * known_failures.json names the specs that fail, with the cause. A failure that is not in it, or a spec in it that
 * passes (unless its cause depends on the processor), ends the run with exit code 1. Known failures count as skipped,
 * as do specs that the package itself leaves out.
 */
import { tf } from "../../../lib/tensor/mod.ts";
import knownFailures from "./known_failures.json" with { type: "json" };
import { loadSpecs, type SpecResult } from "./load.ts";

const [part = ""] = Deno.args;
const known = new Set(knownFailures.flatMap(({ specs }) => specs));
const mayPass = new Set(knownFailures.filter((k) => k.dependsOnProcessor).flatMap(({ specs }) => specs));
const dir = await Deno.makeTempDir();
const passed: string[] = [], failed: SpecResult[] = [], expected: string[] = [];
let pending = 0;
const { log, warn, error } = console;

// A promise that nobody waits for must not end the run.
addEventListener("unhandledrejection", (e) => e.preventDefault());
// Loading twice warns, and specs of debug mode print.
console.log = console.warn = console.error = () => {};
try {
  const jasmine = await loadSpecs(tf.getBackend(), dir);
  jasmine.configure({
    random: false,
    failSpecWithNoExpectations: false,
    specFilter: (s) => s.getFullName().includes(part),
  });
  jasmine.addReporter({
    specDone(r) {
      if (r.status === "passed") passed.push(r.fullName);
      else if (r.status === "pending") pending++;
      else if (r.status === "failed") known.has(r.fullName) ? expected.push(r.fullName) : failed.push(r);
    },
    suiteDone(r) {
      if (r.failedExpectations.length > 0) failed.push(r);
    },
  });
  await jasmine.execute();
} finally {
  Object.assign(console, { log, warn, error });
  await Deno.remove(dir, { recursive: true });
}

for (const { fullName, failedExpectations } of failed) {
  console.log(`FAILED ${fullName}`);
  for (const { message } of failedExpectations) console.log(`  ${message.slice(0, 400)}`);
}
const healed = passed.filter((name) => known.has(name) && !mayPass.has(name));
for (const name of healed) console.log(`PASSED, though known_failures.json names it: ${name}`);
if (passed.length === 0) console.log("No spec ran.");
console.log(`${passed.length} passed, ${failed.length} failed, ${expected.length + pending} skipped`);
Deno.exit(failed.length > 0 || healed.length > 0 || passed.length === 0 ? 1 : 0);
