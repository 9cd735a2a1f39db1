import { rng, shuffle } from "@lib/config/mod.ts";
import {
  captionFor,
  type Findings,
  LESIONS,
  MODALITIES,
  phantomOf,
  pick,
  questionFor,
} from "@lib/phantom/mod.ts";
import { LESION_ORGANS, MEASURED, ORGAN_SIDE } from "@lib/phantom/names.ts";

/** An answer whose verdict is known, since both it and the reference are made from the same phantom's facts. */
export interface JudgeProbe {
  /** Kind and phantom. */
  id: string;
  /** How the answer was made. */
  kind: ProbeKind;
  /** An open one. */
  question: string;
  /** What the phantom shows, as a caption. */
  reference: string;
  /** What is to be judged. */
  answer: string;
  /** Whether a judge has to call the answer correct. */
  correct: boolean;
  /** Seed of the phantom, a test picture (`phantomOf`). */
  phantom: number;
}

/** How an answer of known verdict is made. */
export type ProbeKind =
  | "same words"
  | "other case"
  | "other wording"
  | "in sentences"
  | "other term"
  | "true detail added"
  | "finding left out"
  | "wrong lesion"
  | "wrong organ"
  | "wrong side"
  | "wrong modality"
  | "negation"
  | "empty"
  | "answer to another question"
  | "off topic";

/** Makes an answer from what is true; null where the kind does not apply. */
type Maker = (truth: Findings, random: () => number) => string | null;

const MODALITY_NAMES = {
  "x-ray": "radiograph",
  ct: "computed tomography",
  mri: "magnetic resonance image",
} as const;

const other = <T>(all: readonly T[], than: T | null, random: () => number): T =>
  pick(all.filter((one) => one !== than), random);

/** Whether the structure of the region whose size is asked about is enlarged. */
const size = ({ region, enlarged }: Findings) =>
  `the ${MEASURED[region]} is ${enlarged ? "enlarged" : "not enlarged"}`;

const organElsewhere: Maker = (truth, random) => {
  if (!truth.organ) return null;
  const organ = other(LESION_ORGANS, truth.organ, random);
  const side = ORGAN_SIDE[organ] ? null : truth.side ?? pick(["left", "right"] as const, random);
  return captionFor({ ...truth, organ, side });
};

/** A lesion that is there taken away, or one put where none is. */
const negated: Maker = (truth, random) => {
  if (truth.lesion) return captionFor({ ...truth, lesion: null, organ: null, side: null });
  const organ = pick(LESION_ORGANS.filter((organ) => truth.organs.includes(organ)), random);
  const side = ORGAN_SIDE[organ] ? null : pick(["left", "right"] as const, random);
  return captionFor({ ...truth, lesion: pick(LESIONS, random), organ, side });
};

const OFF_TOPIC = [
  "Thank you for your question. The weather has been mild for the season, and the ferry to the islands leaves every " +
  "morning at nine, except on Sundays, when it waits for the train from the city. Bring a coat and something to eat, " +
  "since the kitchen on board is closed until spring.",
  "To bake the bread, mix flour, water, salt and yeast, cover the bowl and let the dough rise overnight. In the " +
  "morning fold it twice, heat the oven well, and bake until the crust sounds hollow. It keeps for three days in a " +
  "linen bag and tastes best with butter.",
  "The library opens at ten. Members may borrow up to eight books for four weeks and renew them twice by telephone. " +
  "Lost cards are replaced at the desk on the ground floor. Please leave umbrellas in the stand by the door and keep " +
  "your voice down in the reading room.",
] as const;

/** How answers that say what the reference says are made. */
const RIGHT = {
  "same words": (truth) => captionFor(truth),
  "other case": (truth) => `${captionFor(truth).toUpperCase()}.`,
  "other wording": (truth, random) => captionFor(truth, pick([1, 2, 3], random)),
  "in sentences": (truth) => {
    const finding = captionFor(truth).split(" with ")[1];
    return `This ${truth.modality} shows the ${truth.region}. There is ${finding}.`;
  },
  "other term": (truth) => captionFor(truth).replace(truth.modality, MODALITY_NAMES[truth.modality]),
  "true detail added": (truth) => `${captionFor(truth)}; ${size(truth)}`,
} satisfies Partial<Record<ProbeKind, Maker>>;

/** How answers that a judge has to call incorrect are made. */
const WRONG = {
  "finding left out": (truth) => truth.lesion ? captionFor(truth).split(" with ")[0] : null,
  "wrong lesion": (truth, random) =>
    truth.lesion ? captionFor({ ...truth, lesion: other(LESIONS, truth.lesion, random) }) : null,
  "wrong organ": organElsewhere,
  "wrong side": (truth) =>
    truth.side ? captionFor({ ...truth, side: truth.side === "left" ? "right" : "left" }) : null,
  "wrong modality": (truth, random) =>
    captionFor({ ...truth, modality: other(MODALITIES, truth.modality, random) }),
  negation: negated,
  empty: () => "",
  "answer to another question": size,
  "off topic": (_, random) => pick(OFF_TOPIC, random),
} satisfies Partial<Record<ProbeKind, Maker>>;

const MAKERS: Readonly<Record<ProbeKind, Maker>> = { ...RIGHT, ...WRONG };

/** All kinds, those that are correct first. */
export const PROBE_KINDS = Object.keys(MAKERS) as ProbeKind[];

/**
 * Kinds that stay what they are when reference and answer, which differ, change places: what has the same meaning keeps it,
 * and what contradicts is contradicted.
 */
export const SYMMETRIC_KINDS: ReadonlySet<ProbeKind> = new Set<ProbeKind>([
  ...(["other case", "other wording", "in sentences", "other term"] as const),
  ...(["wrong lesion", "wrong organ", "wrong side", "wrong modality", "negation"] as const),
]);

/** Seeds beyond those of the corpora's pictures. */
const FIRST_SEED = 8e6, SEEDS = 1e6;
/** Phantoms drawn in vain for one probe before there are no more. */
const MOST_DRAWN = 1000;

/**
 * Answers of known verdict to open questions about phantoms, in as many kinds as `PROBE_KINDS` has, each equally often (the
 * first ones once more where `count` is not a multiple). Each is about a phantom of its own; no kind has the same reference
 * twice. Nothing of any model is in them.
 *
 * @param seed of all that is drawn
 * @throws RangeError when there are not enough different references for so many
 */
export function judgeProbes(count: number, seed: number): JudgeProbe[] {
  const random = rng(`judge probes/${seed}`), used = new Set<string>();
  const probes = Array.from({ length: count }, (_, i): JudgeProbe => {
    const kind = PROBE_KINDS[i % PROBE_KINDS.length];
    for (let drawn = 0; drawn < MOST_DRAWN; drawn++) {
      const phantom = FIRST_SEED + Math.floor(random() * SEEDS);
      const truth = phantomOf({ seed: phantom, split: "test" }), answer = MAKERS[kind](truth, random);
      const { question, answer: reference } = questionFor(truth, "open", random)!;
      if (answer === null || used.has(`${kind} ${reference}`)) continue;
      used.add(`${kind} ${reference}`);
      return { id: `${kind}/${phantom}`, kind, question, reference, answer, correct: kind in RIGHT, phantom };
    }
    throw new RangeError(`Expected at most ${i} probes, since references run out; found ${count} wanted.`);
  });
  return shuffle(probes, random);
}
