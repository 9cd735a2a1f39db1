import { assertEquals, assertRejects } from "@std/assert";
import { partAccepted } from "../../lib/audit/mod.ts";

Deno.test("a pair that a person has accepted as two pictures counts no more, whichever is named first", async () => {
  const file = await Deno.makeTempFile(), why = "two patients";
  await Deno.writeTextFile(file, JSON.stringify([{ a: "x/2", b: "x/1", why }]));
  const parts = await partAccepted([{ a: "x/1", b: "x/2" }, { a: "x/1", b: "x/3" }], file);
  assertEquals(parts, { found: [{ a: "x/1", b: "x/3" }], accepted: [{ a: "x/1", b: "x/2", why }] });
  await Deno.writeTextFile(file, '[{"a": "x/1"}]');
  await assertRejects(() => partAccepted([], file), Error, "expected a JSON list");
  await Deno.remove(file);
});

Deno.test("the list that ships can be read", async () => {
  assertEquals(await partAccepted([]), { found: [], accepted: [] });
});
