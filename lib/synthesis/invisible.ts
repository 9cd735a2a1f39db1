import type { PairFilter } from "./filters.ts";

const INVISIBLE: readonly [RegExp, string][] = [
  [
    /\b(history|presented|presents|presenting|complain\w*|symptoms?|prior|previous(ly)?|follow-?up)\b/i,
    "history",
  ],
  [
    /\b(age|aged|years?|year-old|old|male|female|gender|sex|man|woman|boy|girl|patient['’]s name|name of the patient|race)\b/i,
    "demographics",
  ],
  [
    /\b(treat\w*|therap\w*|surger\w*|surgical|medication|drug|prognosis|procedure|operation|stage)\b/i,
    "treatment or outcome",
  ],
  [
    /\b(causes?|caused|cause of|reason|purpose|risk|incidence|prevalence|common(ly)?|likely)\b/i,
    "general knowledge",
  ],
  [/\b(who|doctor|physician|surgeon|hospital|author|article|study|performed)\b/i, "people or papers"],
  [
    /\d+(\.\d+)?\s?(mm|cm|ml|%|hu|units?|inches)\b|\bhow (many|much|large|big|long|old)\b|\b(size|extent|diameter)\b/i,
    "measurements",
  ],
];

/** Is it about something that the image cannot show? (Teaching cases tell history and demographics as well.) */
export const invisible: PairFilter = {
  name: "invisible",
  reason({ pair }) {
    const both = `${pair.question} ${pair.answer}`;
    return INVISIBLE.find(([pattern]) => pattern.test(both))?.[1] ?? null;
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
