import { type Interval, mean } from "../stats/mod.ts";
import { ANSWER_MAPS } from "./answer_maps.ts";
import { BASELINES } from "./baselines.ts";
import { lesionExamples, type StudiedQuestion, type StudyMap } from "./lesion_study.ts";
import { type LocalisationRow, localisationRow, pointingDifference } from "./localisation.ts";

/** How well one kind of map finds the lesions that one type of question is about. */
export interface PointingGame extends LocalisationRow {
  /** "all" of all types. */
  question: string;
}

/** Questions by type, those of no question left out, and all of them under "all". */
function byType(
  studied: readonly StudiedQuestion[],
  types: readonly string[],
): [string, StudiedQuestion[]][] {
  const groups = types.map((type): [string, StudiedQuestion[]] => [
    type,
    studied.filter(({ questionType }) => questionType === type),
  ]);
  return [...groups, ["all", groups.flatMap(([, own]) => own)] as [string, StudiedQuestion[]]]
    .filter(([, own]) => own.length > 0);
}

/** Pointing game and mass on the lesion of all maps and baselines, for every type of question that was asked and for all. */
export function pointingGames(studied: readonly StudiedQuestion[], types: readonly string[]): PointingGame[] {
  const maps = Object.keys({ ...ANSWER_MAPS, ...BASELINES }) as StudyMap[];
  return byType(studied, types).flatMap(([question, own]) =>
    maps.map((map) => ({ question, ...localisationRow(map, lesionExamples(own, map)) }))
  );
}

/** What rollout has ahead of one baseline in the pointing game. */
export interface PointingGain {
  /** Type of question, or "all". */
  question: string;
  /** Map that rollout is compared with. */
  baseline: StudyMap;
  /** Shares of questions where they point at the lesion. */
  rollout: number;
  /** Share of the baseline, likewise. */
  other: number;
  /** Rollout minus the baseline, question by question, 95 % interval of the images. */
  difference: Interval;
}

/** Rollout against every baseline, its own diagonal (what the authors' tool shows) among them. */
export function pointingGains(studied: readonly StudiedQuestion[], types: readonly string[]): PointingGain[] {
  const others = [...Object.keys(BASELINES), "rollout, diagonal"] as StudyMap[];
  return byType(studied, types).flatMap(([question, own]) => {
    const rollout = lesionExamples(own, "rollout"),
      share = localisationRow("rollout", rollout).pointing.estimate;
    return others.map((baseline) => {
      const difference = pointingDifference(rollout, lesionExamples(own, baseline));
      return { question, baseline, rollout: share, other: share - difference.estimate, difference };
    });
  });
}

/** Whether rollout is ahead: the interval of the difference lies above zero. */
export const isAhead = ({ difference }: PointingGain): boolean => difference.low > 0;

/** Right answers, and where the weight of the query that predicts their first token goes: means over each type. */
export function shareRows(
  studied: readonly StudiedQuestion[],
  types: readonly string[],
): Record<string, string | number>[] {
  return byType(studied, types).map(([question, own]) => {
    const shares = own.map(({ shares }) => shares);
    return {
      question,
      "answers right": mean(own.map(({ right }) => Number(right))),
      image: mean(shares.map((share) => share.image)),
      "bos and newline": mean(shares.map((share) => share.sinks)),
      "question and answer": mean(shares.map((share) => share.rest)),
    };
  });
}
