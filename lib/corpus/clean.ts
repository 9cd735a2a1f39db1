import { countRepair, type Tally } from "./record.ts";

/** Anything but printable ASCII, outer spaces, two spaces: most texts have none of it. */
const MAY_NEED_CLEANING = /[^ -~]|^ | $| {2}/;

/**
 * A text with white space as people read it: outer space removed, tabs, line breaks and runs of spaces made one space,
 * and a U+FFFD between a letter and "s" made the apostrophe it was. Each change is counted.
 */
export function cleanText(text: string, tally: Tally): string {
  if (!MAY_NEED_CLEANING.test(text)) return text;
  let out = text;
  const change = (pattern: RegExp, replacement: string, reason: string) => {
    const next = out.replace(pattern, replacement);
    if (next !== out) countRepair(tally, reason);
    out = next;
  };
  change(/(?<=\p{L})\uFFFD(?=s\b)/gu, "'", "damaged apostrophe (U+FFFD) restored");
  change(/^\s+|\s+$/gu, "", "outer white space removed");
  change(/[\t\r\n\v\f]+/gu, " ", "tab or line break made a space");
  change(/\s{2,}|[^\S ]/gu, " ", "run of spaces or odd space made one space");
  if (out.includes("\uFFFD")) countRepair(tally, "damaged character (U+FFFD) kept");
  return out;
}

/** Yes/no answers in any case, as closed questions have them. */
export const isYesNo = (answer: string): boolean => /^(yes|no)$/i.test(answer);
