import { rng, shuffle } from "../config/mod.ts";
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
 * Control "question only": the most frequent training answer to the same question text, else the majority answer. What a
 * system can score without ever seeing an image.
 *
 * @throws without training items.
 */
export function questionOnlyPredictions(
  training: readonly TrainingItem[],
  items: readonly EvaluationItem[],
): Prediction[] {
  const fallback = majorityPredictions(training, items);
  const answers = new Map<string, string[]>();
  for (const { question, answer } of training) {
    const key = normaliseAnswer(question);
    answers.set(key, [...(answers.get(key) ?? []), normaliseAnswer(answer)]);
  }
  return items.map((item, i) => {
    const seen = answers.get(normaliseAnswer(item.question));
    return seen ? { ...fallback[i], answer: mostFrequent(seen) } : fallback[i];
  });
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
