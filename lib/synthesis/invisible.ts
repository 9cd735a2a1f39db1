import type { PairFilter } from "./filters.ts";

/**
 * What tells that a pair is about something else than the image, in the question or in the whole pair. Words that pictures
 * share with such pairs ("common bile duct", "surgical clips", "previous scan", "how many") do not count.
 */
const INVISIBLE: readonly { in: "question" | "pair"; pattern: RegExp; reason: string }[] = [
  {
    in: "question",
    pattern:
      /\b(history|complain(s|ed|ts?|ing)|symptoms?|clinical presentation|(patient|he|she|woman|man) (present|report)(s|ed)?|presented with)\b/i,
    reason: "history",
  },
  {
    in: "question",
    pattern: /^when\b|\bhow (long (ago|after|before)|old)\b|\b(date|day)\b.*\b(scan|image|taken)\b/i,
    reason: "history",
  },
  {
    in: "pair",
    pattern: /\b(years?|months?|weeks?|days?)[ -](old|of age|ago|post\w*|after|before|earlier|later)\b/i,
    reason: "history",
  },
  {
    in: "question",
    pattern: /\b(age|aged|male|female|gender|sex|race|(patient|person)['’]s name|name of the patient)\b/i,
    reason: "demographics",
  },
  {
    in: "question",
    pattern:
      /\b(treat\w*|therap\w*|surgery|surgeries|medications?|drugs?|prognosis|stage of)\b|\b(surgical|operative) (treatment|procedure|management)\b/i,
    reason: "treatment or outcome",
  },
  {
    in: "question",
    pattern:
      /^why\b|\b(causes?|caused|reason|purpose|risk factors?|incidence|prevalence|commonly|most common|typically|usually)\b/i,
    reason: "general knowledge",
  },
  {
    in: "question",
    pattern: /^who(se)?\b|\b(doctor|physician|surgeon|hospital|authors?|article)\b/i,
    reason: "people or papers",
  },
  {
    in: "pair",
    pattern:
      /\d\s?(mm|cm|ml|cc|%|hu|units?|inches)\b|\bhow (much|large|big|long)\b|\bwhat (is|was|are|were) the (exact |approximate )?(size|diameter|dimensions?|length|volume)\b/i,
    reason: "measurements",
  },
];

/** Is it about something that the image cannot show? (Teaching cases tell history and demographics as well.) */
export const invisible: PairFilter = {
  name: "invisible",
  reason({ pair }) {
    const read = { question: pair.question, pair: `${pair.question} ${pair.answer}` };
    return INVISIBLE.find((rule) => rule.pattern.test(read[rule.in]))?.reason ?? null;
  },
};

const UNANSWERABLE: readonly [RegExp, string][] = [
  [
    /\b(captions?|the text|text above|description|mentioned|stated|according to|described)\b/i,
    "asks about the text",
  ],
  [
    /\b(fig(ure|\.)? ?\d|panels?|other images?|next image|first image|second image|images?'? \d)\b/i,
    "another image",
  ],
];
const NO_ANSWER =
  /\b(unknown|unclear|unspecified|not (specified|mentioned|stated|given|provided|clear|known|applicable|available|visible|shown|determined)|cannot be|can't be|n\/a|none of the above|all of the above)\b/i;

/** Can one image alone answer it, and does the answer say anything? */
export const unanswerable: PairFilter = {
  name: "unanswerable",
  reason({ pair }) {
    if (NO_ANSWER.test(pair.answer)) return "the answer says that it does not know";
    return UNANSWERABLE.find(([pattern]) => pattern.test(pair.question))?.[1] ?? null;
  },
};
