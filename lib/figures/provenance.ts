import type { Config } from "../config/mod.ts";
import { figure, saveFigure } from "./bundle.ts";
import type { AnswerCaption, Caption, PlotlySpec } from "./theme.ts";

/** What a caption may say besides its title. */
export interface CaptionDetails {
  /** See `Caption`. */
  subtitle?: string;
  /** The model card's: wanted wherever an answer or attention of the model is shown. */
  notice?: string | null;
  /** What the images are, where they are not the corpora's. */
  images?: string;
}

/** A caption that says where the numbers come from: stage, scale, model, images, seed and day. */
export function captionOf(
  run: { stage: string },
  config: Config,
  title: string,
  details: CaptionDetails & { notice: string | null },
): AnswerCaption;
/** Likewise, for a figure that no model has a part in. */
export function captionOf(
  run: { stage: string },
  config: Config,
  title: string,
  details?: CaptionDetails,
): Caption;
export function captionOf(
  run: { stage: string },
  config: Config,
  title: string,
  { subtitle, notice, images }: CaptionDetails = {},
): Caption {
  const { scale, limit, model, corpora, seed } = config;
  const provenance = [
    run.stage,
    `scale ${scale}`,
    ...(limit === null ? [] : [`LIMITED to ${limit}`]),
    `model ${model.checkpoint}`,
    images ?? `${corpora.source} images`,
    `seed ${seed}`,
    new Date().toISOString().slice(0, 10),
  ];
  return { title, subtitle, notice, provenance: provenance.join(", ") };
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
