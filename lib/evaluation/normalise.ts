import { spacedHan } from "../stats/mod.ts";

/** Typographic quotes and hyphens as a keyboard has them: U+2018 to U+201F, U+2010 and U+2011. */
const typed = (text: string) =>
  text.replace(/[\u2018-\u201b]/g, "'").replace(/[\u201c-\u201f]/g, '"').replace(/[\u2010\u2011]/g, "-");

/**
 * Lower case, typographic quotes and hyphens plain, whitespace collapsed, punctuation at both ends removed: "Yes, " and "yes."
 * become "yes", "是。" "是".
 */
export function normaliseAnswer(text: string): string {
  return typed(text.normalize("NFKC")).toLowerCase().replace(/\s+/g, " ").replace(
    /^[\s.,;:!?"'()[\]、。「」『』《》【】]+|[\s.,;:!?"'()[\]、。「」『』《》【】]+$/g,
    "",
  );
}

const NUMBER_WORDS: Record<string, string> = {
  none: "0",
  zero: "0",
  one: "1",
  two: "2",
  three: "3",
  four: "4",
  five: "5",
  six: "6",
  seven: "7",
  eight: "8",
  nine: "9",
  ten: "10",
};
const ARTICLES = new Set(["a", "an", "the"]);
const VQA_PUNCTUATION = [...'; / [ ] " { } ( ) = + \\ _ - > < @ ` , ? !'.replaceAll(" ", "")];

/**
 * The answer processing of the VQA challenge, which LLaVA-Med's scripts use too: punctuation, periods, number words,
 * articles. Apostrophes are dropped on both sides instead of being restored from a list of contractions.
 */
export function normaliseVqa(text: string): string {
  const input = text.replace(/[\n\t]/g, " ").trim();
  const commaInNumber = /\d,\d/.test(input);
  let out = input;
  for (const mark of VQA_PUNCTUATION) {
    const besideSpace = input.includes(`${mark} `) || input.includes(` ${mark}`);
    out = out.replaceAll(mark, besideSpace || commaInNumber ? "" : " ");
  }
  return out.replace(/\.(?!\d)|[、。！？，；：]/g, "").toLowerCase().split(/\s+/)
    .map((word) => NUMBER_WORDS[word] ?? word.replaceAll("'", ""))
    .filter((word) => word !== "" && !ARTICLES.has(word)).join(" ");
}

/** Words as SQuAD's F1 counts them: lower case, without punctuation and articles; each Chinese character is one. */
export function squadTokens(text: string): string[] {
  const plain = spacedHan(text).toLowerCase().replace(
    /[!-/:-@[-`{-~]|[\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]/g,
    "",
  ).replace(/\b(a|an|the)\b/g, " ");
  return plain.split(/\s+/).filter((word) => word !== "");
}
