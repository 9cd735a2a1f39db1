/** F1 of word overlap between a prediction and its reference, each in [0, 1]. */
export interface RougeScores {
  /** F1 of single words, 0 to 1. */
  rouge1: number;
  /** F1 of pairs of words. */
  rouge2: number;
  /** F1 of the longest common subsequence. */
  rougeL: number;
}

const tokens = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+|\p{Script=Han}/gu) ?? [];

function ngramCounts(words: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= words.length; i++) {
    const gram = words.slice(i, i + n).join(" ");
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

function f1(shared: number, predicted: number, reference: number): number {
  const precision = shared / Math.max(predicted, 1);
  const recall = shared / Math.max(reference, 1);
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}

function ngramF1(prediction: readonly string[], reference: readonly string[], n: number): number {
  const said = ngramCounts(prediction, n);
  const gold = ngramCounts(reference, n);
  let shared = 0;
  for (const [gram, count] of gold) shared += Math.min(count, said.get(gram) ?? 0);
  return f1(shared, Math.max(prediction.length - n + 1, 0), Math.max(reference.length - n + 1, 0));
}

/** Length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let previous = new Uint32Array(b.length + 1);
  for (const word of a) {
    const current = new Uint32Array(b.length + 1);
    for (let j = 0; j < b.length; j++) {
      current[j + 1] = word === b[j] ? previous[j] + 1 : Math.max(previous[j + 1], current[j]);
    }
    previous = current;
  }
  return previous[b.length];
}

/**
 * ROUGE-1, ROUGE-2 and ROUGE-L of one pair, equal to Google's rouge-score 0.1.2 without stemming (the npm packages split
 * words differently and give other numbers). A Chinese character, which that package drops, is a word.
 */
export function rouge(prediction: string, reference: string): RougeScores {
  const said = tokens(prediction);
  const gold = tokens(reference);
  const longest = said.length > 0 && gold.length > 0 ? commonLength(gold, said) : 0;
  return {
    rouge1: ngramF1(said, gold, 1),
    rouge2: ngramF1(said, gold, 2),
    rougeL: f1(longest, said.length, gold.length),
  };
}
