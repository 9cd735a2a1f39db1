import type { Config } from "../config/mod.ts";
import {
  type Caption,
  COLOURS,
  hiddenAxis,
  INK,
  MUTED,
  plainText,
  type PlotlySpec,
  themedLayout,
} from "./theme.ts";

/** What figure 1 needs of a model's configuration; a PaliGemmaConfig fits. */
export interface ArchitectureConfig {
  vision: { hiddenSize: number; layers: number; heads: number; imageSize: number; patchSize: number };
  text: {
    hiddenSize: number;
    layers: number;
    heads: number;
    kvHeads: number;
    intermediateSize: number;
    vocabSize: number;
  };
  imageTokens: number;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  title: string;
  lines: string[];
  colour: string;
  /** Filled boxes are trained, outlined ones are frozen or are data. */
  filled?: boolean;
}

/** Boxes and arrows in pixel-like units, y upwards. */
function drawing(boxes: readonly Box[], arrows: readonly [number, number, number, number][]) {
  const shapes: unknown[] = [];
  const annotations: unknown[] = [];
  for (const { x, y, width, height, title, lines, colour, filled } of boxes) {
    shapes.push({
      type: "rect",
      x0: x,
      x1: x + width,
      y0: y,
      y1: y + height,
      line: { color: colour, width: 2 },
      fillcolor: filled ? colour + "33" : "#FFFFFF",
      layer: "below",
    });
    annotations.push({
      text: [`<b>${title}</b>`, ...lines.map((line) => `<span style="font-size:11px">${line}</span>`)].join(
        "<br>",
      ),
      x: x + width / 2,
      y: y + height / 2,
      showarrow: false,
      font: { size: 13, color: INK },
      align: "center",
    });
  }
  for (const [fromX, fromY, toX, toY] of arrows) {
    annotations.push({
      x: toX,
      y: toY,
      ax: fromX,
      ay: fromY,
      xref: "x",
      yref: "y",
      axref: "x",
      ayref: "y",
      text: "",
      showarrow: true,
      arrowhead: 2,
      arrowsize: 1,
      arrowwidth: 1.8,
      arrowcolor: MUTED,
    });
  }
  return { shapes, annotations };
}

const count = (n: number) => n.toLocaleString("en-US");

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
  const arrows: [number, number, number, number][] = [
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
  const arrows: [number, number, number, number][] = [
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

/** What a position of the sequence is, for `maskFigure`. */
export type TokenKind = "image" | "prefix" | "answer" | "padding";

/**
 * The prefix-LM attention mask as a matrix: which key (across) each query (down) may see, coloured by the key's kind.
 *
 * @param mask [L, L], 1 where allowed; `tokens` text and kind per position.
 */
export function maskFigure(
  mask: ArrayLike<number>,
  tokens: readonly { text: string; kind: TokenKind }[],
  caption: Caption,
): PlotlySpec {
  const kinds: TokenKind[] = ["image", "prefix", "answer", "padding"];
  const colours = ["#F4F5F7", COLOURS[5], COLOURS[2], COLOURS[4], "#B9BFC6"];
  const length = tokens.length;
  const z = tokens.map((_, i) =>
    tokens.map((key, j) => (mask[i * length + j] ? kinds.indexOf(key.kind) + 1 : 0))
  );
  const labels = tokens.map((t, i) => `${i} ${plainText(t.text)}`);
  const many = length > 40;
  const ticks = many ? { showticklabels: false } : {
    tickmode: "array",
    tickvals: tokens.map((_, i) => i),
    ticktext: tokens.map((t) => plainText(t.text)),
    tickfont: { size: 11, color: INK },
  };
  const scale = colours.flatMap((colour, i) => [[i / 5, colour], [(i + 1) / 5, colour]]);
  const longest = many ? 0 : Math.max(...tokens.map((t) => t.text.length)) * 7;
  const side = many ? 440 : Math.max(320, 24 * length);
  const legend = (["masked", ...kinds] as const)
    .filter((kind) => kind === "masked" || tokens.some((t) => t.kind === kind))
    .map((kind) => ({
      type: "scatter",
      mode: "markers",
      name: kind === "masked" ? "not seen" : kind === "padding" ? "padding" : `sees ${kind}`,
      x: [null],
      y: [null],
      marker: {
        symbol: "square",
        size: 12,
        color: colours[kind === "masked" ? 0 : kinds.indexOf(kind) + 1],
        line: { color: MUTED, width: 0.5 },
      },
    }));
  return {
    data: [
      {
        type: "heatmap",
        z,
        zmin: -0.5,
        zmax: 4.5,
        colorscale: scale,
        showscale: false,
        xgap: many ? 0 : 1,
        ygap: many ? 0 : 1,
        text: labels.map((query) => labels.map((key) => `query ${query}<br>key ${key}`)),
        hoverinfo: "text",
      },
      ...legend,
    ],
    layout: themedLayout(
      caption,
      { width: side + longest + 84, plotHeight: side },
      legend.map((l) => l.name),
      {
        xaxis: {
          title: { text: "Key (is seen)", standoff: 12 },
          side: "bottom",
          tickangle: -60,
          showgrid: false,
          zeroline: false,
          constrain: "domain",
          ...ticks,
        },
        yaxis: {
          title: { text: "Query (sees)", standoff: 12 },
          autorange: "reversed",
          scaleanchor: "x",
          showgrid: false,
          zeroline: false,
          constrain: "domain",
          ...ticks,
        },
        margin: { l: 60 + longest, b: 50 + longest },
      },
    ),
  };
}
