import type { PairFilter } from "./filters.ts";
import { fold, FUNCTION_WORDS, readEntities, words } from "./lexicon.ts";

/** Words that questions and answers use and captions need not: they claim nothing. */
const EMPTY: ReadonlySet<string> = new Set(
  ("image imaged picture pictured scan scanned scanner imaging photo figure exam examination study view body part region area " +
    "anatomical anatomy structure organ lesion abnormality abnormal finding type kind nature side located location lie lies seen " +
    "see visible shown show showing reveal revealed depict depicted displayed display demonstrated demonstrate present " +
    "observed noted affected involved contain contained include included used use taken obtained acquired performed given made modality technique " +
    "found find identified appear apparent position patient evidence evident detected sign signs arrow arrows indicate indicated " +
    "mark marked labelled labeled white red yellow black only state look")
    .split(" ").map(fold),
);

/** Ways to write the same, brought to one form before words are compared. */
const SPELLINGS: readonly [RegExp, string][] = [
  [/\b(t[12])wi?\b/gi, "$1 weighted"],
  [/\bnon-/gi, "no "],
  [/\bintra-/gi, "intra"],
  [/\bhaem/gi, "hem"],
  [/\boed/gi, "ed"],
  [/\btumour/gi, "tumor"],
  [/\b(healthy|unremarkable)\b/gi, "normal"],
  [/[-–/]/g, " "],
];

const wordsOf = (text: string): string[] =>
  words(SPELLINGS.reduce((t, [pattern, by]) => t.replace(pattern, by), text)).map((word) =>
    fold(word).replace(/ly$/, "")
  );

/** Two forms of one word: they begin alike for five letters and more than half of the longer ("occluded", "occlusion"). */
function akin(a: string, b: string): boolean {
  if (a === b) return true;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return same >= 5 && same >= 0.55 * Math.max(a.length, b.length);
}

/** What a caption says is there, and what it says is not, clause by clause. */
interface Told {
  affirmed: string[];
  denied: string[];
}

const DENIAL =
  /\b(no|without|absence of|absent|negative for|free of|lack of|lacks?|neither|nor|ruled out|denies)\b/i;
const DENIED_BEFORE =
  /^(.*)\b(?:(?:was|were|is|are) )?(?:not (?:seen|visible|identified|detected|present|demonstrated|shown|found)|absent)\b/i;

/** Clause by clause: what follows "no", "without" and their like up to the end of the clause is denied. */
function told(known: string): Told {
  const affirmed: string[] = [], denied: string[] = [];
  for (
    const clause of known.replace(/\bnon-/gi, "no ").split(
      /[.;:,\n()]|\b(?:but|however|although|except|while)\b/i,
    )
  ) {
    const before = DENIED_BEFORE.exec(clause);
    if (before) {
      denied.push(before[1]);
      affirmed.push(clause.slice(before[0].length));
      continue;
    }
    const cue = DENIAL.exec(clause);
    affirmed.push(cue ? clause.slice(0, cue.index) : clause);
    if (cue) denied.push(clause.slice(cue.index + cue[0].length));
  }
  return { affirmed, denied };
}

/** A claim's words and concepts that a text has, and those that it has not. */
function grounding(claim: readonly string[], text: string): { found: string[]; missing: string[] } {
  const there = wordsOf(text),
    concepts = new Set(readEntities(there.join(" ")).entities.map((e) => e.concept));
  const found: string[] = [], missing: string[] = [];
  for (const word of claim) {
    const [entity] = readEntities(word).entities;
    const has = there.some((other) => akin(word, other)) ||
      (entity !== undefined && concepts.has(entity.concept));
    (has ? found : missing).push(word);
  }
  return { found, missing };
}

/**
 * Words of a text that claim something. Concepts of several words ("magnetic resonance") are named by the concept.
 * @param empty words that claim nothing
 */
function claims(text: string, empty: ReadonlySet<string> = EMPTY): string[] {
  const { entities, rest } = readEntities(wordsOf(text).join(" "));
  const own = rest.filter((word) => !FUNCTION_WORDS.has(word) && !empty.has(word));
  return [...new Set([...entities.map(({ concept }) => concept), ...own])];
}

/** Without those that say whether all is well: one clause must say that of the thing that is asked about. */
const EMPTY_IN_CLAUSE: ReadonlySet<string> = EMPTY.difference(new Set(["abnormal", "abnormality"]));

/** Whether all that a claim says is in a text. */
const saysAll = (text: string, claim: readonly string[]): boolean =>
  claim.length > 0 && grounding(claim, text).missing.length === 0;

/**
 * What single clauses say to a question. Who affirms a thing with more about it affirms the thing; who denies a thing denies
 * it with more about it, but "no mass in the liver" does not deny the liver.
 */
function clauseSays(question: string, { affirmed, denied }: Told): "yes" | "no" | null {
  const asked = claims(question, EMPTY_IN_CLAUSE), all = asked.join(" ");
  const within = denied.map((clause) => ({ clause, claim: claims(clause, EMPTY_IN_CLAUSE) }))
    .filter(({ claim }) => saysAll(all, claim));
  // Beside a finding "normal" is about something else ("normal lungs, enlarged heart" without the comma).
  const plain = (clause: string) => !isNormality(question) || !namesFinding(clause);
  const yes = affirmed.some((clause) => saysAll(clause, asked) && plain(clause));
  if (within.some(({ clause }) => saysAll(clause, asked)) || within.length > 0 && !yes) return "no";
  return yes ? "yes" : null;
}

/** Directions of which a place has one at most. */
const OPPOSITES = [["left", "right"], ["upper", "lower"]];

/** The directions that a text names, each without its opposite. */
function sidesOf(text: string): { side: string; other: string }[] {
  const there = wordsOf(text);
  return OPPOSITES.flatMap((pair) => {
    const [side, ...rest] = pair.filter((one) => there.includes(one));
    return side && rest.length === 0 ? [{ side, other: pair.find((one) => one !== side)! }] : [];
  });
}

/**
 * Whether the caption puts what the pair is about on the other side: next to each of its words the caption names only
 * that one. Where the caption names the side asked for beside any of them, or no side, nothing is said.
 */
function otherSide(
  { side, other }: { side: string; other: string },
  about: readonly string[],
  text: string,
): boolean {
  const there = wordsOf(text);
  if (!there.includes(side)) return there.includes(other);
  const near = about.flatMap((word) =>
    there.flatMap((one, i) => akin(word, one) ? there.slice(Math.max(0, i - 3), i + 3) : [])
  );
  return !near.includes(side) && near.includes(other);
}

/** Places named in clauses that are about something else there ("no mass in the liver", not "no liver"). */
const places = (clauses: readonly string[]): string =>
  clauses.filter((clause) => claims(clause).length > 1).flatMap((clause) => readEntities(clause).entities)
    .filter(({ kind }) => kind !== "finding").map(({ concept }) => concept).join(" ");

/** Share of an open answer's claims, beyond what its question says, that the caption must have. */
const MIN_GROUNDED = 0.6;

/**
 * Does the caption speak against the pair? Words cannot tell whether a text supports a claim, but they can tell some cases
 * apart: an answer of which the caption has no word, yes to what it denies or does not name, no to what it affirms, the
 * other side. What is left is for the language model's check.
 */
export const evidence: PairFilter = {
  name: "evidence",
  reason({ pair, known }) {
    const clauses = told(known), asked = claims(pair.question);
    const affirmed = clauses.affirmed.join(". "), denied = clauses.denied.join(". ");
    const said = clauseSays(pair.question, clauses);
    const yes = /^yes\b/i.test(pair.answer), no = /^no\b/i.test(pair.answer);
    if (yes || no) {
      const inAffirmed = grounding(asked, affirmed), inDenied = grounding(asked, denied);
      const onlyDenied = inDenied.found.filter((word) => inAffirmed.missing.includes(word));
      const sided = sidesOf(pair.question).some((one) =>
        otherSide(one, asked.filter((word) => word !== one.side), affirmed)
      );
      if (contradictsOverall(pair.question, yes, asked, affirmed)) return "not normal, says the caption";
      if (yes) {
        if (onlyDenied.length > 0 || said === "no") return "affirms what the caption denies";
        if (sided) return "the caption names the other side";
        return inAffirmed.missing.length > 0 ? `not in the caption: ${list(inAffirmed.missing)}` : null;
      }
      const scattered = asked.length > 0 && inAffirmed.missing.length === 0 && inDenied.found.length === 0 &&
        !isNormality(pair.question);
      return !sided && (said === "yes" || said === null && scattered) ? "denies what the caption says" : null;
    }
    const answered = claims(pair.answer).filter((word) => !asked.some((other) => akin(word, other)));
    // A place is in the picture, also where what it lacks is told.
    const { found, missing } = grounding(answered, `${affirmed} ${places(clauses.denied)}`);
    if (isDenial(pair.answer)) {
      if (contradictsOverall(pair.question, false, asked, affirmed)) return "not normal, says the caption";
      return said === "yes" && /^where\b/i.test(pair.question) ? "denies what the caption says" : null;
    }
    const lost = missing.filter((word) => readEntities(word).entities.length > 0);
    if (lost.length > 0) return `not in the caption: ${list(lost)}`;
    if (answered.length > 0 && found.length / answered.length < MIN_GROUNDED) {
      return `not in the caption: ${list(missing)}`;
    }
    const about = [...asked, ...answered].filter((word) => !OPPOSITES.flat().includes(word));
    const sided = sidesOf(pair.answer).some((one) => otherSide(one, about, affirmed));
    return sided ? "the caption names the other side" : null;
  },
};

/** Whether a picture as a whole is called normal, or without abnormality, of which the caption affirms a finding. */
function contradictsOverall(
  question: string,
  yes: boolean,
  asked: readonly string[],
  affirmed: string,
): boolean {
  const normal = isNormality(question),
    abnormal = /\b(abnormal\w*|lesions?|diseases?|pathology|findings?)\b/i.test(question);
  const general = asked.every((word) => ["normal", "disease", "pathology"].includes(word));
  const calm = (normal && yes) || (abnormal && !normal && !yes);
  return general && calm && namesFinding(affirmed);
}

const namesFinding = (text: string) => readEntities(text).entities.some(({ kind }) => kind === "finding");

const list = (found: readonly string[]) => found.slice(0, 3).join(", ");

/** An answer that says that something is not there, or that all is well: what is asserted then is not its words. */
const isDenial = (answer: string) => /^(no|none|normal|nothing|without|not)\b/i.test(answer);
const isNormality = (question: string) => /\b(normal|healthy|unremarkable)\b/i.test(question);
