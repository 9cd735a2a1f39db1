/** What becomes of every loader when a file of its folder is damaged, at random and on purpose. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import { rng } from "../../lib/config/mod.ts";
import { rowAccounts } from "../../lib/corpus/mod.ts";
import { type Files, folder, type Layout, LAYOUTS } from "./layouts.ts";

const isText = (name: string) => /\.(json|jsonl|csv|txt)$/.test(name);
const bytesOf = (content: string | Uint8Array) =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

/** Loads a damaged folder: a corpus whose rows add up, or an error that names one of the files. */
async function survives({ load }: Layout, files: Files, what: string): Promise<"loaded" | "refused"> {
  const dir = await folder(files);
  try {
    const corpus = await load(dir), [{ rows, kept, dropped }] = rowAccounts([corpus]);
    assertEquals(rows, kept + dropped, what);
    return "loaded";
  } catch (error) {
    const { message } = error as Error;
    assert(error instanceof Error && !(error instanceof TypeError), `${what}: ${error}`);
    assert(Object.keys(files).some((name) => message.includes(basename(name))), `${what}: ${message}`);
    return "refused";
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

for (const layout of LAYOUTS) {
  Deno.test(`${layout.name}: cut and flipped bytes end in a corpus that adds up or an error that names the file`, async () => {
    const random = rng(`damage ${layout.name}`), ends = { loaded: 0, refused: 0 };
    const names = Object.keys(layout.files);
    for (let trial = 0; trial < 60; trial++) {
      const name = names[Math.floor(random() * names.length)];
      let bytes = bytesOf(layout.files[name]).slice();
      if (trial % 3 === 0) bytes = bytes.slice(0, Math.floor(random() * bytes.length));
      else {for (let n = 0; n < 1 + trial % 4; n++) {
          bytes[Math.floor(random() * bytes.length)] ^= 1 << (random() * 8);
        }}
      ends[await survives(layout, { ...layout.files, [name]: bytes }, `trial ${trial}, ${name}`)]++;
    }
    assert(ends.refused > 0, `${JSON.stringify(ends)}: the damage did nothing`);
  });

  Deno.test(`${layout.name}: a byte order mark and CRLF change nothing`, async () => {
    const files = Object.fromEntries(
      Object.entries(layout.files).map(([name, content]) => [
        name,
        isText(name) ? `\uFEFF${content}`.replaceAll("\n", "\r\n") : content,
      ]),
    );
    const told = async (all: Files) =>
      (await layout.load(await folder(all))).records.map((
        r,
      ) => [r.id, r.question, r.answer, r.choices, r.caption]);
    assertEquals(await told(files), await told(layout.files));
  });

  Deno.test(`${layout.name}: an empty file and a folder in a file's place are named`, async () => {
    for (const name of Object.keys(layout.files)) {
      if (/\.(png|dcm)$/.test(name)) continue; // your own: its rows are dropped and counted
      await assertRejects(
        async () => await layout.load(await folder({ ...layout.files, [name]: "" })),
        Error,
        basename(name),
        `empty ${name}`,
      );
      const { [name]: _, ...others } = layout.files, dir = await folder(others);
      await Deno.mkdir(join(dir, name), { recursive: true });
      const error = await layout.load(dir).then(() => null, (error) => error);
      assert(error === null || error.message.includes(basename(name)), `folder ${name}: ${error}`);
    }
  });

  // Pictures are in parquet files; of your own, rows without theirs are dropped and counted.
  if (
    layout.name.startsWith("your own") || Object.keys(layout.files).some((name) => name.endsWith(".parquet"))
  ) {
    continue;
  }
  Deno.test(`${layout.name}: a missing image is an error that names the row, unless only the text is wanted`, async () => {
    const dir = await folder(layout.files);
    const error = await assertRejects(
      () => layout.load(dir, { requireImages: true }),
      Error,
      "expected the image",
    );
    const byDefault = () => layout.load(dir, { requireImages: undefined });
    assertEquals((await assertRejects(byDefault, Error)).message, error.message);
    assert(/\.(json|csv|txt|gz), row \d+: /.test(error.message), error.message);
    assert(/\(\d+ of \d+ images are not there\)/.test(error.message), error.message);
    const { imagePath } = (await layout.load(dir)).records[0];
    assert(error.message.includes(imagePath));
    await Deno.mkdir(imagePath, { recursive: true });
    await assertRejects(() => layout.load(dir, { requireImages: true }), Error, "it is a folder");
    await Deno.remove(imagePath);
    await Deno.writeFile(imagePath, new Uint8Array());
    await assertRejects(() => layout.load(dir, { requireImages: true }), Error, "it is empty");
  });
}
