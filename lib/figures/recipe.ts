import type { Config } from "../config/mod.ts";
import { type Arrow, type Box, count, drawing } from "./drawing.ts";
import { type Caption, COLOURS, hiddenAxis, MUTED, type PlotlySpec, themedLayout } from "./theme.ts";

/** Figure 2: the training recipe with the numbers of a configuration. */
export function recipeFigure(config: Config, caption: Caption): PlotlySpec {
  const { synthesis, annealing, stage1, stage2, evaluation } = config;
  const percent = (share: number) => `${Number((100 * share).toFixed(1))}%`;
  const box = (
    column: number,
    row: number,
    title: string,
    lines: string[],
    colour: string,
    filled = false,
  ): Box => ({
    x: column * 240,
    y: -row * 130,
    width: 200,
    height: 95,
    title,
    lines,
    colour,
    filled,
  });
  const boxes = [
    box(0, 0, "SLAKE", ["anatomy questions", "written by physicians"], MUTED),
    box(0, 1, "ROCOv2, MedPix 2.0", ["images with captions", "and cases"], MUTED),
    box(0, 2, "PMC-VQA", ["questions with", "four options"], MUTED),
    box(1, 1, "Question synthesis", [
      "language model as teacher",
      `${count(synthesis.captions)} captions, filtered`,
    ], COLOURS[2]),
    box(2, 1, "Annealing", [
      `locations with ≥ ${count(annealing.minImagesPerLocation)} images`,
      `MedPix ${percent(annealing.startRatio)} → ${percent(annealing.endRatio)} of the mix`,
    ], COLOURS[4]),
    box(
      2,
      0,
      "Stage 1: projector",
      [
        `${stage1.epochs} epochs, batch ${stage1.batchSize}`,
        `learning rate ${stage1.learningRate}`,
      ],
      COLOURS[1],
      true,
    ),
    box(
      3,
      1,
      "Stage 2: LoRA",
      [
        `rank ${stage2.rank}, alpha ${stage2.alpha}, both towers`,
        `${count(stage2.steps)} steps, batch ${stage2.batchSize} × ${stage2.accumulation}`,
        `learning rate ${stage2.learningRate}`,
      ],
      COLOURS[1],
      true,
    ),
    box(3, 2, "Evaluation", [
      `closed: ${evaluation.runs} runs, ${count(evaluation.closedItems)} items`,
      `open: judge, ${count(evaluation.openItems)} items`,
      "saliency",
    ], COLOURS[0]),
  ];
  const arrows: Arrow[] = [
    [200, 47, 480, 47],
    [200, -83, 240, -83],
    [440, -83, 480, -83],
    [680, -83, 720, -83],
    [680, 47, 790, -35],
    [200, -213, 770, -130],
    [830, -130, 830, -165],
  ];
  return {
    data: [{ type: "scatter", x: [], y: [], hoverinfo: "skip" }],
    layout: themedLayout(caption, { width: 980, plotHeight: 370 }, [], {
      ...drawing(boxes, arrows),
      xaxis: hiddenAxis([-10, 930]),
      yaxis: hiddenAxis([-275, 110]),
      margin: { l: 16, r: 16, b: 20 },
    }),
  };
}
