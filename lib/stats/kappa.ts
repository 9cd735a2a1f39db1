import { clusterSums } from "./bootstrap.ts";
import { studentT975 } from "./student.ts";
import { type Interval, Z95 } from "./summary.ts";

/** Agreement of two raters beyond chance. */
export interface Agreement {
  /** Items that both rated. */
  items: number;
  /** Share of items on which both say the same. */
  observed: number;
  /** Share expected from the two raters' own frequencies. */
  expected: number;
  /** Cohen's kappa; NaN where both raters use one and the same label throughout. */
  kappa: Interval;
}

/**
 * Cohen's kappa with its asymptotic 95% interval.
 *
 * @param first label per item; `second` likewise, in the same order.
 * @throws when the lengths differ or nothing is given.
 * Source: Fleiss, Cohen, Everitt 1969; equal to statsmodels' `cohens_kappa`.
 */
export function cohenKappa(first: readonly string[], second: readonly string[]): Agreement {
  const n = first.length;
  if (n !== second.length || n === 0) {
    throw new RangeError(
      `Expected the same items for both raters, at least one; found ${n} and ${second.length}.`,
    );
  }
  const labels = [...new Set([...first, ...second])];
  const k = labels.length;
  const index = new Map(labels.map((label, i) => [label, i]));
  const table = new Float64Array(k * k);
  first.forEach((label, i) => (table[index.get(label)! * k + index.get(second[i])!] += 1 / n));
  const rows = new Float64Array(k);
  const columns = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) {
      rows[i] += table[i * k + j];
      columns[j] += table[i * k + j];
    }
  }
  let observed = 0;
  let expected = 0;
  for (let i = 0; i < k; i++) {
    observed += table[i * k + i];
    expected += rows[i] * columns[i];
  }
  const kappa = k === 1 ? NaN : (observed - expected) / (1 - expected);
  let onDiagonal = 0;
  let offDiagonal = 0;
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) {
      const share = table[i * k + j];
      if (i === j) onDiagonal += share * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2;
      else offDiagonal += share * (columns[i] + rows[j]) ** 2;
    }
  }
  const variance = onDiagonal + (1 - kappa) ** 2 * offDiagonal - (kappa - expected * (1 - kappa)) ** 2;
  const half = Z95 * Math.sqrt(Math.max(0, variance) / n) / (1 - expected);
  return { items: n, observed, expected, kappa: { estimate: kappa, low: kappa - half, high: kappa + half } };
}

/**
 * Cohen's kappa with a 95 % interval for items that are alike within a cluster (answers about one image or one finding):
 * linearised item by item, with the spread between clusters and Student's t of them.
 *
 * Raters who agree on everything seen are not proven to agree always: one more item on which they differ is added to the
 * variance, as in `clusteredDifference`. Coverage is measured in the tests.
 *
 * @param first label per item; `second` likewise, in the same order.
 * @param clusters the cluster of each item; null: every one is its own.
 * @returns NaN where both raters use one and the same label throughout; ends of -1 and 1 of a single cluster
 * @throws when the lengths differ or nothing is given.
 */
export function clusteredKappa(
  first: readonly string[],
  second: readonly string[],
  clusters: readonly string[] | null,
): Interval {
  const { items: n, observed, expected, kappa: { estimate } } = cohenKappa(first, second);
  if (Number.isNaN(estimate)) return { estimate, low: NaN, high: NaN };
  const share = (labels: readonly string[]) => {
    const groups = Map.groupBy(labels, (label) => label);
    return (label: string) => (groups.get(label)?.length ?? 0) / n;
  };
  const [rows, columns] = [share(first), share(second)];
  const pulls = first.map((label, i) => {
    const agreed = Number(label === second[i]) - observed;
    return agreed - (1 - estimate) * (columns(label) + rows(second[i]) - 2 * expected);
  });
  const { sums, counts } = clusterSums(pulls, clusters), k = sums.length;
  if (k === 1) return { estimate, low: -1, high: 1 };
  const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value ** 2, 0);
  const variance = squares(sums) * k / (k - 1) + squares(counts) / n;
  const half = studentT975(k - 1) * Math.sqrt(variance) / n / (1 - expected);
  return { estimate, low: Math.max(-1, estimate - half), high: Math.min(1, estimate + half) };
}
