import { rng, shuffle } from "../config/mod.ts";
import { mean, rouge } from "../stats/mod.ts";
import { normaliseAnswer } from "./normalise.ts";
import type { EvaluationItem, Prediction } from "./records.ts";

/** What a question is known by when answers are counted without its image. */
type TrainingItem = Pick<EvaluationItem, "question" | "answer">;

function mostFrequent(answers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

/**
 * Control "majority answer": every item gets the most frequent answer of the training items.
 *
 * @throws without training items.
 */
export function majorityPredictions(
  training: readonly TrainingItem[],
  items: readonly EvaluationItem[],
): Prediction[] {
  if (training.length === 0) throw new Error("The majority answer needs training items; found none.");
  const answer = mostFrequent(training.map((item) => normaliseAnswer(item.answer)));
  return items.map(({ id }) => ({ id, run: 0, answer, seed: null, cut: false }));
}

/**
 * Control "question only": the most frequent training answer to the same question text, else the most frequent one of all;
 * where an item has options, the most frequent of them, if any ever was an answer. What a system can score without ever
 * seeing an image.
 *
 * @param groupOf a fact about the image that is given away, such as its region: answers are then counted among the training
 * items that share it. Without: no fact.
 * @throws without training items.
 */
export function questionOnlyPredictions<T extends TrainingItem, I extends EvaluationItem>(
  training: readonly T[],
  items: readonly I[],
  groupOf: (item: T | I) => string = () => "",
): Prediction[] {
  const fallback = majorityPredictions(training, items);
  const all = training.map(({ answer }) => normaliseAnswer(answer));
  const keyOf = (item: T | I) => JSON.stringify([groupOf(item), normaliseAnswer(item.question)]);
  const byKey = Map.groupBy(all.keys(), (i) => keyOf(training[i]));
  return items.map((item, i) => {
    const seen = byKey.get(keyOf(item))?.map((k) => all[k]) ?? [];
    const options = item.choices && new Set(item.choices.map(normaliseAnswer));
    const possible = [seen, all].map((answers) =>
      options ? answers.filter((answer) => options.has(answer)) : answers
    );
    const counted = possible.find((answers) => answers.length > 0);
    return counted ? { ...fallback[i], answer: mostFrequent(counted) } : fallback[i];
  });
}

/** Answers compared with each other to find the typical one. */
const COMPARED = 100;

/**
 * Control "typical answer": the one answer that is most like the others, by mean ROUGE-L over at most 100 of them, evenly
 * taken. What a system scores that says the same of every picture.
 *
 * @returns null without answers
 */
export function typicalAnswer(answers: readonly string[]): string | null {
  const step = Math.max(1, answers.length / COMPARED);
  const some = Array.from(
    { length: Math.min(COMPARED, answers.length) },
    (_, i) => answers[Math.floor(i * step)],
  );
  const likeness = some.map((answer) => mean(some.map((other) => rouge(answer, other).rougeL)));
  return some[likeness.indexOf(Math.max(...likeness))] ?? null;
}

/**
 * Control "shuffled image": for each item the image of another, never its own.
 *
 * @returns item id to the id of the item whose image is to be shown; null where one image has more than half of the items,
 * so that no such exchange exists.
 */
export function shuffledImages(
  items: readonly EvaluationItem[],
  seed: number | string,
): Map<string, string> | null {
  const mixed = shuffle(items, rng(seed));
  const byImage = new Map<string, EvaluationItem[]>();
  for (const item of mixed) byImage.set(item.imageId, [...(byImage.get(item.imageId) ?? []), item]);
  const groups = [...byImage.values()].sort((a, b) => b.length - a.length);
  const largest = groups[0]?.length ?? 0;
  if (2 * largest > items.length) return null;
  // Items ordered by image and moved on by the size of the largest group never land in their own group.
  const ordered = groups.flat();
  return new Map(ordered.map((item, i) => [item.id, ordered[(i + largest) % ordered.length].id]));
}

/** The items, each with the image of another (`shuffledImages`); none where there is no such exchange. */
export function withOtherImages<T extends EvaluationItem & { imagePath: string }>(
  items: readonly T[],
  seed: number,
): T[] {
  const others = shuffledImages(items, `shuffled/${seed}`);
  if (others === null) return [];
  const imageOf = new Map(items.map((item) => [item.id, item.imagePath]));
  return items.map((item) => ({ ...item, imagePath: imageOf.get(others.get(item.id)!)! }));
}
