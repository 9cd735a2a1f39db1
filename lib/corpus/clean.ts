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

/** Words that name only what kind of thing a picture is. */
const MEDIUM = new Set(
  ("a an the of this is here shows image images picture photo photograph figure figures fig figs panel scan scans view views " +
    "radiograph radiographs radiography radiology radiological x ray rays xray ct mr mri us ultrasound pet none")
    .split(" "),
);

/** What stands where a caption was not written yet. */
const UNWRITTEN =
  /^(in progress|pending|to be (added|done|written)|tbd|todo|n\/?a|nan|null|unknown|untitled|no caption|caption|test)$/;

/**
 * Why a cleaned caption is dropped: it is empty, a placeholder, or says no more than what kind of picture it is ("CT Image",
 * "Figure 1"); null for one that says something.
 */
export function captionFault(caption: string): string | null {
  if (caption === "") return "empty caption";
  const plain = caption.toLowerCase().replace(/^[\s\p{P}]+|[\s\p{P}]+$/gu, "");
  if (plain === "" || UNWRITTEN.test(plain) || plain.startsWith("replace this")) return "placeholder caption";
  const words = plain.match(/[\p{L}\d]+/gu) ?? [];
  return words.every((word) => MEDIUM.has(word) || /^\d*[a-z]?$/.test(word))
    ? "caption that says nothing of the image"
    : null;
}
