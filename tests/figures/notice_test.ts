import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadConfig } from "../../lib/config/mod.ts";
import { captionOf, renderSvg, tokenSaliencyFigure } from "../../lib/figures/mod.ts";
import { DEMONSTRATION_NOTICE } from "../../lib/weights/card.ts";
import { gallery } from "./gallery.ts";

const run = { stage: "07_saliency" };
const tiny = loadConfig({}), full = loadConfig({ SCALE: "full" });
/** The words of a drawing in their order. */
const words = (svg: string) => svg.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");

Deno.test("a picture of answers or attention carries the notice of the model's card, and only if it has one", async () => {
  const specs = await gallery();
  for (const name of ["saliency", "tokens", "examples"]) {
    assertStringIncludes(words(await renderSvg(specs[name])), `Note: ${DEMONSTRATION_NOTICE}`, name);
  }
  assertEquals(words(await renderSvg(specs.unmarked)).includes("Note:"), false);
});

Deno.test("a picture of answers or attention cannot be made without saying what the card says", () => {
  const column = new Float32Array([1]);
  const marked = captionOf(run, tiny, "Answer", { notice: DEMONSTRATION_NOTICE });
  assertEquals(marked.notice, DEMONSTRATION_NOTICE);
  tokenSaliencyFigure(["left"], { column }, marked);
  // @ts-expect-error: such a caption has no notice, so that a notebook that forgets it fails the check of its types.
  tokenSaliencyFigure(["left"], { column }, captionOf(run, tiny, "Answer"));
});

Deno.test("notebooks hand the card's notice to all their pictures of answers and attention", async () => {
  const makers = /\b(saliencyFigure|tokenSaliencyFigure|examplesFigure)\(/;
  const folder = new URL("../../notebooks/", import.meta.url), found: string[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".ipynb")) continue;
    const { cells } = JSON.parse(await Deno.readTextFile(new URL(name, folder)));
    const code = cells.map(({ source }: { source: string[] }) => source.join("")).join("\n");
    if (!makers.test(code)) continue;
    found.push(name);
    const values = [...code.matchAll(/\bnotice: ([^\s,})]+)/g)].map(([, value]) => value);
    assert(values.length > 0, name);
    for (const value of values) assertMatch(value, /^(base\.)?card\.notice$/, name);
    if (code.includes("sampleRadiograph()")) {
      assertMatch(
        code,
        /images: "one real radiograph \(|origin = isDemo \? "real images \([^]*images: origin/,
        name,
      );
    }
  }
  assertEquals(found.sort(), ["06_evaluation.ipynb", "07_saliency.ipynb", "09_own_data.ipynb"]);
});

Deno.test("a caption names the model by its checkpoint and the images by what they are", () => {
  assertMatch(
    captionOf(run, tiny, "Answer").provenance,
    /^07_saliency, scale tiny, model data\/nano, phantom images, seed 2506, \d{4}-\d\d-\d\d$/,
  );
  const mixed = { ...full, corpora: tiny.corpora, limit: 9 };
  assertStringIncludes(
    captionOf(run, mixed, "Answer").provenance,
    "scale full, LIMITED to 9, model google/paligemma-3b-mix-448, phantom images",
  );
  const { provenance } = captionOf(run, tiny, "Answer", { images: "one real radiograph" });
  assertStringIncludes(provenance, "model data/nano, one real radiograph, seed");
  assert(!provenance.includes("phantom"));
});
