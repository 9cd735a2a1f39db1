import { type ParsedReply, type RawPair, type ReplyProblem, withOptions } from "./reply.ts";

const LEAD = String.raw`^(?:[-*•]\s+)?(?:\(?\d{1,2}[).:]\s*)?`;
const NUMBER = String.raw`\s*#?(\d{0,2})\s*(?:\([^)]*\)\s*)?`;
/** Q: Q1. Question 2 (closed): Question - ..., or "Question 2" alone on its line. */
const QUESTION = new RegExp(
  LEAD + String.raw`(?:(?:Q|Question)${NUMBER}(?:[:：.)]|[-–]\s)\s*(.*)|Question${NUMBER})$`,
  "i",
);
/** A: A1. Answer 2: Correct answer: ..., or "Answer" alone on its line. "A." and "A)" are options. */
const ANSWER = new RegExp(
  LEAD +
    String
      .raw`(?:(?:A|Ans|(?:(?:Correct|Right)\s)?Answer)${NUMBER}[:：]\s*(.*)|A(\d{1,2})[.)]\s*(.*)|Answer${NUMBER})$`,
  "i",
);
const NUMBERED = /^\(?(\d{1,2})[).:]\s*(.+\?)\s*(.*)$/;
/** Where a line that has begun with a label goes on with the next one. */
const INLINE =
  /(?<=[?.!])\s+(?=\(?(?:A|Answer)\s?\d{0,2}:)|(?<!^[-*•\s(\d).:]{0,12})\s+(?=(?:Q|Question)\s?\d{0,2}:)/;
/** Lines that are neither question nor answer and end what stands before them. */
const HEADING =
  /^(?:[-*_=~]{3,}|```\w*|(?:Q&?A|question[- ]answer)?\s*pairs?\s*#?\d*\s*:?|(?:open|closed|yes)\b.{0,30}\bquestions?\s*:?)$/i;
const REMARK =
  /^(?:explanation|rationale|reason|reasoning|note|justification|difficulty|topic)\b[^:]{0,20}:/i;
const OPTION = /^\(?([A-H])[).:]\s*\S/i;

interface Draft {
  number: string;
  question: string[];
  /** Behind a numbered question, before any label: its answer, or more of the question if a labelled answer follows. */
  loose: string[];
  answer: string[] | null;
  options: string[];
  numbered: boolean;
}

/** Reads pairs out of plain or Markdown text, line by line; what is not surely a pair is counted, not guessed. */
export function parseText(reply: string, cut: boolean): ParsedReply {
  const lines = reply.split(/\r\n|[\r\n]/).flatMap(plainLines);
  const drafts: Draft[] = [];
  const problems: ReplyProblem[] = [];
  let current: Draft | undefined; // the one written to last, which a cut leaves unfinished
  let open = false; // whether the next line without label still belongs to it
  let stray = false;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i], listed = optionsFrom(lines, i);
    const asked = draftFrom(line), answer = ANSWER.exec(line);
    if (listed) {
      if (current && !current.answer) current.options.push(...listed.texts);
      else stray ||= current !== undefined;
      i += listed.lines - 1;
    } else if (asked) {
      drafts.push(current = asked);
      open = true;
    } else if (answer) {
      const number = answer[1] || answer[3] || answer[5] || "";
      const answered = answerDraft(drafts, number, answer[2] ?? answer[4] ?? "");
      if (!answered) problems.push("missing_question");
      open = answered !== undefined;
      current = answered ?? current;
    } else if (!current) continue; // a preamble
    else if (line === "" || HEADING.test(line)) open &&= !current.numbered && tailOf(current).join("") === "";
    else if (open && !REMARK.test(line)) tailOf(current).push(line);
    else {
      stray = true;
      open = false;
    }
  }
  if (stray) problems.push("stray_text");
  const pairs = drafts.flatMap((one) => {
    const whole = wholePair(one);
    if (cut && one === current) problems.push("truncated");
    else if (typeof whole === "string") problems.push(whole);
    else return [whole];
    return [];
  });
  return { shape: drafts.length > 0 ? "qa_text" : "none", pairs, problems };
}

/** A question that begins on this line. */
function draftFrom(line: string): Draft | null {
  const labelled = QUESTION.exec(line), numbered = labelled ? null : NUMBERED.exec(line);
  if (!labelled && !numbered) return null;
  const rest = numbered?.[3].replace(/^[-–:]\s*/, "");
  return {
    number: labelled ? labelled[1] || labelled[3] || "" : numbered![1],
    question: [labelled ? labelled[2] ?? "" : numbered![2]],
    loose: rest ? [rest] : [],
    answer: null,
    options: [],
    numbered: numbered !== null,
  };
}

/** Where a line without label goes. */
const tailOf = (draft: Draft) => draft.answer ?? (draft.numbered ? draft.loose : draft.question);

/** A line without emphasis, heading and quote signs, cut where several labels stand in it. */
function plainLines(raw: string): string[] {
  const line = raw.replace(/\*{2,3}|_{2,3}/g, "").trim().replace(/^(?:>\s*)+/, "").replace(/^#+\s*/, "")
    .replace(/^[*_]((?:Q|A|Question|Answer)\b[^*_]*)[*_]/i, "$1").trim();
  return QUESTION.test(line) || ANSWER.test(line) || NUMBERED.test(line) ? line.split(INLINE) : [line];
}

/** Options from line `i` on: "A) ..." and "B) ..." on lines of their own, or all in one line. */
function optionsFrom(lines: readonly string[], i: number): { texts: string[]; lines: number } | null {
  const inline = lines[i].replace(/^(?:options|choices)\s*:\s*/i, "");
  if (/^(?:options|choices)\s*:?$/i.test(lines[i])) return { texts: [], lines: 1 };
  if (/^\(?A[).:]\s.*\s\(?B[).:]\s.*\s\(?C[).:]\s/i.test(inline)) {
    return { texts: inline.split(/[,;]?\s+(?=\(?[B-H][).:]\s)/), lines: 1 };
  }
  const texts: string[] = [];
  const letter = (line: string | undefined) => OPTION.exec(line ?? "")?.[1].toUpperCase();
  while (letter(lines[i + texts.length]) === String.fromCharCode(65 + texts.length)) {
    texts.push(lines[i + texts.length]);
  }
  return texts.length > 1 ? { texts, lines: texts.length } : null;
}

/** The draft that gets an answer: the question of its number, or without numbers the last one; none if it fits none. */
function answerDraft(drafts: readonly Draft[], number: string, answer: string): Draft | undefined {
  const last = drafts.at(-1);
  if (number && last?.number && last.number !== number) {
    const named = drafts.findLast((one) => one.number === number && !one.answer);
    if (named) named.answer = [answer];
    return named;
  }
  if (last && !last.answer) {
    last.answer = [answer];
    return last;
  }
  // Questions first, then answers, without numbers: nobody can tell which answer the last question has.
  const before = drafts.at(-2);
  if (last && before && !before.answer && !number) last.answer = [];
  return undefined;
}

function wholePair(draft: Draft): RawPair | ReplyProblem {
  const answered = draft.answer ?? draft.loose;
  const asked = draft.answer ? [...draft.question, ...draft.loose] : draft.question;
  const question = asked.join(" ").trim();
  const answer = answered.join(" ").trim().replace(/^[-*•]\s+/, "").replace(
    /^\((?:A|Answer):\s*(.*)\)$/i,
    "$1",
  );
  if (question === "") return "missing_question";
  return answer === "" ? "missing_answer" : withOptions(question, answer, draft.options);
}
