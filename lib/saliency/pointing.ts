import { mean } from "../stats/mod.ts";
import { ANSWER_MAPS, type AnswerMap } from "./answer_maps.ts";
import { lesionExamples, type StudiedQuestion } from "./lesion_study.ts";
import { type LocalisationRow, localisationTable } from "./localisation.ts";

/** How well one kind of map, or a baseline, finds the lesions that one type of question is about. */
export interface PointingGame extends LocalisationRow {
  question: string;
  /** Share of these questions that the model answers right. */
  right: number;
}

const ofType = (studied: readonly StudiedQuestion[], type: string) =>
  studied.filter((question) => question.questionType === type);

/**
 * Pointing game and mass on the lesion of all answer maps, then of the two baselines (centre, random), for every type of
 * question that was asked.
 */
export function pointingGames(studied: readonly StudiedQuestion[], types: readonly string[]): PointingGame[] {
  const maps = Object.keys(ANSWER_MAPS) as AnswerMap[];
  return types.flatMap((type) => {
    const own = ofType(studied, type);
    if (own.length === 0) return [];
    const tables = maps.map((map) => localisationTable(map, lesionExamples(own, map)));
    const [, ...baselines] = tables[0];
    const right = mean(own.map((question) => Number(question.right)));
    return [...tables.map(([row]) => row), ...baselines].map((row) => ({ question: type, right, ...row }));
  });
}

/** What the pointing game of one map has ahead of both baselines. */
export interface PointingLead {
  map: number;
  /** The better one's. */
  baseline: number;
  /** Lower end of the map's 95 % interval minus the upper end of the better baseline's. */
  lead: number;
}

/** Null where no question of the type was asked. */
export function pointingLead(
  games: readonly PointingGame[],
  map: AnswerMap,
  type: string,
): PointingLead | null {
  const [own, random, centre] = [map, "random", "centre"].map((name) =>
    games.find((game) => game.question === type && game.map === name)?.pointing
  );
  if (!own || !random || !centre) return null;
  return {
    map: own.estimate,
    baseline: Math.max(random.estimate, centre.estimate),
    lead: own.low - Math.max(random.high, centre.high),
  };
}

/** Where the weight of the query that predicts an answer's first token goes, mean over the questions of each type. */
export function shareRows(
  studied: readonly StudiedQuestion[],
  types: readonly string[],
): Record<string, string | number>[] {
  return types.flatMap((type) => {
    const shares = ofType(studied, type).map((question) => question.shares);
    return shares.length === 0 ? [] : {
      question: type,
      image: mean(shares.map((share) => share.image)),
      "bos and newline": mean(shares.map((share) => share.sinks)),
      "question and answer": mean(shares.map((share) => share.rest)),
    };
  });
}
