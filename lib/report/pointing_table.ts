import { type FaithfulnessRow, isAhead, type PaintedChange, type PointingGain } from "../saliency/mod.ts";
import type { Interval } from "../stats/mod.ts";
import { percentText, type ShownRow } from "./tables.ts";

/** An estimate with its interval, so many digits after the point; no "-0.0". */
function intervalText({ estimate, low, high }: Interval, digits: number): string {
  const text = (x: number) => (Math.round(x * 10 ** digits) / 10 ** digits || 0).toFixed(digits);
  return `${text(estimate)} [${text(low)}, ${text(high)}]`;
}

/** Rollout minus each baseline, in points, and whether it is ahead. */
export function gainRows(gains: readonly PointingGain[]): ShownRow[] {
  const points = ({ difference: { estimate, low, high } }: PointingGain) =>
    intervalText({ estimate: 100 * estimate, low: 100 * low, high: 100 * high }, 1);
  return [...Map.groupBy(gains, ({ baseline }) => baseline)].map(([baseline, own]) => ({
    "rollout minus": baseline,
    ...Object.fromEntries(own.map((gain) => [gain.question, points(gain)])),
    "ahead over all": isAhead(own.at(-1)!) ? "yes" : "no: fails",
  }));
}

/** Answers that change when something is painted over, as shares with their intervals. */
export const paintedRows = (changes: readonly PaintedChange[]): ShownRow[] =>
  changes.map(({ question, questions, lesion, elsewhere }) => ({
    question,
    questions,
    "answers that change: lesion painted over": percentText(lesion),
    "its mirror image painted over": percentText(elsewhere),
  }));

/** Areas under the curves of every order, in nats: one row for each. */
export const areaRows = (rows: readonly FaithfulnessRow[]): ShownRow[] =>
  [...Map.groupBy(rows, ({ order }) => order)].map(([order, own]) => ({
    "patches in the order of": order,
    ...Object.fromEntries(own.map(({ kind, area }) => [`area under ${kind}`, intervalText(area, 2)])),
  }));

/** How many nats maps of the answer are ahead of orders in which it has no part, and whether of all of them. */
export const aheadRows = (rows: readonly FaithfulnessRow[]): ShownRow[] =>
  rows.filter(({ ahead }) => Object.keys(ahead).length > 0).map(({ order, kind, ahead }) => ({
    map: order,
    kind,
    ...Object.fromEntries(
      Object.entries(ahead).map(([other, difference]) => [`minus ${other}`, intervalText(difference, 2)]),
    ),
    "ahead of all": Object.values(ahead).every(({ low }) => low > 0) ? "yes" : "no",
  }));
