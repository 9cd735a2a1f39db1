/** The record of equation 1's runs. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { scalingText } from "./scaling.ts";
import { machine } from "./machine.ts";
import { loadConfig } from "@lib/config/mod.ts";
import { scalingRows } from "@lib/report/mod.ts";
import { lawHolds } from "@lib/report/scaling.ts";
import { fitScalingLaw } from "@lib/stats/scaling_law.ts";

Deno.test("a record shows every run's loss by size and length, the intervals, errors beside a constant's, and its warnings", async () => {
  const runs = [1, 2].flatMap((seed) =>
    [15, 45, 135].flatMap((steps) => [1, 3, 9].map((rank) => ({ rank, steps, seed })))
  );
  const points = runs.map(({ rank, steps, seed }) => ({
    parameters: 1000 * rank,
    tokens: 100 * steps,
    loss: 6 * (1000 * rank) ** -0.35 * (100 * steps) ** -0.3 + 0.4 + 0.0001 * seed * ((rank + steps) % 5 - 2),
  }));
  const fit = fitScalingLaw(points);
  assertEquals(lawHolds(fit), true);
  assertEquals(lawHolds({ ...fit, warnings: ["E lies at its bound, 0."] }), false);
  assertEquals(scalingRows(fit).map(({ what }) => what), [
    "alpha",
    "beta",
    "E",
    "error on its own points",
    "error on each run left out",
    "error on each size left out",
  ]);
  const text = scalingText({
    ...{ points, fit, runs, perType: 400, config: loadConfig({}), machine: await machine() },
    ...{ startedAt: "2020-01-01T00:00:00Z", load: { before: 0.1, after: 0.2 } },
  });
  assertStringIncludes(text, `| 3,000 | 0\\.4407, ${points[10].loss.toFixed(4)} |`);
  assertStringIncludes(text, "Warnings:\n\n- none");
});
