import { cellTitle, datasetTitle } from "../config/mod.ts";
import {
  type CellAnswers,
  type GridItems,
  isWorthless,
  type ItemScore,
  type JudgedCell,
  type JudgeVerdict,
  type TestSet,
} from "../evaluation/mod.ts";
import { decodeImage } from "../image/mod.ts";
import { checkpoint, fillPage, jpegDataUri } from "../jupyter/mod.ts";
import { mean } from "../stats/mod.ts";

/** Longer side of a picture in pixels. */
const SIDE = 160;
/** Questions of one kind of one test set at most, so that a page can be opened. */
const MOST = 300;

/** Different answers of one system to one question, with how often it gave each, the right ones by exact match. */
interface CountedAnswer {
  text: string;
  count: number;
  right: boolean;
  /** Cut at the token limit. */
  cut: boolean;
}

/** The answers to one question counted, most frequent first. */
export function countAnswers(
  given: readonly { answer: string; cut: boolean; right: boolean }[],
): CountedAnswer[] {
  const groups = Map.groupBy(given, ({ answer }) => answer);
  return [...groups].map(([text, own]) => ({
    text,
    count: own.length,
    right: own[0].right,
    cut: own.some(({ cut }) => cut),
  })).toSorted((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1));
}

/** Names one system's answers to one question, short or open. */
const answersKey = (cell: string, kind: string, id: string) => `${cell} ${kind} ${id}`;

/** An answer that is wrong in every run, and the key of its map on the page. */
export interface WrongAnswer {
  /** Of `answerPage`'s maps. */
  key: string;
  /** The image's path. */
  imagePath: string;
  /** What was asked. */
  question: string;
  /** The options; null without. */
  choices: readonly string[] | null;
  /** The most frequent answer. */
  answer: string;
}

/** Short questions that a system got wrong in every run by exact match, the first `most`. */
export function wrongAnswers(
  { cell: { name, testSet }, short }: CellAnswers,
  items: GridItems,
  scores: readonly ItemScore[],
  most: number,
): WrongAnswer[] {
  const own = scores.filter(({ cell, kind, scorer }) =>
    cell === name && kind === "short" && scorer === "exact"
  );
  const right = new Set(own.filter(({ score }) => score === 1).map(({ id }) => id));
  const given = Map.groupBy(short, ({ id }) => id);
  return items[testSet].short.filter(({ id }) => given.has(id) && !right.has(id)).slice(0, most).map(
    ({ id, imagePath, question, choices }) => {
      const [{ text: answer }] = countAnswers(given.get(id)!.map((one) => ({ ...one, right: false })));
      return { key: answersKey(name, "short", id), imagePath, question, choices, answer };
    },
  );
}

/** A map over an image's patches in bytes, 255 at its maximum. */
function shownMap(map: Float32Array | undefined): { side: number; bytes: string } | null {
  if (!map) return null;
  const most = Math.max(...map) || 1,
    bytes = Uint8Array.from(map, (weight) => 255 * Math.max(0, weight) / most);
  return { side: Math.sqrt(map.length), bytes: bytes.toBase64() };
}

/**
 * A page on which a person looks through the answers of all systems: by test set, region, type of question, system and
 * verdict, with a search; picture, question, reference, every answer with how often it was given, its score by every rule, and a
 * map over the picture where there is one. One HTML file that asks no server for anything; what it shows of data and models reaches it as text, never as markup. Of more
 * than 300 questions of a kind and set the first 300 are shown, which the page says.
 *
 * @param scores of short and open answers by every rule (others are passed over); right is what exact match says
 * @param verdicts of the judge by system; not shown once the judge has been shown worthless
 * @param options.notice shown above; "" for none
 * @param options.judged what the judge's verdicts are worth
 * @param options.maps over as many rows as columns of patches, by the key of the answer ({@linkcode wrongAnswers})
 * @param options.regionOf part of the body that an image shows, by its id; null where it is not known
 * @throws naming the file when a picture cannot be decoded; the reason of `signal` between two pictures
 */
export async function answerPage(
  answers: readonly CellAnswers[],
  items: GridItems,
  scores: readonly ItemScore[],
  verdicts: Readonly<Record<string, readonly JudgeVerdict[]>>,
  { title, notice, judged, maps, regionOf = () => null, signal }: {
    title: string;
    notice: string;
    judged: readonly JudgedCell[];
    maps?: ReadonlyMap<string, Float32Array>;
    regionOf?: (imageId: string) => string | null;
    signal?: AbortSignal;
  },
): Promise<string> {
  const believed = judged.some(({ standing }) => isWorthless(standing)) ? {} : verdicts;
  const isRight = new Set(
    scores.filter(({ scorer, score }) => scorer === "exact" && score === 1)
      .map(({ cell, kind, id, run }) => `${cell} ${kind} ${id} ${run}`),
  );
  const byRule = Map.groupBy(
    scores.filter(({ scorer }) => scorer !== "judge"),
    ({ cell, kind, id }) => answersKey(cell, kind, id),
  );
  /** Means over the runs, rule by rule; a rule that has nothing to say of the item is left out. */
  const scoresOf = (key: string) =>
    [...Map.groupBy(byRule.get(key) ?? [], ({ scorer }) => scorer)].flatMap(([scorer, own]) => {
      const known = own.flatMap(({ score }) => score ?? []);
      return known.length > 0 ? [{ scorer, score: mean(known) }] : [];
    });
  const images: Record<string, string> = {}, questions = [];
  for (const testSet of new Set(answers.map(({ cell }) => cell.testSet))) {
    for (const kind of ["short", "open"] as const) {
      for (const item of items[testSet as TestSet][kind].slice(0, MOST)) {
        await checkpoint(signal);
        images[item.imageId] ??= await jpegDataUri(await decodeImage(item.imagePath), SIDE);
        const { id, imageId, question, choices, answer: reference, questionType: type } = item;
        const systems = answers.filter(({ cell }) => cell.testSet === testSet).map(
          ({ cell: { name }, ...own }) => {
            const given = own[kind].filter((prediction) => prediction.id === id);
            const opinion = believed[name]?.find((verdict) => verdict.id === id);
            return {
              name: cellTitle(name),
              answers: countAnswers(given.map(({ run, answer, cut }) => ({
                ...{ answer, cut },
                right: isRight.has(`${name} ${kind} ${id} ${run}`),
              }))),
              scores: scoresOf(answersKey(name, kind, id)),
              map: shownMap(maps?.get(answersKey(name, kind, id))),
              judge: kind === "open" && opinion ? { correct: opinion.correct, reason: opinion.reason } : null,
            };
          },
        );
        questions.push({
          id,
          testSet: datasetTitle(testSet),
          region: regionOf(imageId),
          kind,
          imageId,
          question,
          choices,
          reference,
          type,
          systems,
        });
      }
    }
  }
  const left = [...new Set(answers.map(({ cell }) => cell.testSet))]
    .flatMap((testSet) => [items[testSet].short, items[testSet].open])
    .reduce((sum, { length }) => sum + Math.max(0, length - MOST), 0);
  return await fillPage(import.meta.dirname!, "answer_page", { title, notice, images, questions, left });
}
