import { join } from "@std/path";
import { type Corpus, loadMedPix2 } from "../../lib/corpus/mod.ts";

/** Images per Location: the paper's figure 4, and the 91 images of the ten classes that it does not name. */
export const FIGURE_4: Record<string, number> = {
  "Brain and Neuro": 631,
  "Musculoskeletal": 270,
  "Chest, Pulmonary": 222,
  "Gastrointestinal": 200,
  "Genitourinary": 151,
  "Head and Neck": 93,
  "Spine": 85,
  "Vascular": 73,
  "Generalized": 66,
  "Cardiovascular": 65,
  "Eye": 56,
  "Abdomen": 47,
  ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`Unnamed ${i}`, i === 0 ? 10 : 9])),
};
const CATEGORIES = ["Head", "Spine and Muscles", "Thorax", "Abdomen", "Reproductive and Urinary System"];
const PLACEHOLDER = "Replace this - DESCRIPTION OF THE IMAGE OR FINDINGS.";

/**
 * Writes Descriptions.json, Case_topic.json and uid_list.json of MedPix 2.0 (no images) with so many images per
 * Location, two images a case, and loads them with the real loader. "Location Category" goes round, independent of
 * Location.
 *
 * @param placeholders per Location: images whose caption is MedPix's placeholder
 */
export async function loadMedPixLayout(
  counts: Record<string, number>,
  placeholders: Record<string, number> = {},
): Promise<Corpus> {
  const dir = await Deno.makeTempDir();
  try {
    const descriptions = Object.entries(counts).flatMap(([Location, images]) =>
      Array.from({ length: images }, (_, i) => ({ Location, i }))
    ).map(({ Location, i }, serial) => {
      const uid = `MPX${1000 + Math.floor(serial / 2)}`;
      return {
        Type: serial % 2 ? "CT" : "MR",
        U_id: uid,
        image: `${uid}_synpic${10_000 + serial}`,
        Description: {
          "ACR Codes": "-1.-1",
          Age: "40",
          Caption: i < (placeholders[Location] ?? 0) ? PLACEHOLDER : `finding ${serial}`,
          "Figure Part": null,
          Modality: "CT - noncontrast",
          Plane: "Axial",
          Sex: "female",
        },
        Location: i % 7 === 3 ? `${Location} ` : Location,
        "Location Category": CATEGORIES[serial % CATEGORIES.length],
      };
    });
    const uids = [...new Set(descriptions.map((d) => d.U_id))];
    const cases = uids.map((U_id) => ({ U_id, TAC: [], MRI: [], Case: { Title: "case" }, Topic: {} }));
    const split = { train: uids.slice(0, -20), dev: uids.slice(-20, -10), test: uids.slice(-10) };
    await Deno.mkdir(join(dir, "splitted_dataset"));
    await Deno.writeTextFile(join(dir, "Descriptions.json"), JSON.stringify(descriptions, null, 4));
    await Deno.writeTextFile(join(dir, "Case_topic.json"), JSON.stringify(cases, null, 4));
    await Deno.writeTextFile(join(dir, "splitted_dataset/uid_list.json"), JSON.stringify(split));
    return await loadMedPix2(dir, { requireImages: false });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
