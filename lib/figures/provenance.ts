import type { Config } from "../config/mod.ts";
import { figure, saveFigure } from "./bundle.ts";
import type { Caption, PlotlySpec } from "./theme.ts";

/** A caption that says where the numbers come from: stage, scale, seed, day and device, and what stands in for what. */
export function captionOf(run: { stage: string }, config: Config, title: string, subtitle?: string): Caption {
  const day = new Date().toISOString().slice(0, 10);
  const data = config.corpora.source === "phantom" ? "phantom images, nano model" : "real images";
  const limit = config.limit === null ? "" : `, LIMITED to ${config.limit}`;
  return {
    title,
    subtitle,
    provenance: `${run.stage}, scale ${config.scale}${limit} (${data}), seed ${config.seed}, ${day}`,
  };
}

/** Shows a figure under the current cell and saves it with the run, as `figures/NAME.*`. */
export async function publishFigure(
  run: { file(name: string): string },
  name: string,
  spec: PlotlySpec,
): Promise<void> {
  await figure(spec, { name });
  await saveFigure(run.file("figures"), name, spec);
}
