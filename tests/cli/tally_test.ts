import { assertEquals } from "@std/assert";
import { parseDenoTest, parsePlain } from "../../lib/cli/support/tally.ts";

Deno.test("counts come from the last summary of deno test", () => {
  const text =
    "ok | 1 passed | 0 failed (3ms)\n...\nok | 8 passed (2 steps) | 0 failed | 3 ignored (107ms)\n";
  assertEquals(parseDenoTest(text, true), { passed: 8, failed: 0, skipped: 3 });
  const failed = "FAILED | 6 passed | 3 failed (1 step) (9m58s)\n";
  assertEquals(parseDenoTest(failed, false), { passed: 6, failed: 3, skipped: 0 });
});

Deno.test("a run that ends badly or says nothing is a failure", () => {
  assertEquals(parseDenoTest("error: Module not found", false), { passed: 0, failed: 1, skipped: 0 });
  assertEquals(parseDenoTest("ok | 8 passed | 0 failed (1s)", false), { passed: 8, failed: 1, skipped: 0 });
  assertEquals(parsePlain("", true), { passed: 0, failed: 1, skipped: 0 });
});

Deno.test("a plain closing line is read", () => {
  assertEquals(parsePlain("x\n12 passed, 1 failed, 347 skipped\n", false), {
    passed: 12,
    failed: 1,
    skipped: 347,
  });
});
