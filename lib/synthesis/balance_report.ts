import { chiSquareUniform } from "../stats/mod.ts";
import type { QaPair } from "./pair.ts";
import { optionPositions } from "./set_filters.ts";

/** How often each answer, or each position, is the right one, and whether the counts could be chance. */
export interface BalanceRow {
  /** Who wrote the pairs. */
  origin: string;
  /** What is counted: yes and no, or the place of the right option. */
  what: string;
  /** The counts, in words. */
  counts: string;
  /** Pearson's statistic against equal counts. */
  "chi-square": number;
  /** Chance of counts at least as uneven, if all were equally likely. */
  p: number;
}

/** Yes against no, and positions of the right option, per data set and origin; rows without pairs are left out. */
export function balanceReport(pairs: readonly QaPair[]): BalanceRow[] {
  const groups = Map.groupBy(pairs, ({ dataset, origin }) => `${dataset} ${origin}`);
  return [...groups].flatMap(([origin, own]) => {
    const count = (answer: string) => own.filter((pair) => pair.answer.toLowerCase() === answer).length;
    const rows: [string, number[]][] = [
      ["yes, no", [count("yes"), count("no")]],
      ["right option is 1st, 2nd, 3rd, 4th", optionPositions(own)],
    ];
    return rows.filter(([, counts]) => counts.some((n) => n > 0)).map(([what, counts]) => {
      const { statistic, p } = chiSquareUniform(counts);
      return { origin, what, counts: counts.join(", "), "chi-square": statistic, p };
    });
  });
}
