import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import sharp from "sharp";
import {
  architectureFigure,
  linesFigure,
  recipeFigure,
  renderSvg,
  saveFigure,
  svgToPng,
} from "../../lib/figures/mod.ts";
import { paperCurves } from "../../lib/figures/curves.ts";
import { PAPER_ACCURACY, PAPER_ORGANS } from "../../lib/report/paper_values.ts";
import { figureBundle } from "../../lib/figures/bundle.ts";
import { textWidth } from "../../lib/figures/geometry.ts";
import { loadPlotly } from "../../lib/figures/render.ts";
import { plainText } from "../../lib/figures/theme.ts";
import { PAPER_CURATION } from "../../lib/report/mod.ts";
import { loadConfig } from "../../lib/config/mod.ts";
import { gallery } from "./gallery.ts";

const specs = await gallery();

Deno.test("Every figure is valid for plotly's own validator", async () => {
  const { validate } = await loadPlotly();
  for (const [name, { data, layout }] of Object.entries(specs)) {
    const { legend, ...checked } = layout; // the validator of plotly 4.1.1 fails on any legend
    assertEquals(typeof legend, "object");
    const problems = [...validate(structuredClone(data), structuredClone(checked)) ?? []];
    // Traces without points (legend entries, empty drawings) are meant.
    const real = problems.filter((p) =>
      p.code !== "invisible" && p.code !== "dynamic" && p.code !== "unused"
    );
    assertEquals(real.map((p) => `${name}: ${p.msg}`), []);
  }
});

Deno.test("Every figure says what it is and where its numbers come from, inside its frame", async () => {
  for (const [name, spec] of Object.entries(specs)) {
    const svg = await renderSvg(spec);
    assertEquals(await renderSvg(spec), svg);
    assertStringIncludes(svg, "made-up numbers of a test");
    assert(!svg.includes("NaN"), `${name} has coordinates that are not numbers`);
    const { data, info } = await sharp(await svgToPng(svg)).greyscale().raw().toBuffer({
      resolveWithObject: true,
    });
    assertEquals([info.width, info.height], [2 * Number(spec.layout.width), 2 * Number(spec.layout.height)]);
    const dark = (top: number, bottom: number) =>
      data.subarray(top * info.width, bottom * info.width).some((value) => value < 160);
    assert(dark(10, 60), `${name} has no title`);
    assert(dark(info.height - 44, info.height - 8), `${name} has no provenance`);
    for (let y = 0; y < info.height; y++) {
      assert(
        data[y * info.width] > 250 && data[y * info.width + info.width - 1] > 250,
        `${name} is cut off at row ${y}`,
      );
    }
  }
});

Deno.test("A figure is drawn in the font that ships, whatever fonts the system has", async () => {
  const svg = await renderSvg(specs.accuracy);
  const here = await svgToPng(svg);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/figure.svg`, svg);
    const module = new URL("../../lib/figures/mod.ts", import.meta.url).href;
    await Deno.writeTextFile(
      `${folder}/none.conf`,
      `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>`,
    );
    const code = `const { svgToPng } = await import("${module}");
      await Deno.writeFile("${folder}/figure.png", await svgToPng(await Deno.readTextFile("${folder}/figure.svg")));`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", code],
      cwd: new URL("../..", import.meta.url),
      env: { FONTCONFIG_FILE: `${folder}/none.conf`, FONTCONFIG_PATH: folder },
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    assertEquals(await Deno.readFile(`${folder}/figure.png`), here);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("A bundle carries plotly, SVG, PNG and text; saving writes three files and leaves no part behind", async () => {
  const bundle = await figureBundle(specs.tokens, { name: "image to response" });
  assertEquals(Object.keys(bundle), [
    "application/vnd.plotly.v1+json",
    "image/svg+xml",
    "image/png",
    "text/plain",
  ]);
  assert(bundle["image/png"].startsWith("iVBORw0KGgo"));
  const folder = await Deno.makeTempDir();
  try {
    await saveFigure(folder, "tokens", specs.tokens);
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
    assertEquals(names, ["tokens.plotly.json", "tokens.png", "tokens.svg"]);
    assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/tokens.plotly.json`)).data[0].type, "bar");
    await assertRejects(() => saveFigure(folder, "../x", specs.tokens), Error, "figure name");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Text from data never becomes markup in a figure", async () => {
  const spec = structuredClone(specs.tokens);
  assertEquals(plainText("<b>&x"), "&#60;b&#62;&#38;x");
  const svg = await renderSvg(spec);
  assertMatch(svg, /(&lt;|&#60;)eos(&gt;|&#62;)/);
});

Deno.test("The architecture and the recipe show the configuration's own numbers", () => {
  const words = (spec: { layout: Record<string, unknown> }) => JSON.stringify(spec.layout.annotations);
  assertStringIncludes(words(specs.architecture), "27 layers, 16 heads");
  assertStringIncludes(words(specs.architecture), "1,024 image tokens");
  const tiny = loadConfig({});
  const recipe = words(recipeFigure(tiny, { title: "x", provenance: "y" }));
  assertStringIncludes(recipe, `rank ${tiny.stage2.rank}, alpha ${tiny.stage2.alpha}`);
  const base = architectureFigure(
    {
      vision: { hiddenSize: 64, layers: 2, heads: 2, imageSize: 112, patchSize: 14 },
      text: { hiddenSize: 64, layers: 3, heads: 4, kvHeads: 1, intermediateSize: 128, vocabSize: 500 },
      imageTokens: 64,
    },
    "nothing",
    { title: "x", provenance: "y" },
  );
  assert(!words(base).includes("trained") && !words(base).includes("LoRA"));
});

Deno.test("The paper's numbers add up where the paper says how", () => {
  const { locations, minImages, kept } = PAPER_CURATION;
  const sum = Object.values(locations).filter((n) => n >= minImages).reduce((a, b) => a + b, 0);
  assertEquals(sum, kept);
  assertEquals(PAPER_ORGANS.rows.map((row) => row.ours.of), [50, 50, 50, 50]);
  assertAlmostEquals(
    PAPER_ACCURACY.roco_v2.withStage1.correct / PAPER_ACCURACY.roco_v2.withStage1.of,
    0.34,
    1e-12,
  );
});

Deno.test("The paper's loss curves stand beside ours under the colour of their own cell", () => {
  const [open, closed] = paperCurves(["roco_v2", "slake"]);
  assertEquals([open.points.length, open.points[0]], [10, [1, 2.1582]]);
  assertEquals(closed.points[4], [5, 0.278]);
  assertEquals(open.colourKey, "roco_v2__with");
});

Deno.test("Ticks of a logarithmic axis are powers of two, as many as can be read", () => {
  const ticks = (...values: number[]) => {
    const points = values.map((y) => [1, y] as const);
    const { layout } = linesFigure([{ name: "a", points, from: "ours" }], { x: "x", y: "y", log: true }, {
      title: "t",
      provenance: "p",
    });
    return (layout.yaxis as { type: string; tickvals: number[] }).tickvals;
  };
  assertEquals(ticks(0.6, 3), [0.5, 1, 2, 4]);
  assertEquals(ticks(1, 2 ** 20), [0, 3, 6, 9, 12, 15, 18].map((power) => 2 ** power));
});

Deno.test("Text is measured in the font that it is drawn in, bold wider than plain", () => {
  const node = (weight: string) => {
    const text = {
      nodeType: 3,
      tagName: "#text",
      textContent: "Accuracy",
      parentElement: null,
      children: [],
      childNodes: [],
      getAttribute: () => null,
    };
    const style = {
      getPropertyValue: (name: string) => ({ "font-size": "20px", "font-weight": weight })[name] ?? "",
    };
    return { ...text, nodeType: 1, tagName: "text", style, childNodes: [text] };
  };
  const plain = textWidth(node(""));
  assert(plain > 80 && plain < 110, String(plain)); // DejaVu Sans: 95 px at 20 px
  assert(textWidth(node("bold")) > 1.08 * plain);
});
