import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadConfig, paths } from "../../lib/config/mod.ts";
import { resolveEvaluationSets } from "../../lib/corpus/mod.ts";
import { FIGURE_4, loadMedPixLayout } from "../annealing/medpix_layout.ts";

const { records } = await loadMedPixLayout(FIGURE_4);

Deno.test("a limited run leaves out the evaluation sets of which it has no item, by name", async () => {
  const { resolved, absent } = await resolveEvaluationSets(
    records,
    loadConfig({ SCALE: "full", LIMIT: "5" }),
  );
  assertEquals(absent, ["organs", "pmc_vqa_clean", "roco_open", "slake_closed"]);
  assertEquals(resolved.find(({ name }) => name === "medpix_test")!.ids.length, 5);
  const ids = new Set(records.filter((r) => r.split === "test").map((r) => r.id));
  assert(resolved.every((set) => set.ids.every((id) => ids.has(id))));
});

Deno.test("on whole real data a set that is not there ends the audit", async () => {
  // Real lists are frozen in data/local: the test has a folder of its own.
  const local = paths.local as string, own = await Deno.makeTempDir();
  Object.assign(paths, { local: own });
  try {
    await assertRejects(
      () => resolveEvaluationSets(records, loadConfig({ SCALE: "full" })),
      Error,
      "Evaluation set organs",
    );
  } finally {
    Object.assign(paths, { local });
    await Deno.remove(own, { recursive: true });
  }
});
