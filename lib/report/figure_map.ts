import type { StageInput } from "../artifacts/mod.ts";
import { sha256File } from "../config/mod.ts";

/** An item of the paper, the notebook that makes it and the file where it lies. */
export interface MapEntry {
  /** "Figure 1", "Table 4", ... */
  item: string;
  /** What it shows. */
  what: string;
  /** The stage that makes it. */
  stage: string;
  /** Output of the stage's run. */
  file: string;
}

const figure = (item: string, what: string, stage: string, name: string): MapEntry => ({
  item,
  what,
  stage,
  file: `figures/${name}.png`,
});

/** Every figure, table and equation of the paper. */
export const FIGURE_MAP: readonly MapEntry[] = [
  figure("Figure 1", "architecture", "00_start_here", "figure1"),
  figure("Figure 2", "training recipe", "00_start_here", "figure2"),
  figure("Figure 3", "concepts per dataset", "01_data", "figure3"),
  figure("Figure 4", "MedPix curation by location", "03_annealing", "figure4"),
  figure("Figure 5a", "evaluation loss, open questions", "05_stage2", "figure5a"),
  figure("Figure 5b (SLAKE)", "evaluation loss of stage 1", "04_stage1", "figure5b_slake"),
  figure("Figure 5b (PMC-VQA)", "evaluation loss, closed questions", "05_stage2", "figure5b"),
  figure("Figure 5b (MIMIC-CXR)", "the paper's curve of closed questions", "05_stage2", "figure5b"),
  figure("Figure 6", "questions with answers", "06_evaluation", "figure6"),
  figure("Figure 7", "saliency maps, rollout among them", "07_saliency", "figure7c"),
  { item: "Figure 8", what: "teacher's prompt, cases", stage: "02_synthesis", file: "prompts.json" },
  { item: "Figure 9", what: "teacher's prompt, captions", stage: "02_synthesis", file: "prompts.json" },
  { item: "Figure 10", what: "judge's prompt", stage: "06_evaluation", file: "figure10.md" },
  { item: "Equation 1", what: "scaling law", stage: "05_stage2", file: "scaling_law.json" },
  figure("Equation 2", "image to response", "07_saliency", "figure7b"),
  { item: "Table 1", what: "accuracy with and without stage 1", stage: "06_evaluation", file: "table1.md" },
  { item: "Table 2", what: "accuracy by organ", stage: "07_saliency", file: "table2.md" },
  { item: "Table 4", what: "ROUGE and BLEU", stage: "06_evaluation", file: "table4.md" },
  { item: "Table 5", what: "beside LLaVA-Med", stage: "06_evaluation", file: "table5.md" },
  { item: "Appendix B", what: "training arguments", stage: "05_stage2", file: "manifest.json" },
];

/** Whether a stage's run holds the file of an entry, and the file is still what the run wrote. */
export async function hasFile(
  { stage, file }: MapEntry,
  inputs: Readonly<Record<string, StageInput>>,
): Promise<boolean> {
  const input = inputs[stage];
  if (!input) return false;
  if (file === "manifest.json") return true; // opening the input has read it
  const output = input.manifest.outputs[file];
  if (!output) return false;
  try {
    return await sha256File(input.file(file)) === output.sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Where the paper's text, its authors' code and its numbers part, and what is done here. */
export const DEVIATIONS: readonly { subject: string; paper: string; found: string; here: string }[] = [
  {
    subject: "image tokens",
    paper: "784 image tokens",
    found: "448 px and patches of 14 give 32 × 32 = 1,024",
    here: "computed from the checkpoint's config",
  },
  {
    subject: "ROCO",
    paper: "ROCOv2",
    found: "the code loads ROCO v1 (ids ROCO_xxxxx)",
    here: "ROCOv2's own files and splits",
  },
  {
    subject: "LoRA modules",
    paper: "attention of both towers",
    found: "the draft adds the MLP's up and down projections",
    here: "attention of both towers, SigLIP's out_proj included",
  },
  {
    subject: "image at inference",
    paper: "the model sees image and question",
    found: "the MedPix inference script never passes the image",
    here: "controls with grey and other images in every cell",
  },
  {
    subject: "ROUGE and BLEU",
    paper: "of the generated answers",
    found: "prompt plus answer was scored",
    here: "answers only, beside the copied question",
  },
  {
    subject: "chest X-ray curve",
    paper: "evaluation loss",
    found: "the points are training loss",
    here: "the paper's points drawn and named so; ours are of held-out pairs",
  },
  {
    subject: "equation 2",
    paper: "the image patch is the query",
    found: "the code reads the answer's rows by column",
    here:
      "all readings: the masked row, which is zero, the softmax over the answer alone, the column of raw attention and of rollout",
  },
  {
    subject: "rollout",
    paper: "attention rollout with skip connections",
    found: "diagonal of the image part, product in reverse order, discard ratio on the first row only",
    here: "Abnar and Zuidema's, compared with the diagonal",
  },
  {
    subject: "figure 7's model",
    paper: "the adapted PaliGemma",
    found: "a stock LLaVA-Gemma in the saliency tool",
    here: "the adapted model itself",
  },
  {
    subject: "robustness rule",
    paper: "different answers in three or more of five; one point off",
    found: "no code; both halves can be read in three ways",
    here: "all nine readings",
  },
  {
    subject: "judge",
    paper: "GPT-4, correct or incorrect",
    found: "no agreement with people reported",
    here: "agreement (kappa) printed beside every judged number",
  },
  {
    subject: "splits and seeds",
    paper: "one split",
    found: "three different splits, test cases in the training data, no seeds",
    here: "official splits, a leakage audit, one seed",
  },
  {
    subject: "200 questions",
    paper: "34% to 37% is an improvement",
    found: "the intervals overlap almost wholly",
    here: "intervals, paired tests, detectable differences",
  },
  {
    subject: "equation 1",
    paper: "a scaling law is stated",
    found: "it is never fitted",
    here: "fitted to final losses of independent runs, with the error on sizes left out and warnings",
  },
  {
    subject: "missing code",
    paper: "stage 1, PMC-VQA, judge, five runs, annealing mix",
    found: "not published",
    here: "written from the paper's text",
  },
];
