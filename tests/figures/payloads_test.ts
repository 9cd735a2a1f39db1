import { assert, assertEquals } from "@std/assert";
import {
  accuracyFigure,
  conceptCountsFigure,
  curationFigure,
  examplesFigure,
  lengthsFigure,
  linesFigure,
  maskFigure,
  mixingFigure,
  type PlotlySpec,
  renderSvg,
  saliencyFigure,
  svgToPng,
  tokenSaliencyFigure,
} from "../../lib/figures/mod.ts";
import { intervalsFigure } from "../../lib/figures/intervals.ts";
import type { LengthSpread } from "../../lib/corpus/mod.ts";
import { visible } from "../../lib/jupyter/mod.ts";
import { chrome, withPage } from "../jupyter/browser.ts";
import { PAYLOADS, TRAP } from "../jupyter/payloads.ts";

const image = { width: 8, height: 8, data: new Uint8Array(192) };
const all = PAYLOADS.join(" ");
const caption = { title: all, subtitle: all, notice: all, provenance: all };
const plain = { title: "t", notice: null, provenance: "p" };

/** Figures with a payload in every text; `shown` are those that show each of them whole. */
async function figures(): Promise<{ shown: Record<string, PlotlySpec>; cut: Record<string, PlotlySpec> }> {
  const grid = { rows: 1, columns: 1 };
  const points = [[0, 1], [1, 2]] as const;
  const bars = PAYLOADS.map((p) => ({
    group: p,
    system: p,
    accuracy: 0.5,
    low: 0.4,
    high: 0.6,
    from: "ours" as const,
  }));
  return {
    shown: {
      caption: tokenSaliencyFigure(["a"], { column: new Float32Array([1]) }, caption),
      lines: linesFigure(PAYLOADS.map((name) => ({ name, points, from: "ours" })), { x: all, y: "y" }, plain),
      accuracy: accuracyFigure(bars, plain, all),
      saliency: await saliencyFigure(
        image,
        PAYLOADS.map((title) => ({ title, map: new Float32Array(1), ...grid })),
        plain,
      ),
      examples: await examplesFigure(
        PAYLOADS.map((p) => ({
          image,
          question: p,
          reference: p,
          answers: [{ system: p, answer: p, right: true }],
        })),
        plain,
      ),
      intervals: intervalsFigure(
        PAYLOADS.map((p) => (
          { label: p, group: all, kind: p, interval: { estimate: 0.5, low: 0.4, high: 0.6 } }
        )),
        "share",
        plain,
      ),
      mixing: mixingFigure(
        PAYLOADS.map((name) => ({ name, windows: [{ step: 0, target: 0.1, measured: 0.1 }] })),
        plain,
      ),
    },
    cut: { // here plotly leaves out labels that would lie on others, or we shorten them
      tokens: tokenSaliencyFigure(
        PAYLOADS,
        Object.fromEntries(PAYLOADS.map((name) => [name, new Float32Array(PAYLOADS.length).fill(1)])),
        plain,
      ),
      mask: maskFigure(
        new Uint8Array(PAYLOADS.length ** 2).fill(1),
        PAYLOADS.map((text) => ({ text, kind: "prefix" })),
        plain,
      ),
      concepts: conceptCountsFigure(
        [{ dataset: all, unit: all, counts: PAYLOADS.map((concept, i) => ({ concept, count: i + 1 })) }],
        plain,
      ),
      curation: curationFigure([{
        name: all,
        locations: PAYLOADS.map((location) => ({ location, images: 9, kept: true })),
        steps: PAYLOADS.map((step, i) => ({ step, count: 20 - i, unit: step })),
        minImages: 3,
      }], plain),
      lengths: lengthsFigure(
        PAYLOADS.map((p) =>
          ({ dataset: p, measure: "question", unit: p, points: [1, 2, 3, 4, 5] }) as unknown as LengthSpread
        ),
        plain,
      ),
      // A developer's mistake: text that nothing escaped.
      forgotten: {
        data: [{ type: "bar", x: [1, 2], y: [1, 2], name: all, showlegend: true }],
        layout: { annotations: PAYLOADS.map((text) => ({ text, x: 1, y: 1 })) },
      },
    },
  };
}

Deno.test({
  name: "hostile texts end no figure, become no link and no element, and are drawn whole [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const { shown, cut } = await figures();
    const plotly = await Deno.readTextFile(
      new URL(import.meta.resolve("plotly.js/dist/plotly-cartesian.min.js")),
    );
    const unspaced = (text: string) => text.replace(/\s/g, "");
    await withPage(async (page) => {
      const requests: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      await page.setContent("<!doctype html><div id=live></div><div id=still></div>");
      await page.addScriptTag({ content: plotly });
      for (const [name, spec] of Object.entries({ ...shown, ...cut })) {
        const svg = await renderSvg(spec);
        if (name in cut || name === "caption") await svgToPng(svg, 0.5);
        const found = await page.evaluate(async ([spec, svg]) => {
          // deno-lint-ignore no-explicit-any -- the browser's globals
          const { document, Plotly } = globalThis as any;
          const [live, still] = [document.getElementById("live"), document.getElementById("still")];
          await Plotly.newPlot(live, spec.data, spec.layout);
          still.innerHTML = svg;
          const bad = ":is(a[*|href], script, foreignObject, [onerror], [onload], [onmouseover])";
          return {
            texts: [live, still].map((at) => at.textContent as string),
            bad: document.querySelectorAll(`#still ${bad}, #live .main-svg ${bad}`).length as number,
          };
        }, [JSON.parse(JSON.stringify(spec)), svg] as const);
        if (name !== "forgotten") assertEquals(found.bad, 0, name);
        else assertEquals(/<a[ >]/.test(svg), false);
        if (name in shown) {
          for (const payload of PAYLOADS) {
            for (const text of found.texts) {
              assert(unspaced(text).includes(unspaced(visible(payload))), `${name}: ${visible(payload)}`);
            }
          }
        }
      }
      assertEquals(await page.evaluate("globalThis.owned"), undefined);
      assertEquals(requests.filter((url) => url.includes(TRAP)), []);
    });
  },
});
