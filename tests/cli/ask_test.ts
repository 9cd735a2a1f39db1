import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { decodeImage, encodePng } from "../../lib/image/mod.ts";
import { greyToRgb } from "../../lib/image/rgb.ts";
import { sampleRadiograph } from "../../lib/saliency/mod.ts";
import { readCard } from "../../lib/weights/card.ts";
import { withFolder } from "../download/server.ts";

/** `./lab ask IMAGE ...` in `dir`, allowed to write there `map.png`, its unfinished form, and to `tmp`: nothing else. */
async function ask(dir: string, image: string, out = "map.png") {
  const writes = ["map.png", "map.png.tmp", "tmp"].map((name) => join(dir, name)).join();
  await Deno.mkdir(join(dir, "tmp"), { recursive: true });
  const allowed = ["read", "env", "sys", "ffi", "run", `write=${writes}`].map((what) => `--allow-${what}`);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", ...allowed, join(paths.root, "lib/cli/main.ts")],
      ...["ask", image, "what modality is this image?", "--model", "data/nano", "--out", out],
    ],
    cwd: dir,
    env: { TMPDIR: join(dir, "tmp") },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, lines: text(stdout).split("\n"), errors: text(stderr) };
}

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();

/** A radiograph of pydicom-data (DICOM), else a picture of VQA-RAD; null without both. */
async function realImage(): Promise<string | null> {
  const radiograph = await sampleRadiograph(), data = Deno.env.get("LAB_DATA");
  if (radiograph !== null || !data) return radiograph;
  const folder = join(data, "vqa-rad-train", "VQA_RAD Image Folder");
  return join(folder, namesIn(folder)[0]);
}

const image = await realImage();
Deno.test("a picture that is there is not written over, nor a folder", async () => {
  await withFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "map.png"), "mine");
    const { code, errors } = await ask(dir, join(dir, "none.png"));
    assertEquals([code, await Deno.readTextFile(join(dir, "map.png"))], [1, "mine"]);
    assertStringIncludes(
      errors,
      "is there already and stays; name another file with --out, or add --replace",
    );
    const folder = await ask(dir, join(dir, "none.png"), dir);
    assertStringIncludes(folder.errors, "which is a folder; expected a file");
    assertEquals(namesIn(dir), ["map.png", "tmp"]);
  });
});

Deno.test({
  name: "[needs pydicom-data in .venv or LAB_DATA] ask answers about a real image, says the card's notice, " +
    "and writes the picture where it was told, nothing else",
  ignore: image === null,
  fn: () =>
    withFolder(async (dir) => {
      const { code, lines, errors } = await ask(dir, image!);
      assertEquals(code, 0, errors);
      const { notice } = await readCard(join(paths.data, "nano"));
      assert(notice !== null);
      const [answer, probability, saliency, note, ...rest] = lines;
      assert(/^base: \S/.test(answer));
      const share = Number(
        /^ {2}probability under the model: ([^;]+); about a grey picture: .+$/.exec(probability)?.[1],
      );
      assert(share > 0 && share <= 1, probability);
      assertEquals([note, saliency, rest], [`Note: ${notice}.`, "saliency: map.png", []]);

      assertEquals([namesIn(dir), namesIn(join(dir, "tmp"))], [["map.png", "tmp"], []]);
      const picture = await Deno.readFile(join(dir, "map.png"));
      assertEquals([...picture.subarray(1, 4)], [..."PNG"].map((c) => c.charCodeAt(0)));
      const { width, height, data } = await decodeImage(picture);
      assert(width > 3 * 200 && height > 200 && width > height, `${width} x ${height}`); // three panels in a row
      let coloured = 0;
      for (let i = 0; i < data.length; i += 3) if (data[i] - data[i + 2] > 40) coloured++;
      const part = coloured / (width * height);
      assert(part > 0.01 && part < 0.7, `${part} of the picture is coloured`); // the two maps; a radiograph is grey
    }),
});

Deno.test("ask looks for the picture's folder before it loads the model", () =>
  withFolder(async (dir) => {
    const { code, errors } = await ask(dir, "none.png", "nowhere/map.png");
    assertEquals(code, 2, errors);
    assertStringIncludes(errors, `--out is "nowhere/map.png"; there is no folder ${join(dir, "nowhere")}`);
  }));

Deno.test("ask refuses what is no image in one sentence that names it, and writes nothing", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "note.txt"), "no picture");
    const [note, none] = await Promise.all(["note.txt", "none.png"].map((name) => ask(dir, name)));
    for (const { code, lines, errors } of [note, none]) {
      assertEquals([code, lines, errors.split("\n").length], [1, [""], 1], errors);
    }
    assertStringIncludes(note.errors, "lab ask: note.txt cannot be decoded: it is not a PNG, JPEG,");
    assertEquals(none.errors, "lab ask: there is no file none.png.");
    assertEquals([namesIn(dir), namesIn(join(dir, "tmp"))], [["note.txt", "tmp"], []]);
  }));

Deno.test("a strip and a single pixel are answered about with a doubt, not with a stack trace", () =>
  withFolder(async (dir) => {
    const noise = (_: number, i: number) => i * 7919 >> 3;
    for (
      const [width, height, doubts] of [
        [4000, 2, ["it is tiny (4000x2 pixels)", "it is a strip (4000x2 pixels), squeezed into a square"]],
        [1, 1, ["it is tiny (1x1 pixels)", "it is nearly blank (grey level 0 nearly everywhere)"]],
      ] as const
    ) {
      const picture = greyToRgb(new Uint8Array(width * height).map(noise), width, height);
      await Deno.writeFile(join(dir, "odd.png"), await encodePng(picture));
      await Deno.remove(join(dir, "map.png")).catch(() => {});
      const { code, lines, errors } = await ask(dir, "odd.png");
      assertEquals(code, 0, errors);
      assertEquals(
        lines.filter((line) => line.startsWith("Doubtful image")),
        doubts.map((doubt) => `Doubtful image: ${doubt}.`),
      );
    }
  }));
