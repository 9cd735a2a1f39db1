import { assert, assertEquals } from "@std/assert";
import { decodeImage, doubtsAbout, resizeBicubic, type RgbImage } from "../../lib/image/mod.ts";
import { greyToRgb } from "../../lib/image/rgb.ts";

/** A picture of waves; `colour` makes its channels differ. */
function waves(width: number, height: number, colour = false): RgbImage {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const x = Math.floor(i / 3) % width, y = Math.floor(i / 3 / width);
    return 127 + 100 * Math.sin(x / 9 + y / 7 + (colour ? 2 * (i % 3) : 0));
  });
  return { width, height, data };
}

Deno.test("a usual grey picture raises no doubt", () => {
  assertEquals(doubtsAbout(waves(200, 300)), []);
});

Deno.test("tiny, blank, long and coloured pictures do, each by name", () => {
  assertEquals(doubtsAbout(greyToRgb(Uint8Array.of(7), 1, 1)), [
    "it is tiny (1x1 pixels)",
    "it is nearly blank (grey level 7 nearly everywhere)",
  ]);
  assertEquals(doubtsAbout(waves(4000, 100)), ["it is a strip (4000x100 pixels), squeezed into a square"]);
  assertEquals(doubtsAbout(greyToRgb(new Uint8Array(1600).map((_, i) => 100 + i % 4), 40, 40)), [
    "it is nearly blank (grey levels 100 to 103)",
  ]);
  const [coloured, ...rest] = doubtsAbout(waves(64, 64, true));
  assert(/^\d+ % of it is coloured/.test(coloured), coloured);
  assertEquals(rest, []);
});

const data = Deno.env.get("LAB_DATA"), folder = `${data}/vqa-rad-train/VQA_RAD Image Folder`;
Deno.test({
  name: "[needs LAB_DATA] of VQA-RAD's pictures not one is doubted",
  ignore: !data,
  fn: async () => {
    const doubted: string[] = [];
    for (const { name } of Deno.readDirSync(folder)) {
      const image = await decodeImage(`${folder}/${name}`);
      const doubts = doubtsAbout(resizeBicubic(image, Math.max(32, image.width >> 2), image.height >> 2));
      if (doubts.length) doubted.push(`${name}: ${doubts}`);
    }
    assertEquals(doubted, []);
  },
});
