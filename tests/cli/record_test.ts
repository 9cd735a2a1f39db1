/** What `./lab demo --record` copies, and that it replaces nothing when something is wrong. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ensureDir, exists, walk } from "@std/fs";
import { dirname, join, relative } from "@std/path";
import sharp from "sharp";

// The results folder is read from the environment when the rooms are loaded.
const folder = await Deno.makeTempDir({ prefix: "record-" });
const results = join(folder, "results"), target = join(folder, "recorded"), stage = "00_small";
Deno.env.set("LAB_RESULTS", results);
const { startRun } = await import("../../lib/artifacts/mod.ts");
const { loadConfig, paths } = await import("../../lib/config/mod.ts");
const { recordRuns } = await import("../../lib/cli/support/record.ts");
const notebooks = join(results, "tiny", "notebooks"), executed = join(notebooks, `${stage}.ipynb`);

const noise = Uint8Array.from({ length: 1500 * 40 * 3 }, (_, i) => (i * 2_654_435_761) >>> 24);
const png = new Uint8Array(
  await sharp(noise, { raw: { width: 1500, height: 40, channels: 3 } }).png().toBuffer(),
);

/** A notebook as it is after a run: one picture in all its forms and one line of text. */
const notebook = (text: string) => {
  const html = `<img src="data:image/png;base64,${png.toBase64()}">`;
  const data = {
    "image/png": png.toBase64(),
    "image/svg+xml": "<svg/>",
    "application/vnd.plotly.v1+json": { data: [], layout: {} },
    "text/html": html,
    "text/plain": text,
  };
  return JSON.stringify({ cells: [{ cell_type: "code", outputs: [{ data }] }, { cell_type: "markdown" }] });
};

/** A finished run of one stage, its executed notebook, and a recorded run from before. */
async function finished(
  { table = {}, notes = {}, text = "fine" }: Record<string, unknown> = {},
): Promise<void> {
  for (const old of [results, target]) await Deno.remove(old, { recursive: true }).catch(() => {});
  const run = await startRun(stage, loadConfig({}));
  await run.writeJson("scores", table);
  await run.writeText("scores.md", "| a |\n| --- |\n");
  await run.writeTable("rows", [{ id: "a" }]);
  await ensureDir(dirname(run.file("figures/one.png")));
  await Deno.writeFile(run.file("figures/one.png"), png);
  await run.finish(notes as Record<string, unknown>);
  await ensureDir(join(notebooks, ".ipynb_checkpoints"));
  await Deno.writeTextFile(executed, notebook(String(text)));
  await ensureDir(target);
  await Deno.writeTextFile(join(target, "before.txt"), "recorded before");
}

const record = () => recordRuns([stage], notebooks, target);

/** Recording fails with this text, the recorded run is as it was, and no part of a new one is left. */
async function refused(text: string): Promise<void> {
  const error = await assertRejects(record, Error);
  assertStringIncludes(error.message, text);
  assertEquals(await Deno.readTextFile(join(target, "before.txt")), "recorded before");
  assertEquals(await exists(`${target}.tmp`), false);
}

Deno.test("notebooks, figures, tables and manifests are recorded, and nothing else", async () => {
  await finished();
  const bytes = await record(), found: string[] = [];
  let sum = 0;
  for await (const { path } of walk(target, { includeDirs: false })) {
    found.push(relative(target, path));
    sum += (await Deno.stat(path)).size;
  }
  assertEquals(found.sort(), [
    "figures/one.png",
    "manifests/00_small.json",
    "notebooks/00_small.ipynb",
    "tables/00_small/scores.json",
    "tables/00_small/scores.md",
  ]);
  assertEquals(bytes, sum);
  const { width } = await sharp(join(target, "figures/one.png")).metadata();
  assertEquals(width, 1000);
  const [{ outputs }] = JSON.parse(await Deno.readTextFile(join(target, "notebooks/00_small.ipynb"))).cells;
  assertEquals(Object.keys(outputs[0].data), ["image/png", "application/vnd.plotly.v1+json", "text/plain"]);
  assert(outputs[0].data["image/png"].length < png.toBase64().length);
});

Deno.test("a folder of this machine is refused wherever it stands, with the file that names it", async () => {
  await finished({ text: `read ${paths.root}/data/x.json` });
  await refused(`${executed} cannot be recorded: it names a folder of this machine (${paths.root})`);
  await finished({ table: { rows: [{ imagePath: "/somewhere/else/1.jpg" }] } });
  await refused(
    `scores.json cannot be recorded: it names a folder of this machine (rows.0.imagePath is "/somewhere`,
  );
  await finished({ notes: { corporaDir: `${results}/corpora` } });
  await refused("manifest.json cannot be recorded: it names a folder of this machine");
});

Deno.test("more than 10 MB are refused", async () => {
  await finished({ table: { text: "x".repeat(10 * 2 ** 20) } });
  await refused("has 10.0 MB, more than 10 MB");
});

Deno.test("a missing, damaged or failed notebook and a stage without a run are named", async () => {
  await finished();
  await Deno.writeTextFile(join(notebooks, `${stage}.failed.ipynb`), notebook("later"));
  await refused("Stage 00_small failed when it ran last: run it again");
  await Deno.remove(join(notebooks, `${stage}.failed.ipynb`));
  await Deno.writeTextFile(executed, "{");
  await refused(`${executed} cannot be recorded`);
  await Deno.remove(executed);
  await refused(`${executed} cannot be recorded`);
  await assertRejects(
    () => recordRuns(["01_other"], notebooks, target),
    Error,
    "01_other has no finished run",
  );
});

Deno.test("runs are not recorded over themselves", async () => {
  await finished();
  for (const place of [results, join(results, "tiny"), folder]) {
    await assertRejects(() => recordRuns([stage], notebooks, place), Error, "lies in the same place");
  }
  assert(await exists(executed));
});

addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
