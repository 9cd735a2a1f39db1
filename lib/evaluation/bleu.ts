import { spacedHan } from "../stats/mod.ts";

const ORDERS = 4;

/** What Python's `str.split` splits at, and with it sacrebleu: unlike `\s`, U+001C to U+001F and U+0085 too, and not U+FEFF. */
// deno-lint-ignore no-control-regex -- control characters are what it is about
const BLANKS = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;
const TRAILING_BLANKS = new RegExp(`${BLANKS.source}$`, "u");

/** Words as mteval-v13a (sacrebleu's default "13a") splits them, and each Chinese character. Case is kept. */
export function tokenize13a(text: string): string[] {
  return ` ${
    spacedHan(text).replace(TRAILING_BLANKS, "").replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll(
      "\n",
      " ",
    )
      .replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
  } `
    .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])(-)/g, "$1 $2 ")
    .split(BLANKS).filter((word) => word !== "");
}

/** Clipped matches and totals per order, and both lengths, of one pair. */
function statistics(prediction: string, reference: string) {
  const said = tokenize13a(prediction);
  const gold = tokenize13a(reference);
  const correct = new Array<number>(ORDERS).fill(0);
  const total = new Array<number>(ORDERS).fill(0);
  for (let n = 1; n <= ORDERS; n++) {
    const left = new Map<string, number>();
    for (let i = 0; i + n <= gold.length; i++) {
      const gram = gold.slice(i, i + n).join(" ");
      left.set(gram, (left.get(gram) ?? 0) + 1);
    }
    for (let i = 0; i + n <= said.length; i++) {
      const gram = said.slice(i, i + n).join(" ");
      const count = left.get(gram) ?? 0;
      total[n - 1]++;
      if (count > 0) {
        correct[n - 1]++;
        left.set(gram, count - 1);
      }
    }
  }
  return { correct, total, said: said.length, gold: gold.length };
}

function score(
  correct: readonly number[],
  total: readonly number[],
  said: number,
  gold: number,
): number {
  if (!correct.some((count) => count > 0)) return 0;
  let smooth = 1;
  let logSum = 0;
  for (let n = 0; n < ORDERS; n++) {
    if (total[n] === 0) return 0;
    if (correct[n] === 0) smooth *= 2;
    logSum += Math.log(correct[n] === 0 ? 100 / (smooth * total[n]) : (100 * correct[n]) / total[n]);
  }
  const brevity = said < gold ? Math.exp(1 - gold / said) : 1;
  return brevity * Math.exp(logSum / ORDERS);
}

/**
 * BLEU of a set of predictions, one reference each, in [0, 100]: equal to sacrebleu's `corpus_bleu` with its defaults
 * (13a words, case kept, exponential smoothing) for text without Chinese characters, each of which is a word here.
 *
 * @throws when the numbers of predictions and references differ.
 */
export function bleu(predictions: readonly string[], references: readonly string[]): number {
  if (predictions.length !== references.length) {
    throw new RangeError(
      `Expected one reference per prediction; found ${references.length} for ${predictions.length}.`,
    );
  }
  const correct = new Array<number>(ORDERS).fill(0);
  const total = new Array<number>(ORDERS).fill(0);
  let [said, gold] = [0, 0];
  predictions.forEach((prediction, i) => {
    const pair = statistics(prediction, references[i]);
    for (let n = 0; n < ORDERS; n++) {
      correct[n] += pair.correct[n];
      total[n] += pair.total[n];
    }
    said += pair.said;
    gold += pair.gold;
  });
  return score(correct, total, said, gold);
}
