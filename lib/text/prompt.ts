import { isChinese } from "../stats/mod.ts";

/** Languages with a PaliGemma task prefix that the datasets of this project use. */
export type Language = "en" | "zh";

const oneLine = (text: string) => text.trim().replace(/\s+/g, " ");

/**
 * PaliGemma's VQA prefix: "answer en {question}" ("answer zh" where the question is Chinese), for multiple choice followed by " options: a) x b) y c) z d) w".
 * White space is made single, because a line break ends the prefix.
 * @throws if the question or a choice is empty, or there are more than 26 choices.
 *
 * @example A question with options
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { questionPrefix } from "@lib/text/mod.ts";
 *
 * assertEquals(questionPrefix({ question: "Which side is the  lesion on?" }), "answer en Which side is the lesion on?");
 * ```
 */
export function questionPrefix(
  { question, choices, language = isChinese(question) ? "zh" : "en" }: {
    question: string;
    choices?: readonly string[] | null;
    language?: Language;
  },
): string {
  const asked = oneLine(question);
  if (!asked) throw new Error("Expected a question, found only white space.");
  const prefix = `answer ${language} ${asked}`;
  if (!choices?.length) return prefix;
  if (choices.length > 26) {
    throw new Error(`Expected at most 26 choices, found ${choices.length} for "${asked}".`);
  }
  const options = choices.map((choice, i) => {
    const text = oneLine(choice);
    if (!text) throw new Error(`Expected a text for choice ${i + 1} of "${asked}", found only white space.`);
    return `${String.fromCharCode(97 + i)}) ${text}`;
  });
  return `${prefix} options: ${options.join(" ")}`;
}

/** PaliGemma's captioning prefix, e.g. "caption en". */
export function captionPrefix(language: Language = "en"): string {
  return `caption ${language}`;
}
