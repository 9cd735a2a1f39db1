import { type Arrow, type Box, count, drawing } from "./drawing.ts";
import { type Caption, COLOURS, hiddenAxis, MUTED, type PlotlySpec, themedLayout } from "./theme.ts";

/** What figure 1 needs of a model's configuration; a PaliGemmaConfig fits. */
export interface ArchitectureConfig {
  /** The vision tower; sides in pixels. */
  vision: { hiddenSize: number; layers: number; heads: number; imageSize: number; patchSize: number };
  /** The language model. */
  text: {
    hiddenSize: number;
    layers: number;
    heads: number;
    kvHeads: number;
    intermediateSize: number;
    vocabSize: number;
  };
  /** Image tokens of a prompt. */
  imageTokens: number;
}

/**
 * Figure 1: the model's parts with their sizes, drawn from its configuration; filled parts are what the stage trains.
 *
 * @param trains `projector` in stage 1, `lora` in stage 2, `nothing` for the base model.
 */
export function architectureFigure(
  config: ArchitectureConfig,
  trains: "nothing" | "projector" | "lora",
  caption: Caption,
): PlotlySpec {
  const { vision, text, imageTokens } = config;
  const lora = trains === "lora";
  const boxes: Box[] = [
    {
      x: 0,
      y: 0,
      width: 150,
      height: 90,
      title: "Image",
      lines: [
        `${vision.imageSize} × ${vision.imageSize} pixels`,
        `${count(imageTokens)} patches of ${vision.patchSize} px`,
      ],
      colour: MUTED,
    },
    {
      x: 190,
      y: 0,
      width: 190,
      height: 90,
      title: "SigLIP vision tower",
      lines: [
        `${vision.layers} layers, ${vision.heads} heads, width ${count(vision.hiddenSize)}`,
        lora ? "LoRA on its attention" : "frozen",
      ],
      colour: COLOURS[0],
      filled: lora,
    },
    {
      x: 420,
      y: 0,
      width: 170,
      height: 90,
      title: "Linear projector",
      lines: [
        `${count(vision.hiddenSize)} → ${count(text.hiddenSize)}`,
        trains === "projector" ? "trained" : "frozen",
      ],
      colour: COLOURS[1],
      filled: trains === "projector",
    },
    {
      x: 0,
      y: -150,
      width: 150,
      height: 90,
      title: "Question",
      lines: ["“answer en …”", "bos + tokens + newline"],
      colour: MUTED,
    },
    {
      x: 190,
      y: -150,
      width: 190,
      height: 90,
      title: "Tokenizer, embedding",
      lines: [`${count(text.vocabSize)} entries`, `width ${count(text.hiddenSize)}`],
      colour: COLOURS[2],
    },
    {
      x: 420,
      y: -150,
      width: 170,
      height: 90,
      title: "Sequence",
      lines: [`${count(imageTokens)} image tokens`, "then the question"],
      colour: MUTED,
    },
    {
      x: 640,
      y: -150,
      width: 210,
      height: 90,
      title: "Gemma decoder",
      lines: [
        `${text.layers} layers, ${text.heads} heads (${text.kvHeads} key-value)`,
        `width ${count(text.hiddenSize)}, MLP ${count(text.intermediateSize)}`,
        lora ? "LoRA on its attention" : "frozen",
      ],
      colour: COLOURS[3],
      filled: lora,
    },
    {
      x: 640,
      y: 0,
      width: 210,
      height: 90,
      title: "Answer",
      lines: ["one token at a time,", "seeing image and question"],
      colour: MUTED,
    },
  ];
  const arrows: Arrow[] = [
    [150, 45, 190, 45],
    [380, 45, 420, 45],
    [505, 0, 505, -60],
    [150, -105, 190, -105],
    [380, -105, 420, -105],
    [590, -105, 640, -105],
    [745, -60, 745, 0],
  ];
  return {
    data: [{ type: "scatter", x: [], y: [], hoverinfo: "skip" }],
    layout: themedLayout(caption, { width: 960, plotHeight: 250 }, [], {
      ...drawing(boxes, arrows),
      xaxis: hiddenAxis([-10, 860]),
      yaxis: hiddenAxis([-165, 105]),
      margin: { l: 16, r: 16, b: 20 },
    }),
  };
}
