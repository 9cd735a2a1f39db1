import { createCanvas } from "@napi-rs/canvas";
import { fromFileUrl, join } from "@std/path";
import { JSDOM } from "jsdom";
import sharp from "sharp";
import { sha256 } from "../config/mod.ts";
import { FONT_FAMILY, fontFolder } from "./fonts.ts";
import { boxOf, clientBoxOf, lineEnds, textWidth } from "./geometry.ts";
import { type PlotlySpec, tameSpec } from "./theme.ts";

/** What is used of plotly.js. */
export interface Plotly {
  toImage(spec: PlotlySpec, options: { format: "svg"; width: number; height: number }): Promise<string>;
  /** Problems of a figure's attributes; undefined if there are none. */
  validate(data: unknown, layout: unknown): { code: string; msg: string }[] | undefined;
}

let plotly: Promise<Plotly> | null = null;

/** Loads plotly.js into a document without a browser, once per process (about half a second). */
export function loadPlotly(): Promise<Plotly> {
  return plotly ??= (async () => {
    const window =
      new JSDOM("<!doctype html><html><body></body></html>", { runScripts: "outside-only" }).window;
    giveMeasures(window);
    window.eval(
      await Deno.readTextFile(new URL(import.meta.resolve("plotly.js/dist/plotly-cartesian.min.js"))),
    );
    // deno-lint-ignore no-explicit-any -- a global of a script that was just evaluated
    return (window as any).Plotly;
  })();
}

/** What jsdom lacks and plotly asks for: boxes, lengths of text and lines, a canvas for heatmaps, object addresses. */
// deno-lint-ignore no-explicit-any -- jsdom's window is patched where its types say that nothing is missing
function giveMeasures(window: any): void {
  const svg = window.SVGElement.prototype;
  svg.getBBox = function () {
    return boxOf(this);
  };
  svg.getBoundingClientRect = function () {
    return clientBoxOf(this);
  };
  svg.getComputedTextLength = function () {
    return textWidth(this);
  };
  svg.getTotalLength = function () {
    return lineEnds(this.getAttribute("d")).length;
  };
  svg.getPointAtLength = function (at: number) {
    const { from, to, length } = lineEnds(this.getAttribute("d"));
    const share = length > 0 ? at / length : 0;
    return { x: from[0] + share * (to[0] - from[0]), y: from[1] + share * (to[1] - from[1]) };
  };
  window.HTMLCanvasElement.prototype.getContext = function (kind: string) {
    this.drawn ??= createCanvas(this.width, this.height);
    if (this.drawn.width !== this.width) this.drawn.width = this.width;
    if (this.drawn.height !== this.height) this.drawn.height = this.height;
    return this.drawn.getContext(kind);
  };
  window.HTMLCanvasElement.prototype.toDataURL = function (type: string) {
    return this.drawn.toDataURL(type);
  };
  window.URL.createObjectURL = () => "";
}

/**
 * The figure as SVG text, drawn without a browser.
 *
 * @param spec width and height come from its layout (pixels).
 */
export async function renderSvg(spec: PlotlySpec): Promise<string> {
  const { data, layout } = tameSpec(spec); // a copy, since plotly writes into it
  const width = Number(layout.width ?? 720);
  const height = Number(layout.height ?? 440);
  const library = await loadPlotly();
  const url = await library.toImage({
    data: data.map((trace, i) => ({ ...trace, uid: `t${i}` })),
    layout: { ...layout, width, height },
  }, {
    format: "svg",
    width,
    height,
  });
  const svg = decodeURIComponent(url.slice(url.indexOf(",") + 1));
  // Plotly makes up names at random; named by content, equal figures are equal files.
  const name = svg.match(/<defs id="defs-([0-9a-f]+)"/)?.[1];
  return name ? svg.replaceAll(name, `c${sha256(JSON.stringify(spec)).slice(0, 8)}`) : svg;
}

let fontsReady: Promise<void> | null = null;

/**
 * Makes librsvg (inside sharp) know the font that ships and no other: fontconfig reads its configuration once per process,
 * so the environment is changed for one small drawing only.
 */
function readyFonts(): Promise<void> {
  return fontsReady ??= (async () => {
    const folder = await Deno.makeTempDir({ prefix: "fonts" });
    const before = Deno.env.get("FONTCONFIG_FILE");
    try {
      const path = join(folder, "fonts.conf");
      await Deno.writeTextFile(
        path,
        `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${
          fromFileUrl(fontFolder)
        }</dir><cachedir>${folder}</cachedir></fontconfig>`,
      );
      Deno.env.set("FONTCONFIG_FILE", path);
      const sample =
        `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15" font-family="${FONT_FAMILY}">a</text></svg>`;
      await sharp(new TextEncoder().encode(sample)).png().toBuffer();
    } finally {
      if (before === undefined) Deno.env.delete("FONTCONFIG_FILE");
      else Deno.env.set("FONTCONFIG_FILE", before);
      await Deno.remove(folder, { recursive: true });
    }
  })();
}

/** PNG bytes of an SVG figure at `scale` times its size, with the font that ships (no system font is needed). */
export async function svgToPng(svg: string, scale = 2): Promise<Uint8Array> {
  await readyFonts();
  const png = await sharp(new TextEncoder().encode(svg), { density: 72 * scale }).png({
    compressionLevel: 9,
    palette: true,
    effort: 7,
  })
    .toBuffer();
  return new Uint8Array(png);
}
