import { assertAlmostEquals, assertEquals } from "@std/assert";
import { chiSquareUniform } from "../../lib/stats/mod.ts";

/** Counts, statistic and p-value by scipy.stats.chisquare (scipy 1.17.1). */
const SCIPY: [number[], number, number][] = [
  [[25, 25, 25, 25], 0, 1],
  [[30, 20, 28, 22], 2.7199999999999998, 0.4368391967665337],
  [[60, 10, 15, 15], 66, 3.065003175803402e-14],
  [[5, 0], 5, 0.025347318677468325],
  [[1, 2, 3, 4, 5, 6, 7], 7, 0.32084719886213414],
  [[4000, 0, 0, 0], 12000, 0],
  [[1000, 1010, 990, 1300], 62.97674418604652, 1.3584473589215487e-13],
];

Deno.test("the chi-square test of equal shares agrees with scipy", () => {
  for (const [counts, statistic, p] of SCIPY) {
    const found = chiSquareUniform(counts);
    assertAlmostEquals(found.statistic, statistic, 1e-9);
    assertAlmostEquals(found.p, p, 1e-12 * p + 1e-300);
  }
  assertEquals(chiSquareUniform([0, 0, 0]).p, 1);
  assertEquals(chiSquareUniform([7]).p, 1);
});
