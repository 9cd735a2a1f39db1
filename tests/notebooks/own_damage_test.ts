import { join } from "@std/path";
import { encodePng } from "../../lib/image/mod.ts";
import { damageTest } from "./damage.ts";

const SIDE = 64, PATIENTS = 12;

/** A picture of soft waves; every number has its own. */
const waves = (number: number) =>
  encodePng({
    width: SIDE,
    height: SIDE,
    data: Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, i) => {
      const pixel = Math.floor(i / 3), x = pixel % SIDE, y = Math.floor(pixel / SIDE);
      return 128 + 60 * Math.sin((x * (number % 4 + 1) + y * number) / 9) +
        60 * Math.cos(x * y / (20 + 9 * number));
    }),
  });

/** A folder of somebody's own: one picture a patient, as `pictureOf` gives it, and questions with varied answers. */
async function ownFolder(
  folder: string,
  pictureOf: (patient: number) => Promise<Uint8Array>,
): Promise<Record<string, string>> {
  const own = join(folder, "ward"), lines = ["image,question,answer,patient"];
  await Deno.mkdir(own);
  for (let patient = 0; patient < PATIENTS; patient++) {
    await Deno.writeFile(join(own, `${patient}.png`), await pictureOf(patient));
    const answers = { "which ward?": `ward ${patient % 3}`, "is it urgent?": patient % 2 ? "yes" : "no" };
    for (const [question, answer] of Object.entries(answers)) {
      lines.push([`${patient}.png`, question, answer, patient].join());
    }
  }
  await Deno.writeTextFile(join(own, "questions.csv"), lines.join("\n"));
  return { LAB_OWN: own };
}

damageTest(
  "09 notices that all files hold the same picture",
  "09",
  (folder) => ownFolder(folder, () => waves(1)),
);

damageTest(
  "09 notices that a quarter of the files is cut short",
  "09",
  (folder) =>
    ownFolder(folder, async (patient) => {
      const bytes = await waves(patient);
      return patient % 4 === 0 ? bytes.subarray(0, bytes.length / 3) : bytes;
    }),
);
