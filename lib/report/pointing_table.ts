import type { PointingGame } from "../saliency/mod.ts";
import { type Cell, percentText } from "./tables.ts";

/** The pointing game as rows of a table: shares with their intervals as text. */
export function pointingRows(games: readonly PointingGame[]): Record<string, Cell>[] {
  return games.map(({ question, map, pointing, mass, right }) => ({
    question,
    map,
    "points at the lesion": percentText(pointing),
    "mass on it": percentText(mass),
    "answers right": `${(100 * right).toFixed(1)}%`,
  }));
}
