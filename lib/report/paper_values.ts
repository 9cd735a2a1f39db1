/**
 * Numbers of the paper (arXiv 2506.14451), beside which ours are shown. Where the published text lost table cells or shows a
 * graph only, the value comes from the authors' article draft (repository adishourya/medm_article); `source` says which.
 */

/** Right answers of answers in all, as the paper counts them. */
interface Count {
  correct: number;
  of: number;
}

/** A share that the paper reports, as a number or as it was counted; null where it reports none. */
export type PaperShare = number | Count | null;

const SOURCE = {
  paper: "arXiv 2506.14451",
  draft: "authors' article draft (repository medm_article)",
} as const;

/** Figure 3: images or questions per concept. */
export const PAPER_CONCEPTS = {
  source: SOURCE.draft,
  roco_v2: {
    Fluid: 1779,
    Neoplasms: 1705,
    Cystic: 1469,
    Heart: 1288,
    Liver: 1244,
    Dilatation: 1084,
    Skeleton: 1077,
    Brain: 1058,
    "Pleural effusion": 1049,
    Nodule: 1032,
  },
  slake: { Chest: 4760, Abdomen: 4340, Head: 3220, Pelvic: 840, Neck: 840 },
  pmc_vqa: {
    MRI: 4036,
    CT: 3158,
    "X-ray": 2415,
    US: 690,
    Abdomen: 590,
    Chest: 456,
    Brain: 328,
    Liver: 298,
    Head: 298,
    PET: 253,
    Others: 784,
  },
} as const;

/** Figure 4: MedPix images per location; those with at least 100 are kept (1,474 of 2,050). */
export const PAPER_CURATION = {
  source: SOURCE.draft,
  minImages: 100,
  images: 2050,
  kept: 1474,
  locations: {
    "Brain and Neuro": 631,
    Musculoskeletal: 270,
    "Chest, Pulmonary": 222,
    Gastrointestinal: 200,
    Genitourinary: 151,
    "Head and Neck": 93,
    Spine: 85,
    Vascular: 73,
    Generalized: 66,
    Cardiovascular: 65,
    Eye: 56,
    Abdomen: 47,
  },
} as const;

/** Figure 5a: evaluation loss after each epoch, open-ended questions (stage 2). */
export const PAPER_LOSS_OPEN = {
  source: SOURCE.draft,
  medpix2: [2.6276, 2.4716, 2.4070, 2.3871, 2.3929],
  roco_v2: [2.1582, 2.0904, 2.0631, 2.0488, 2.0409, 2.0344, 2.0336, 2.0353, 2.0369, 2.0471],
  roco_medpix: [2.0539, 1.9498, 1.8831, 1.8628, 1.8501, 1.8481, 1.8476, 1.8379, 1.8272, 1.8381],
} as const;

/**
 * Figure 5b: loss by epoch, short and closed questions, [epoch, loss]; points between the first and the next were not
 * recovered. The chest X-ray curve (MIMIC-CXR) shows training loss in the authors' data, though labelled evaluation.
 */
export const PAPER_LOSS_CLOSED = {
  source: SOURCE.draft,
  slake: [[1, 0.8626], [2, 0.5307], [3, 0.4006], [4, 0.3209], [5, 0.278]],
  pmc_vqa: [[0.05, 2.3245], [1, 0.2765], [2, 0.2585], [3, 0.2515], [4, 0.2142]],
  mimic_cxr: [[0.03, 2.1792], [1, 0.3579], [2, 0.3216]],
} as const;

/** Table 1 and table 5: accuracy without and with stage 1, and of LLaVA-Med. Standard deviations were not recovered. */
export const PAPER_ACCURACY = {
  source: `${SOURCE.draft}; table 5 also in ${SOURCE.paper}`,
  slake: { withoutStage1: null, withStage1: 0.79, llavaMed: 0.59 },
  pmc_vqa: { withoutStage1: null, withStage1: 0.31046, llavaMed: null },
  roco_v2: {
    withoutStage1: { correct: 63, of: 200 },
    withStage1: { correct: 68, of: 200 },
    llavaMed: { correct: 113, of: 200 },
  },
  roco_medpix: {
    withoutStage1: { correct: 71, of: 200 },
    withStage1: { correct: 74, of: 200 },
    llavaMed: { correct: 113, of: 200 },
  },
  medpix2: {
    withoutStage1: { correct: 34, of: 200 },
    withStage1: { correct: 33, of: 200 },
    llavaMed: { correct: 82, of: 200 },
  },
} as const;

/** Table 2: accuracy per organ (with LLaVA-Med's in brackets in the paper). */
export const PAPER_ORGANS: {
  source: string;
  rows: { organ: string; ours: Count; llavaMed: Count }[];
} = {
  source: SOURCE.paper,
  rows: [
    { organ: "Chest", ours: { correct: 15, of: 50 }, llavaMed: { correct: 19, of: 50 } },
    { organ: "Gastrointestinal", ours: { correct: 28, of: 50 }, llavaMed: { correct: 32, of: 50 } },
    { organ: "Musculoskeletal", ours: { correct: 39, of: 50 }, llavaMed: { correct: 41, of: 50 } },
    { organ: "Brain and Neuro", ours: { correct: 14, of: 50 }, llavaMed: { correct: 22, of: 50 } },
  ],
};

/** Table 4 (without stage 1): word overlap, scored by the authors on prompt plus answer. */
export const PAPER_OVERLAP = {
  source: SOURCE.draft,
  medpix2: { rouge1: 0.311, rouge2: 0.167, rougeL: 0.308, bleu: 0.055 },
  roco_v2: { rouge1: 0.325, rouge2: 0.179, rougeL: 0.278, bleu: 0.059 },
  roco_medpix: { rouge1: 0.334, rouge2: 0.181, rougeL: 0.304, bleu: 0.077 },
} as const;

/** Training arguments (appendix B); the learning rate's cell is empty in the paper and comes from the draft. */
export const PAPER_TRAINING = {
  source: `${SOURCE.paper}, appendix B; learning rate and LoRA from the ${SOURCE.draft}`,
  learningRate: 1e-5,
  schedule: "constant",
  labelSmoothing: 0,
  weightDecay: 0,
  precision: "fp16",
  accumulation: 16,
  batchSize: 6,
  loraRank: 12,
  loraAlpha: 32,
} as const;
