import {
  BASELINES,
  isAhead,
  type PaintedChange,
  type PointingGain,
  type PointingGame,
} from "../saliency/mod.ts";
import { type Cell, percentText } from "./tables.ts";

/** The pointing game, one row for each map or baseline, one column for each type of question; and the mass over all types. */
export function pointingRows(games: readonly PointingGame[]): Record<string, Cell>[] {
  return [...Map.groupBy(games, ({ map }) => map)].map(([map, own]) => ({
    map,
    kind: map in BASELINES ? "baseline" : "map",
    ...Object.fromEntries(own.map(({ question, pointing }) => [question, percentText(pointing)])),
    "mass on the lesion, all": percentText(own.at(-1)!.mass),
  }));
}

/** Rollout minus each baseline, in points, and whether it is ahead. */
export function gainRows(gains: readonly PointingGain[]): Record<string, Cell>[] {
  const text = (x: number) => (Math.round(1000 * x) / 10 || 0).toFixed(1); // no "-0.0"
  const points = ({ difference: { estimate, low, high } }: PointingGain) =>
    `${text(estimate)} [${text(low)}, ${text(high)}]`;
  return [...Map.groupBy(gains, ({ baseline }) => baseline)].map(([baseline, own]) => ({
    "rollout minus": baseline,
    ...Object.fromEntries(own.map((gain) => [gain.question, points(gain)])),
    "ahead over all": isAhead(own.at(-1)!) ? "yes" : "no: fails",
  }));
}

/** Answers that change when something is painted over, as shares with their intervals. */
export const paintedRows = (changes: readonly PaintedChange[]): Record<string, Cell>[] =>
  changes.map(({ question, questions, lesion, elsewhere }) => ({
    question,
    questions,
    "answers that change: lesion painted over": percentText(lesion),
    "its mirror image painted over": percentText(elsewhere),
  }));
