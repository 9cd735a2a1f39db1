import { join } from "@std/path";
import { makeFolder, writeFileAtomic } from "../config/mod.ts";
import { show } from "../jupyter/mod.ts";
import { renderSvg, svgToPng } from "./render.ts";
import { type PlotlySpec, tameSpec } from "./theme.ts";

/** A figure in every form that a notebook front end may want. */
export type FigureBundle = {
  "application/vnd.plotly.v1+json": PlotlySpec & { config: Record<string, unknown> };
  "image/svg+xml": string;
  /** Base64. */
  "image/png": string;
  "text/plain": string;
};

/** Base64 of bytes of any length. */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/**
 * A figure as a display bundle: interactive plotly where the front end has it, PNG and SVG elsewhere, its title as text.
 *
 * @param name short name of the figure, shown where nothing else can be.
 */
export async function figureBundle(spec: PlotlySpec, options: { name: string }): Promise<FigureBundle> {
  const svg = await renderSvg(spec);
  return {
    "application/vnd.plotly.v1+json": {
      ...tameSpec(spec),
      config: { responsive: false, displaylogo: false },
    },
    "image/svg+xml": svg,
    // JupyterLab's plotly view shows this picture, pixel by pixel, until the mouse enters it.
    "image/png": encodeBase64(await svgToPng(svg, 1)),
    "text/plain": `Figure: ${options.name}`,
  };
}

/**
 * Writes `NAME.plotly.json`, `NAME.svg` and `NAME.png` into a folder (a run's), each atomically.
 *
 * @returns the three paths.
 */
export async function saveFigure(folder: string, name: string, spec: PlotlySpec): Promise<string[]> {
  if (!/^[a-z0-9_-]+$/.test(name)) {
    throw new Error(`Expected a figure name of a-z, 0-9, _ and -; found "${name}".`);
  }
  await makeFolder(folder);
  const svg = await renderSvg(spec);
  const files: [string, string | Uint8Array][] = [
    ["plotly.json", JSON.stringify(tameSpec(spec)) + "\n"],
    ["svg", svg],
    ["png", await svgToPng(svg)],
  ];
  const paths: string[] = [];
  for (const [extension, content] of files) {
    const path = join(folder, `${name}.${extension}`);
    await writeFileAtomic(path, content);
    paths.push(path);
  }
  return paths;
}

/** CSS pixels of a picture at most: a wider one is cut off beside JupyterLab's file browser. */
const MAX_WIDTH = 960;

/** Shows a figure in the notebook, in every form of `figureBundle`; the PNG not wider than the page. */
export async function figure(spec: PlotlySpec, options: { name: string }): Promise<void> {
  const width = Math.min(MAX_WIDTH, Number(spec.layout.width ?? 720));
  await show(await figureBundle(spec, options), { metadata: { "image/png": { width } } });
}
