import { loadConfig } from "../../lib/config/mod.ts";
import type { LengthSpread } from "../../lib/corpus/mod.ts";
import {
  accuracyFigure,
  architectureFigure,
  conceptCountsFigure,
  curationFigure,
  examplesFigure,
  lengthsFigure,
  linesFigure,
  lossCurvesFigure,
  maskFigure,
  mixingFigure,
  paperCurationPanel,
  type PlotlySpec,
  recipeFigure,
  saliencyFigure,
  scalingFigure,
  tokenSaliencyFigure,
} from "../../lib/figures/mod.ts";
import { intervalsFigure } from "../../lib/figures/intervals.ts";
import { PAPER_CONCEPTS, PAPER_LOSS_OPEN } from "../../lib/report/mod.ts";
import { prefixLmMask } from "../../lib/saliency/mod.ts";
import { wilsonInterval } from "../../lib/stats/mod.ts";
import { fitScalingLaw } from "../../lib/stats/scaling_law.ts";
import { DEMONSTRATION_NOTICE } from "../../lib/weights/card.ts";

const caption = (title: string, subtitle?: string) => ({
  title,
  subtitle,
  provenance: "made-up numbers of a test",
});
/** Of a figure that shows answers or attention of a model. */
const ofAnswer = (title: string, notice: string | null = DEMONSTRATION_NOTICE) => ({
  ...caption(title),
  notice,
});
/** As long as words get: a name without a space, and more sentences than fit into one line of any figure. */
const LONG = `${"checkpoint".repeat(12)} ${"WHERE IS IT? ".repeat(9)}${
  "says what its answers are worth, and says it again. ".repeat(4)
}`;
const counts = (record: Record<string, number>) =>
  Object.entries(record).map(([concept, count]) => ({ concept, count }));

/** One figure of every builder, with numbers that mean nothing. */
export async function gallery(): Promise<Record<string, PlotlySpec>> {
  const side = 56;
  const image = {
    width: side,
    height: side,
    data: new Uint8Array(side * side * 3).map((_, i) => (i / 3) % side * 4),
  };
  const lesion = Uint8Array.from(
    { length: side * side },
    (_, i) => Math.hypot(i % side - 36, Math.floor(i / side) - 20) < 6 ? 1 : 0,
  );
  const tokens = [
    ...["<image>", "<image>", "<image>"].map((text) => ({ text, kind: "image" as const })),
    ...["<bos>", "answer", "side?", "\\n"].map((text) => ({ text, kind: "prefix" as const })),
    ...["left", "<eos>"].map((text) => ({ text, kind: "answer" as const })),
    { text: "<pad>", kind: "padding" as const },
  ];
  const mask = prefixLmMask(
    tokens.map((t) => Number(t.kind === "image" || t.kind === "prefix")),
    tokens.map((t) => Number(t.kind !== "padding")),
  );
  const points = [1e4, 1e6].flatMap((parameters) =>
    [1e4, 1e5, 1e6].map((tokens) => ({
      parameters,
      tokens,
      loss: 20 * parameters ** -0.1 * tokens ** -0.15 + 1.2,
    }))
  );
  const bar = (group: string, system: string, correct: number) => {
    const { estimate: accuracy, low, high } = wilsonInterval(correct, 200);
    return { group, system, accuracy, low, high, from: "ours" as const };
  };
  const spread = (
    dataset: LengthSpread["dataset"],
    measure: LengthSpread["measure"],
    ...points: LengthSpread["points"]
  ): LengthSpread => ({ dataset, measure, unit: measure.startsWith("image") ? "pixels" : "words", points });
  const curve = PAPER_LOSS_OPEN.medpix2.map((loss, i) => [i + 1, loss] as const);
  return {
    concepts: conceptCountsFigure([
      { dataset: "ROCOv2", unit: "Images", counts: counts(PAPER_CONCEPTS.roco_v2) },
      { dataset: "SLAKE", unit: "Questions", counts: counts(PAPER_CONCEPTS.slake) },
      { dataset: "PMC-VQA", unit: "Questions", counts: counts(PAPER_CONCEPTS.pmc_vqa) },
    ], caption("Concepts per dataset")),
    lengths: lengthsFigure([
      spread("slake", "question", 4, 6, 7, 9, 13),
      spread("pmc_vqa", "question", 6, 9, 11, 15, 23),
      spread("slake", "answer", 1, 1, 1, 1, 3),
      spread("pmc_vqa", "answer", 1, 1, 2, 4, 9),
      spread("roco_v2", "caption", 5, 11, 17, 26, 53),
      spread("medpix2", "caption", 4, 9, 15, 29, 70),
      spread("slake", "image width", 256, 512, 512, 512, 1024),
      spread("roco_v2", "image width", 256, 384, 552, 796, 1536),
      spread("slake", "image height", 256, 512, 512, 512, 1024),
      spread("roco_v2", "image height", 256, 361, 515, 748, 1488),
    ], caption("Lengths and sizes")),
    curation: curationFigure(
      [{ ...paperCurationPanel(), name: "Ours" }, paperCurationPanel()],
      caption("Curation", "How much does each filter leave?"),
    ),
    losses: lossCurvesFigure([
      { name: "MedPix, paper", points: curve, from: "paper", colourKey: "medpix" },
      {
        name: "MedPix, ours",
        points: curve.map(([x, y]) => [x, y - 0.2] as const),
        from: "ours",
        colourKey: "medpix",
      },
    ], caption("Evaluation loss", "Does the loss fall?")),
    lines: linesFigure(
      [{ name: "deletion", points: [[1, 0.9], [10, 0.5], [100, 0.1]], from: "ours" }],
      { x: "Patches removed", y: "Score" },
      caption("Deletion"),
    ),
    mixing: mixingFigure(
      [["linear", 0.5], ["constant", 0.1]].map(([name, end]) => ({
        name: String(name),
        windows: [
          { step: 0, target: 0.1, measured: 0.12 },
          { step: 9, target: Number(end), measured: Number(end) - 0.02 },
        ],
      })),
      caption("Mix"),
    ),
    accuracy: accuracyFigure([
      bar("SLAKE", "base", 60),
      bar("SLAKE", "with stage 1", 150),
      bar("PMC-VQA", "base", 50),
      bar("PMC-VQA", "with stage 1", 66),
      { group: "SLAKE", system: "with stage 1, paper", accuracy: 0.79, low: null, high: null, from: "paper" },
    ], caption("Accuracy")),
    intervals: intervalsFigure(
      ["type", "all"].flatMap((group) =>
        ["rollout", "local contrast", "centre"].map((label, i) => ({
          ...{ label, group, kind: i === 0 ? "map" : "baseline" },
          interval: wilsonInterval(150 - 50 * i, 200),
        }))
      ),
      "Share",
      caption("Pointing game"),
    ),
    scaling: scalingFigure(points, fitScalingLaw(points), caption("Scaling law")),
    architecture: architectureFigure(
      {
        vision: { hiddenSize: 1152, layers: 27, heads: 16, imageSize: 448, patchSize: 14 },
        text: {
          hiddenSize: 2048,
          layers: 18,
          heads: 8,
          kvHeads: 1,
          intermediateSize: 16384,
          vocabSize: 257216,
        },
        imageTokens: 1024,
      },
      "projector",
      caption("Architecture"),
    ),
    recipe: recipeFigure(loadConfig({ SCALE: "full" }), caption("Recipe")),
    mask: maskFigure(mask, tokens, caption("Prefix-LM mask")),
    saliency: await saliencyFigure(
      image,
      [
        { title: "image", map: null, rows: 4, columns: 4 },
        { title: "rollout", map: Float32Array.from({ length: 16 }, (_, p) => p), rows: 4, columns: 4 },
      ],
      ofAnswer("Response to image"),
      lesion,
    ),
    narrow: await saliencyFigure(
      image,
      [{ title: "image", map: null, rows: 4, columns: 4 }],
      { ...ofAnswer(LONG, LONG), subtitle: LONG, provenance: `made-up numbers of a test, ${LONG}` },
    ),
    unmarked: tokenSaliencyFigure(
      ["left"],
      { column: new Float32Array([0.2]) },
      ofAnswer("Image to response", null),
    ),
    tokens: tokenSaliencyFigure(["left", "lung", "<eos>"], {
      "softmax over the answer": new Float32Array([0.3, 0.3, 0.4]),
      "column of raw attention": new Float32Array([0.2, 0.1, 0.02]),
      "column of rollout": new Float32Array([0.1, 0.1, 0.05]),
    }, ofAnswer("Image to response")),
    examples: await examplesFigure(
      ["left", "right", "the answer of a model that likes to hear itself talk"].map((answer) => ({
        image,
        question: "On which side is the lesion?",
        reference: "left",
        answers: [{ system: "base", answer, right: answer === "left" }],
      })),
      ofAnswer("Questions and answers"),
    ),
  };
}
