import { cellTitle, rng, shuffle } from "../config/mod.ts";
import { type CellAnswers, scoresOf, type ScoreTable, type TestItems } from "../evaluation/mod.ts";
import { encodePng, type RgbImage } from "../image/mod.ts";
import type { ImageStore } from "../model/mod.ts";
import { encodeBase64 } from "./bundle.ts";
import {
  type AnswerCaption,
  COLOURS,
  hiddenAxis,
  INK,
  plainText,
  type PlotlySpec,
  themedLayout,
  wrapText,
} from "./theme.ts";

/** An image with a question and what was answered to it. */
export interface AnswerExample {
  /** The picture. */
  image: RgbImage;
  /** What was asked. */
  question: string;
  /** The right answer. */
  reference: string;
  /** What systems answered. */
  answers: { system: string; answer: string; right: boolean }[];
}

const ACROSS = 3, SIDE = 250, LINE = 15;

/** Figure 6: images with question, reference and the answers of several systems, three in a row. */
export async function examplesFigure(
  examples: readonly AnswerExample[],
  caption: AnswerCaption,
): Promise<PlotlySpec> {
  const texts = examples.map(({ question, reference, answers }) =>
    [
      `<b>${wrapText(question, 34)}</b>`,
      wrapText(`reference: ${reference}`, 38),
      ...answers.map(({ system, answer, right }) =>
        `<span style="color:${right ? COLOURS[2] : COLOURS[1]}">${right ? "✓" : "✗"} ${
          wrapText(`${system}: ${answer || "(empty)"}`, 36)
        }</span>`
      ),
    ].join("<br>")
  );
  const words = LINE * Math.max(...texts.map((text) => text.split("<br>").length)) + 24;
  const down = Math.ceil(examples.length / ACROSS), width = ACROSS * (SIDE + 20) + 32;
  const layout: Record<string, unknown> = {}, images: unknown[] = [], annotations: unknown[] = [];
  for (const [i, { image }] of examples.entries()) {
    const n = i === 0 ? "" : String(i + 1), column = i % ACROSS, row = Math.floor(i / ACROSS);
    const top = 1 - row / down, picture = SIDE / (SIDE + words) / down;
    layout[`xaxis${n}`] = hiddenAxis([0, 1], {
      domain: [column / ACROSS, column / ACROSS + SIDE / (SIDE + 20) / ACROSS],
      anchor: `y${n}`,
    });
    layout[`yaxis${n}`] = hiddenAxis([1, 0], { domain: [top - picture, top], anchor: `x${n}` });
    images.push({
      source: `data:image/png;base64,${encodeBase64(await encodePng(image))}`,
      ...{ xref: `x${n}`, yref: `y${n}`, x: 0, y: 0, sizex: 1, sizey: 1, sizing: "contain", layer: "below" },
    });
    annotations.push({
      text: texts[i],
      ...{ xref: `x${n} domain`, yref: `y${n} domain`, x: 0, y: 0, xanchor: "left", yanchor: "top" },
      yshift: -4,
      align: "left",
      showarrow: false,
      font: { size: 12, color: INK },
    });
  }
  return {
    data: examples.map(({ question }, i) => ({
      type: "scatter",
      x: [],
      y: [],
      name: plainText(question),
      hoverinfo: "skip",
      xaxis: `x${i === 0 ? "" : i + 1}`,
      yaxis: `y${i === 0 ? "" : i + 1}`,
    })),
    layout: themedLayout(caption, { width, plotHeight: down * (SIDE + words) }, [], {
      ...layout,
      images,
      annotations,
      margin: { l: 16, r: 16, b: 8 },
    }),
  };
}

/**
 * Test questions with the answers of several systems: short ones (first of the sampled answers) on different images, and
 * one open one, drawn by seed.
 *
 * @param scores of these answers: right is what they count as right
 */
export async function answerExamples(
  items: TestItems,
  systems: readonly CellAnswers[],
  scores: ScoreTable,
  store: ImageStore,
  seed: number,
): Promise<AnswerExample[]> {
  const images = new Set<string>();
  const fresh = ({ imageId }: { imageId: string }) => !images.has(imageId) && images.add(imageId);
  const random = rng(`examples/${seed}`);
  const types = new Set<string | null>();
  const short = shuffle(items.short, random).filter((item) =>
    !types.has(item.questionType) && fresh(item) && types.add(item.questionType)
  );
  const chosen = [...short.slice(0, 5), ...shuffle(items.open, random).filter(fresh).slice(0, 1)];
  const { size } = store;
  return await Promise.all(chosen.map(async (item) => ({
    image: { width: size, height: size, data: await store.get(item.imagePath) },
    question: item.question,
    reference: item.answer,
    answers: systems.map(({ cell, short, open }) => {
      const { answer, run } = [...short, ...open].find(({ id }) => id === item.id)!;
      const kind = short.some(({ id }) => id === item.id) ? "short" : "open";
      const score = scoresOf(scores, cell.name, kind).find((row) => row.id === item.id && row.run === run);
      return { system: cellTitle(cell.name), answer, right: score?.score === 1 };
    }),
  })));
}
