/**
 * Every notebook's closing check must be able to fail: each test takes the results of a whole tiny course, damages what
 * the notebook reads, runs it, and expects the check (and nothing else) to end it.
 *
 * The tests lie in several files, which run side by side. LAB_TEST_RESULTS names the results folder and LAB_TEST_DATA the
 * data folder of such a course; `./lab test` sets both.
 */
import { assert, assertEquals } from "@std/assert";
import { exists } from "@std/fs";
import { basename, join } from "@std/path";
import { Manifest, readArrow, type Row, writeArrow } from "../../lib/artifacts/mod.ts";
import { paths, sha256, sha256File } from "../../lib/config/mod.ts";

export const results = Deno.env.get("LAB_TEST_RESULTS"), data = Deno.env.get("LAB_TEST_DATA");

export async function copy(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-r", from, to] }).output();
  assert(success, `copy ${from}`);
}

/** The folder of a stage's current run in a copied results folder. */
export async function runOf(folder: string, stage: string): Promise<string> {
  const [run] = (await Deno.readTextFile(join(folder, "tiny", stage, "current"))).split("\n");
  return join(folder, "tiny", stage, run);
}

export async function editTable(
  folder: string,
  stage: string,
  table: string,
  edit: (rows: Row[]) => Row[],
): Promise<void> {
  const path = join(await runOf(folder, stage), `${table}.arrow`), rows = await readArrow(path);
  const edited = edit(rows);
  const columns = Object.fromEntries(Object.keys(rows[0]).map((name) => [name, "string" as const]));
  await writeArrow(path, edited, edited.length ? undefined : columns);
}

/** Makes the manifests of a copied course say what lies there now, so that the damage is not noticed by its hash. */
async function sealCourse(folder: string): Promise<void> {
  const hashes = new Map<string, string>();
  const stages = [...Deno.readDirSync(join(folder, "tiny"))].map(({ name }) => name).sort();
  for (const stage of stages) {
    if (!await exists(join(folder, "tiny", stage, "current"))) continue;
    const dir = await runOf(folder, stage), path = join(dir, "manifest.json");
    const manifest = Manifest.parse(JSON.parse(await Deno.readTextFile(path)));
    for (const name of Object.keys(manifest.outputs)) {
      const file = join(dir, name);
      if (!await exists(file)) delete manifest.outputs[name];
      else manifest.outputs[name] = { sha256: await sha256File(file), bytes: (await Deno.stat(file)).size };
    }
    for (const [input, recorded] of Object.entries(manifest.inputs)) {
      recorded.manifestSha256 = hashes.get(input) ?? recorded.manifestSha256;
    }
    const text = JSON.stringify(manifest, null, 1) + "\n";
    await Deno.writeTextFile(path, text);
    hashes.set(stage, sha256(text));
  }
}

/** Damages copied results and data; may return variables for the notebook's environment. */
type Damage = (folder: string, local: string) => Promise<Record<string, string> | void>;

/** Runs a notebook on damaged copies and returns the text with which it ended. */
async function runDamaged(
  notebook: string,
  damage: Damage,
  env: Record<string, string> = {},
): Promise<{ success: boolean; text: string }> {
  const folder = await Deno.makeTempDir({ prefix: "damage-" });
  try {
    const copied = join(folder, "results"), local = join(folder, "data");
    await copy(results!, copied);
    await copy(data!, local);
    const own = await damage(copied, local) ?? {};
    await sealCourse(copied);
    const names = [...Deno.readDirSync(join(paths.root, "notebooks"))].map(({ name }) => name);
    const source = names.find((name) => name.startsWith(`${notebook}_`))!;
    const { success, stdout, stderr } = await new Deno.Command(join(paths.venv, "bin/python"), {
      args: [
        join(paths.root, "lib/jupyter/run_notebook.py"),
        join(paths.root, "notebooks", source),
        join(folder, basename(source)),
      ],
      env: { ...env, ...own, SCALE: "tiny", LAB_RESULTS: copied, LAB_DATA_LOCAL: local },
    }).output();
    const decoder = new TextDecoder();
    return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

export function damageTest(
  name: string,
  notebook: string,
  damage: Damage,
  env?: Record<string, string>,
): void {
  Deno.test({
    name,
    ignore: !results || !data,
    fn: async () => {
      const { success, text } = await runDamaged(notebook, damage, env);
      assertEquals(success, false, `notebook ${notebook} did not notice:\n${text}`);
      assert(
        /closing check failed/i.test(text),
        `notebook ${notebook} failed before its check:\n${text.slice(-1500)}`,
      );
    },
  });
}

/** A copy without damage has to pass. */
export function undamagedTest(notebook: string): void {
  Deno.test({
    name: `${notebook} passes on an undamaged copy`,
    ignore: !results || !data,
    fn: async () => {
      const { success, text } = await runDamaged(notebook, async () => {});
      assert(success, `notebook ${notebook} does not pass on copies:\n${text.slice(-1500)}`);
    },
  });
}
