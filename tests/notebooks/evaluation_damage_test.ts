import { join } from "@std/path";
import { rng, shuffle } from "../../lib/config/mod.ts";
import { tf } from "../../lib/tensor/mod.ts";
import { readSafetensors, writeSafetensors } from "../../lib/weights/mod.ts";
import { damageTest, runOf } from "./damage.ts";

/** Gives one of the eight adapters of notebook 05 the B of an untrained one: zeros. (With stage 1 before it, what that learnt would remain.) */
async function untrain(folder: string): Promise<void> {
  const adapter = join(await runOf(folder, "05_stage2"), "adapters/roco_v2__without");
  const file = join(adapter, "adapter_model.safetensors"), tensors = await readSafetensors(file);
  for (const [key, x] of Object.entries(tensors)) {
    if (key.includes("lora_B")) tensors[key] = tf.zerosLike(x);
  }
  writeSafetensors(file, tensors);
}

damageTest("06 notices an untrained adapter among the eight", "06", untrain);

damageTest("07 notices that the lesion masks belong to other images", "07", async (_, local) => {
  const file = join(local, "phantom", "ground_truth.jsonl");
  const rows = (await Deno.readTextFile(file)).trim().split("\n").map((line) => JSON.parse(line));
  const masked = rows.filter((row) => row.maskFile);
  const masks = shuffle(masked.map((row) => row.maskFile as string), rng("damage"));
  masked.forEach((row, i) => row.maskFile = masks[i]);
  await Deno.writeTextFile(file, rows.map((row) => JSON.stringify(row)).join("\n") + "\n");
});

// (A figure that was changed is refused when 08 opens its inputs: tests/artifacts.)
damageTest("08 notices that a notebook has not made a figure", "08", async (folder) => {
  await Deno.remove(join(await runOf(folder, "05_stage2"), "figures/figure5a.png"));
});
