import { assertEquals, assertThrows } from "@std/assert";
import { finiteJson } from "@lib/config/mod.ts";

Deno.test("results become JSON only where it gives them back: a number that is not finite is refused", () => {
  const results = [{ nats: [0.1 + 0.2, Math.fround(1 / 3), -5e-324], text: "NaN", none: null }];
  assertEquals(JSON.parse(finiteJson(results)), results);
  for (const number of [NaN, Infinity, -Infinity]) {
    assertThrows(() => finiteJson([{ nats: number }]), RangeError, `found ${number} at "nats"`);
  }
});
