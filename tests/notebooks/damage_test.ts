/**
 * Every notebook's closing check must be able to fail: each test takes the results of a whole tiny course, damages what
 * the notebook reads, runs it, and expects the check (and nothing else) to end it.
 *
 * LAB_TEST_RESULTS names the results folder and LAB_TEST_DATA the data folder of such a course; `./lab test` sets both.
 */
import { assert, assertEquals } from "@std/assert";
import { basename, join } from "@std/path";
import { readArrow, type Row, writeArrow } from "../../lib/artifacts/mod.ts";
import { paths, rng, shuffle } from "../../lib/config/mod.ts";
import { readSafetensors, writeSafetensors } from "../../lib/weights/mod.ts";
import { tf } from "../../lib/tensor/mod.ts";

const results = Deno.env.get("LAB_TEST_RESULTS"), data = Deno.env.get("LAB_TEST_DATA");
const random = rng("damage");

async function copy(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-r", from, to] }).output();
  assert(success, `copy ${from}`);
}

/** The folder of a stage's current run in a copied results folder. */
async function runOf(folder: string, stage: string): Promise<string> {
  const run = (await Deno.readTextFile(join(folder, "tiny", stage, "current"))).trim();
  return join(folder, "tiny", stage, run);
}

async function editTable(
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

/** Ground truth is found by the path of the image, so rows have to name the copied images. */
const withCopiedImages = (rows: Row[], local: string): Row[] =>
  rows.map((row) => ({ ...row, imagePath: String(row.imagePath).replace(data!, local) }));

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

function damageTest(
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

/** One cell, so that a damaged notebook 05 takes a minute and not eight. */
const ONE_CELL = { LAB_CELLS: "roco_v2__with" };

damageTest("00 notices a projector that passes nothing of the image on", "00", async (folder) => {
  const checkpoint = join(folder, "nano"), file = join(checkpoint, "model.safetensors");
  await copy(join(paths.data, "nano"), checkpoint);
  const tensors = readSafetensors(file);
  for (const [key, x] of Object.entries(tensors)) {
    if (key.includes("multi_modal_projector")) tensors[key] = tf.zerosLike(x);
  }
  writeSafetensors(file, tensors);
  return { LAB_CHECKPOINT: checkpoint };
});

damageTest("01 notices images that were shuffled among the records", "01", async (_, local) => {
  const folder = join(local, "phantom", "slake", "imgs");
  const images = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name, "source.jpg"));
  const contents = await Promise.all(images.map((path) => Deno.readFile(path)));
  const shuffled = shuffle(contents, random);
  await Promise.all(images.map((path, i) => Deno.writeFile(path, shuffled[i])));
});

/** Without training captions but for four. */
const fewCaptions = (rows: Row[]): Row[] => {
  let kept = 0;
  return rows.filter(({ caption, split }) => caption === null || split !== "train" || kept++ < 4);
};

damageTest(
  "02 notices that there are almost no captions to write questions from",
  "02",
  async (folder, local) => {
    for (const dataset of ["roco_v2", "medpix2"]) {
      await editTable(
        folder,
        "01_data",
        `records_${dataset}`,
        (rows) => fewCaptions(withCopiedImages(rows, local)),
      );
    }
  },
);

damageTest(
  "03 notices an empty pair table",
  "03",
  (folder) => editTable(folder, "02_synthesis", "pairs", () => []),
);

/** Permutes one column among the training rows of the given datasets. */
const permute = (column: string, datasets: readonly string[]) => (rows: Row[]) => {
  const hit = rows.filter((row) => row.split === "train" && datasets.includes(String(row.dataset)));
  const values = shuffle(hit.map((row) => row[column]), random);
  const next = new Map(hit.map((row, i) => [row, values[i]]));
  return rows.map((row) => next.has(row) ? { ...row, [column]: next.get(row)! } : row);
};

damageTest(
  "04 notices permuted answers",
  "04",
  (folder) => editTable(folder, "03_annealing", "pairs", permute("answer", ["slake"])),
);

damageTest(
  "05 notices shuffled images",
  "05",
  (folder) =>
    editTable(folder, "03_annealing", "pairs", permute("imagePath", ["roco_v2", "medpix2", "pmc_vqa"])),
  ONE_CELL,
);

/** Gives every adapter of notebook 05 the B of an untrained one: zeros. */
async function untrain(folder: string): Promise<void> {
  const adapters = join(await runOf(folder, "05_stage2"), "adapters");
  for await (const { name } of Deno.readDir(adapters)) {
    const file = join(adapters, name, "adapter_model.safetensors"), tensors = readSafetensors(file);
    for (const [key, x] of Object.entries(tensors)) {
      if (key.includes("lora_B")) tensors[key] = tf.zerosLike(x);
    }
    writeSafetensors(file, tensors);
  }
}

damageTest("06 notices untrained adapters", "06", untrain);

damageTest("07 notices that the lesion masks belong to other images", "07", async (folder, local) => {
  await editTable(folder, "03_annealing", "pairs", (rows) => withCopiedImages(rows, local));
  const file = join(local, "phantom", "ground_truth.jsonl");
  const rows = (await Deno.readTextFile(file)).trim().split("\n").map((line) => JSON.parse(line));
  const masked = rows.filter((row) => row.maskFile);
  const masks = shuffle(masked.map((row) => row.maskFile as string), random);
  masked.forEach((row, i) => row.maskFile = masks[i]);
  await Deno.writeTextFile(file, rows.map((row) => JSON.stringify(row)).join("\n") + "\n");
});

damageTest("08 notices that a figure is not the one that its notebook made", "08", async (folder) => {
  const figures = join(await runOf(folder, "05_stage2"), "figures");
  await Deno.copyFile(join(figures, "figure5b.png"), join(figures, "figure5a.png"));
});
