/** Radiology words that captions, questions and answers name, each kind with one name per concept. */

export type EntityKind = "modality" | "region" | "organ" | "finding" | "side";

/** Concept -> ways to write it (lower case, singular; plurals are folded before). */
const CONCEPTS: Record<EntityKind, Record<string, readonly string[]>> = {
  modality: {
    "ct": ["ct", "cat scan", "computed tomography", "computerized tomography", "tomodensitometry"],
    "mri": ["mri", "mr", "magnetic resonance"],
    "x-ray": ["x-ray", "xray", "x ray", "radiograph", "radiography", "plain film", "radiogram"],
    "ultrasound": [
      "ultrasound",
      "ultrasonography",
      "sonography",
      "sonogram",
      "echocardiography",
      "echocardiogram",
    ],
    "pet": ["pet", "positron emission tomography"],
    "mammography": ["mammography", "mammogram"],
    "angiography": ["angiography", "angiogram"],
    "fluoroscopy": ["fluoroscopy"],
    "scintigraphy": ["scintigraphy", "spect"],
  },
  region: {
    chest: ["chest", "thorax", "thoracic"],
    abdomen: ["abdomen", "abdominal", "belly"],
    head: ["head", "skull", "cranium", "cranial"],
    neck: ["neck", "cervical"],
    pelvis: ["pelvis", "pelvic"],
    spine: ["spine", "spinal", "vertebra", "vertebrae", "lumbar"],
    shoulder: ["shoulder"],
    arm: ["arm", "forearm"],
    elbow: ["elbow"],
    wrist: ["wrist"],
    hand: ["hand", "finger"],
    hip: ["hip"],
    leg: ["leg"],
    knee: ["knee"],
    ankle: ["ankle"],
    foot: ["foot", "toe"],
  },
  organ: {
    lung: ["lung", "pulmonary", "lobe"],
    heart: ["heart", "cardiac", "ventricle", "atrium"],
    liver: ["liver", "hepatic"],
    spleen: ["spleen", "splenic"],
    kidney: ["kidney", "renal"],
    brain: ["brain", "cerebral", "cerebrum", "cerebellum", "cerebellar", "hemisphere"],
    pancreas: ["pancreas", "pancreatic"],
    gallbladder: ["gallbladder"],
    stomach: ["stomach", "gastric"],
    bowel: ["bowel", "intestine", "intestinal", "colon", "cecum", "duodenum", "ileum", "jejunum", "rectum"],
    bladder: ["bladder"],
    uterus: ["uterus", "uterine"],
    ovary: ["ovary", "ovarian", "adnexa"],
    prostate: ["prostate"],
    breast: ["breast"],
    thyroid: ["thyroid"],
    aorta: ["aorta", "aortic"],
    pleura: ["pleura", "pleural"],
    esophagus: ["esophagus", "oesophagus"],
    trachea: ["trachea"],
    humerus: ["humerus"],
    femur: ["femur"],
    tibia: ["tibia"],
    bone: ["bone"],
    adrenal: ["adrenal"],
    orbit: ["orbit", "eye"],
  },
  finding: {
    nodule: ["nodule", "nodular"],
    cyst: ["cyst", "cystic"],
    hemorrhage: ["hemorrhage", "haemorrhage", "hemorrhagic", "bleeding", "bleed", "hematoma", "haematoma"],
    mass: ["mass"],
    tumor: ["tumor", "tumour", "neoplasm"],
    cancer: ["cancer", "carcinoma", "adenocarcinoma", "malignancy", "malignant", "lymphoma", "sarcoma"],
    metastasis: ["metastasis", "metastases", "metastatic"],
    fracture: ["fracture", "fractured"],
    effusion: ["effusion"],
    edema: ["edema", "oedema"],
    pneumonia: ["pneumonia", "consolidation"],
    pneumothorax: ["pneumothorax"],
    atelectasis: ["atelectasis"],
    infarct: ["infarct", "infarction", "ischemia"],
    stenosis: ["stenosis", "narrowing"],
    aneurysm: ["aneurysm"],
    thrombosis: ["thrombosis", "thrombus", "embolism", "embolus"],
    calcification: ["calcification", "calcified", "calculus", "stone"],
    abscess: ["abscess"],
    dilatation: ["dilatation", "dilation", "dilated"],
    cardiomegaly: ["cardiomegaly"],
    hernia: ["hernia"],
    obstruction: ["obstruction"],
    opacity: ["opacity", "opacification"],
    enlargement: ["enlarged", "enlargement"],
  },
  side: {
    left: ["left", "left-sided"],
    right: ["right", "right-sided"],
    bilateral: ["bilateral", "bilaterally"],
  },
};

export interface Entity {
  kind: EntityKind;
  concept: string;
}

const phrases = (Object.entries(CONCEPTS) as [EntityKind, Record<string, readonly string[]>][])
  .flatMap(([kind, concepts]) =>
    Object.entries(concepts).flatMap(([concept, forms]) =>
      forms.map((form) => ({ kind, concept, words: form.split(" ").map(fold) }))
    )
  )
  .sort((a, b) => b.words.length - a.words.length);

/** Words of a text: lower case, inner hyphens kept, other signs dropped. */
export function words(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(/[\p{L}\p{N}]+(?:[-'’][\p{L}\p{N}]+)*/gu) ?? [];
}

/** A word without the plural's s, so that "nodules" and "nodule" agree. */
export function fold(word: string): string {
  const plain = word.replace(/['’]s$/, "");
  if (plain.length > 4 && plain.endsWith("ies")) return plain.slice(0, -3) + "y";
  return plain.length > 3 && /[^sui]s$/.test(plain) ? plain.slice(0, -1) : plain;
}

/** The concepts that a text names, in order, and the words that belong to none. */
export function readEntities(text: string): { entities: Entity[]; rest: string[] } {
  const tokens = words(text).map(fold);
  const entities: Entity[] = [];
  const rest: string[] = [];
  for (let i = 0; i < tokens.length;) {
    const found = phrases.find(({ words }) => words.every((word, k) => tokens[i + k] === word));
    if (found) entities.push({ kind: found.kind, concept: found.concept });
    else rest.push(tokens[i]);
    i += found?.words.length ?? 1;
  }
  return { entities, rest };
}

/** The concepts of one kind that a text names. */
export function conceptsOf(text: string, kind: EntityKind): string[] {
  return readEntities(text).entities.filter((entity) => entity.kind === kind).map((entity) => entity.concept);
}

/** Words that carry no claim of their own. */
export const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  ("a an the of in on at to for from with without by and or as is are was were be been being do does did has have had " +
    "can could may it its this that these those there here which what where how who whom whose when why that's " +
    "any some no not yes one i you your we our he she his her their them same only also than then so such into " +
    "about over under between during through")
    .split(" ").map(fold),
);

/** What a question asks for. "presence" is a yes/no question. */
export type Aspect = EntityKind | "presence";

/** What a question asks for, by its wording; null if no rule fits. */
export function aspectOf(question: string): Aspect | null {
  const text = words(question).join(" ");
  if (/\b(which|what) side\b|\bleft or (on the |the )?right\b|\bright or (on the |the )?left\b/.test(text)) {
    return "side";
  }
  if (/\bwhich (lung|kidney|hemisphere|breast|hip|shoulder)\b/.test(text)) return "side";
  if (/^((in|on|at) (this|the) \w+ )?(is|are|does|do|did|can|could|has|have|had|was|were|any)\b/.test(text)) {
    return "presence";
  }
  if (
    /\b(modality|technique|type of (scan|imaging|image|examination|study)|kind of (scan|imaging|image))\b/
      .test(text)
  ) {
    return "modality";
  }
  if (
    /\bhow (was|is|were) (this|the) (image|picture|scan|study)\b.*\b(taken|acquired|made|obtained|produced)\b/
      .test(text)
  ) {
    return "modality";
  }
  if (
    /\b(type|kind|nature) of (the |this )?(lesion|abnormality|finding|abnormalities|pathology)\b/.test(text)
  ) return "finding";
  if (
    /\bbody (part|region|area)\b|\bpart of (the|this) body\b|\b(which|what) (anatomical )?(region|area)\b/
      .test(text)
  ) {
    return "region";
  }
  if (
    /^where\b|\blocat(ed|ion)\b|\b(which|what)( \w+)? (organ|structure)\b|^what is the (affected )?(organ|structure)\b/
      .test(text)
  ) return "organ";
  if (/\b(what|which) (lobe|part|portion|segment|quadrant|half|area)\b/.test(text)) return null;
  if (/\b(what|which)\b.*\b(abnormality|lesion|finding|diagnosis|pathology|abnormal)\b/.test(text)) {
    return "finding";
  }
  return null;
}
