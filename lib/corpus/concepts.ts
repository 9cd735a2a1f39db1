import type { Corpus, CorpusRecord } from "./record.ts";

/** A concept of figure 3 and how often it occurs. */
export interface ConceptCount {
  /** Name of the concept. */
  concept: string;
  /** Records about it. */
  count: number;
}

/** SLAKE's ten locations in the five groups of the paper's figure 3. */
const SLAKE_GROUP: Record<string, string> = {
  Lung: "Chest",
  Chest_lung: "Chest",
  Chest_heart: "Chest",
  Chest_mediastinal: "Chest",
  Abdomen: "Abdomen",
  Brain: "Head",
  Brain_Tissue: "Head",
  Brain_Face: "Head",
  Neck: "Neck",
  "Pelvic Cavity": "Pelvic",
};

/** Concepts looked for in captions; a caption may have several. The paper does not publish its own patterns. */
const CAPTION_CONCEPTS: Record<string, RegExp> = {
  Fluid: /\bfluids?\b|\beffusions?\b/i,
  Neoplasms: /\b(neoplasm|tumou?r|carcinoma|metasta\w+|lymphoma|sarcoma|mass(es)?)\w*/i,
  Cystic: /\b(pseudo)?cyst(s|ic)?\b/i,
  Heart: /\b(heart|cardiac|ventric\w+|atri(um|al))\b/i,
  Liver: /\b(liver|hepatic)\b/i,
  Dilatation: /\bdilat\w+/i,
  Skeleton: /\b(bones?|skelet\w+|fractures?|vertebra\w*|spine)\b/i,
  Brain: /\b(brain|cerebr\w+|intracranial)\b/i,
  "Pleural effusion": /\bpleural effusions?\b/i,
  Nodule: /\bnodul\w+/i,
  Lung: /\b(lungs?|pulmonary)\b/i,
  Kidney: /\b(kidneys?|renal)\b/i,
  Spleen: /\b(spleen|splenic)\b/i,
  Hemorrhage: /\b(ha?emorrhag\w+|ha?ematoma\w*|bleeding)\b/i,
};

/** PMC-VQA: the first that fits, so that the counts add up to the rows. */
const QUESTION_CONCEPTS: [string, RegExp][] = [
  ["MRI", /\b(f?mri|mr|magnetic resonance|t[12][- ]?weighted|flair)\b/i],
  ["PET", /\b(pet|positron)\b/i],
  ["CT", /\b(ct|cect|computed tomograph\w+|tomogram)\b/i],
  ["X-ray", /\b(x-?rays?|radiograph\w*)\b/i],
  ["US", /\b(us|ultraso\w+|sonogra\w+|echocardiogra\w+)\b/i],
  ["Abdomen", /\babdom\w+/i],
  ["Chest", /\b(chest|thora\w+|lungs?|pulmonary)\b/i],
  ["Brain", /\b(brain|cerebr\w+)\b/i],
  ["Liver", /\b(liver|hepatic)\b/i],
  ["Head", /\b(head|skull|cranial)\b/i],
];

/**
 * Images or rows per concept, most frequent first (paper figure 3).
 * SLAKE: rows by location group. ROCO: captions by the concepts they name, several each. PMC-VQA: rows by the first
 * modality or organ named in question and caption, else "Others". MedPix: images by Location (figure 4). VQA-RAD:
 * rows by organ, or "unknown".
 */
export function conceptCounts(corpus: Pick<Corpus, "dataset" | "records">): ConceptCount[] {
  const counts = new Map<string, number>();
  for (const record of corpus.records) {
    for (const concept of conceptsOf(record)) counts.set(concept, (counts.get(concept) ?? 0) + 1);
  }
  return [...counts].map(([concept, count]) => ({ concept, count }))
    .sort((a, b) => b.count - a.count || (a.concept < b.concept ? -1 : 1));
}

/** A concept's count here and in the paper; null where one of the two does not have it. */
export interface CountBesidePaper {
  /** Name of the concept. */
  concept: string;
  /** Records here; null where the concept does not occur. */
  ours: number | null;
  /** Number of the paper; null where it names none. */
  paper: number | null;
}

/** Our counts beside the paper's, in our order, then what only the paper has. */
export function besidePaper(
  ours: readonly ConceptCount[],
  paper: Readonly<Record<string, number>>,
): CountBesidePaper[] {
  const names = [...new Set([...ours.map(({ concept }) => concept), ...Object.keys(paper)])];
  const counts = new Map(ours.map(({ concept, count }) => [concept, count]));
  return names.map((concept) => ({
    concept,
    ours: counts.get(concept) ?? null,
    paper: paper[concept] ?? null,
  }));
}

/** The concepts that conceptCounts counts a record under. */
export function conceptsOf(record: CorpusRecord): string[] {
  switch (record.dataset) {
    case "slake":
      return [SLAKE_GROUP[record.region ?? ""] ?? record.region ?? "unknown"];
    case "roco_v1":
    case "roco_v2":
    case "roco_qa":
      return Object.keys(CAPTION_CONCEPTS).filter((concept) =>
        CAPTION_CONCEPTS[concept].test(record.caption ?? record.answer ?? "")
      );
    case "pmc_vqa": {
      const text = `${record.question} ${record.answer} ${record.caption ?? ""}`;
      return [QUESTION_CONCEPTS.find(([, pattern]) => pattern.test(text))?.[0] ?? "Others"];
    }
    default:
      return [record.region ?? "unknown"];
  }
}

/** Figure 3 as panels: ours on the left, the paper's on the right, for the data sets that the paper counts. */
export function conceptPanels(
  counts: readonly (CountBesidePaper & { dataset: string })[],
  source: string,
): { dataset: string; unit: string; counts: ConceptCount[] }[] {
  const panel = (dataset: string, whose: "ours" | "paper", unit: string) => ({
    dataset: `${dataset}, ${whose === "ours" ? `ours (${source})` : "paper"}`,
    unit,
    counts: counts.filter((c) => c.dataset === dataset && c[whose] !== null)
      .map((c) => ({ concept: c.concept, count: c[whose]! })),
  });
  return [["slake", "rows"], ["pmc_vqa", "rows"], ["roco_v2", "captions"]]
    .flatMap(([dataset, unit]) => [panel(dataset, "ours", unit), panel(dataset, "paper", unit)]);
}
