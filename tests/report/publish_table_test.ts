import { assertEquals, assertRejects } from "@std/assert";
import { publishTable, tableMarkdown } from "@lib/report/mod.ts";

Deno.test("A published table is saved as JSON with its sources and as Markdown; one without rows is refused unsaved", async () => {
  const saved: Record<string, unknown> = {};
  const keep = (name: string, value: unknown) => {
    saved[name] = value;
    return Promise.resolve();
  };
  const run = { writeJson: keep, writeText: keep }, rows = [{ model: "nano", accuracy: 0.5 }];
  await assertRejects(() => publishTable(run, "table9", [], {}), Error, "at least one row");
  assertEquals(saved, {});
  await publishTable(run, "table9", rows, { items: 4 });
  assertEquals(saved, { table9: { rows, items: 4 }, "table9.md": tableMarkdown(rows) });
});
