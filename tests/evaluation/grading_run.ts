/** A finished run of notebook 06 in a temporary folder: ten open questions that two systems answer alike, and a judge. */
import { join } from "@std/path";
import type { ItemScore, PredictionRow } from "@lib/evaluation/mod.ts";

// Both folders are read from the environment when the rooms are loaded.
export const folder = await Deno.makeTempDir({ prefix: "grading-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
Deno.env.set("LAB_RESULTS", join(folder, "results"));
Deno.env.set("LAB_DATA_LOCAL", join(folder, "data"));
Deno.env.delete("LIMIT");
const { startRun } = await import("@lib/artifacts/mod.ts");
const { loadConfig } = await import("@lib/config/mod.ts");
export const evaluation = await import("@lib/evaluation/mod.ts");
export const grading = await import("@lib/evaluation/grading.ts");
export const { GRADING_RULE } = await import("@lib/evaluation/judge.ts");
const { gradingPage } = evaluation;
export const config = loadConfig({});

export const HOSTILE =
  `</script><script>globalThis.owned = 1</script><img src="http://127.0.0.1:9/x" onerror="globalThis.owned = 2"> $& __SCRIPT__ __DATA__ \u202Efdp`;

const row = (cell: string, n: number, more: Partial<PredictionRow> = {}): PredictionRow => ({
  ...{ cell, kind: "open", id: `q${n}`, dataset: "roco_v2", imageId: `image ${n}`, questionType: "open" },
  ...{ run: 0, question: n === 1 ? HOSTILE : `what are the findings in ${n}?`, gold: `a cyst, ${n}` },
  ...{ answer: n < 7 ? `a cyst, ${n}` : n === 9 ? HOSTILE : "no lesion", seed: 1, cut: false },
  ...more,
});
const ten = Array.from({ length: 10 }, (_, n) => n), systems = ["roco_v2__with", "roco_medpix__with"];

export const predictions: PredictionRow[] = [
  ...systems.flatMap((cell) => ten.map((n) => row(cell, n))),
  ...ten.map((n) => row("roco_v2__base", n, { id: `base${n}` })),
  ...ten.map((n) => row("roco_v2__with", n, { id: `short${n}`, kind: "short" })),
];

const score = (cell: string, n: number, scorer: ItemScore["scorer"], right: boolean): ItemScore => ({
  ...{ cell, kind: "open", scorer, id: `q${n}`, imageId: `image ${n}`, run: 0, score: Number(right) },
  ...{ unread: false, cut: false },
});
/** The judge calls five answers correct, exact match seven. */
export const scores: ItemScore[] = systems.flatMap((cell) =>
  ten.flatMap((n) => [score(cell, n, "exact", n < 7), score(cell, n, "judge", n < 5)])
);

/** Finishes a run with these answers and their page; returns the page's place. */
export async function finishedRun(): Promise<string> {
  const run = await startRun("06_evaluation", config);
  await run.writeTable("predictions", predictions);
  await run.writeTable("scores", scores.map((score) => ({ ...score })));
  const grades = await grading.readGrades(config.scale);
  const page = await gradingPage(predictions, grades, config);
  await run.writeText(grading.GRADING_PAGE, page);
  return join(await run.finish(), grading.GRADING_PAGE);
}
