import { join } from "@std/path";
import type { Row } from "../../lib/artifacts/mod.ts";
import { paths, rng, shuffle } from "../../lib/config/mod.ts";
import { tf } from "../../lib/tensor/mod.ts";
import { readSafetensors, writeSafetensors } from "../../lib/weights/mod.ts";
import { copy, damageTest, editTable } from "./damage.ts";

damageTest("00 notices a projector that passes nothing of the image on", "00", async (folder) => {
  const checkpoint = join(folder, "nano"), file = join(checkpoint, "model.safetensors");
  await copy(join(paths.data, "nano"), checkpoint);
  const tensors = await readSafetensors(file);
  for (const [key, x] of Object.entries(tensors)) {
    if (key.includes("multi_modal_projector")) tensors[key] = tf.zerosLike(x);
  }
  writeSafetensors(file, tensors);
  return { LAB_SET: `model.checkpoint=${checkpoint}` };
});

damageTest("01 notices images that were shuffled among the records", "01", async (_, local) => {
  const folder = join(local, "phantom", "slake", "imgs");
  const images = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name, "source.jpg"));
  const contents = await Promise.all(images.map((path) => Deno.readFile(path)));
  const shuffled = shuffle(contents, rng("damage"));
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
  async (folder) => {
    for (const dataset of ["roco_v2", "medpix2"]) {
      await editTable(folder, "01_data", `records_${dataset}`, fewCaptions);
    }
  },
);

damageTest(
  "03 notices an empty pair table",
  "03",
  (folder) => editTable(folder, "02_synthesis", "pairs", () => []),
);
