import type { Accuracy } from "./measure.ts";

/** What was measured when the nano base was made. */
export interface NanoMeasurement {
  /** Numbers in the model. */
  parameters: number;
  /** Steps of the two parts of pre-training. */
  steps: { vision: number; language: number };
  /** Time of the first. */
  visionMinutes: number;
  /** Time of the second. */
  languageMinutes: number;
  /** Processor time of both, user and system. */
  cpuMinutes: number;
  /** Held-out questions in the style of the pre-training, per type. */
  generic: Record<string, Accuracy>;
  /** The same questions with grey images: what the words alone give away. */
  blank: Record<string, Accuracy>;
  /** Questions in the style to which the stages adapt the model. */
  shifted: Record<string, Accuracy>;
}

const percent = ({ accuracy, low, high }: Accuracy) =>
  `${(100 * accuracy).toFixed(0)} [${(100 * low).toFixed(0)}, ${(100 * high).toFixed(0)}]`;

/** The card (README.md) of the nano checkpoint. */
export function cardText(m: NanoMeasurement): string {
  const rows = Object.keys(m.generic).map((type) =>
    `| ${type} | ${m.generic[type].total} | ${percent(m.generic[type])} | ${percent(m.blank[type])} | ${
      percent(m.shifted[type])
    } |`
  );
  return `---
license: apache-2.0
pipeline_tag: image-text-to-text
demonstration: true
notice: "demonstration model trained on synthetic images; the answer has no medical meaning"
---
# Nano PaliGemma

A PaliGemma of ${
    m.parameters.toLocaleString("en")
  } parameters (SigLIP 3 x 96, Gemma 3 x 96, 112 px, 64 image tokens, BPE vocabulary of 1,024), trained
from nothing on drawn phantoms. It exists so that the whole pipeline runs in minutes on a CPU: **it stands in for a
PaliGemma whose towers are already trained**, and knows nothing of real radiology. Its answers have no medical meaning.

## How it was made
\`./lab pretrain-nano\` (lib/nano), deterministic from fixed seeds but for rounding between machines:
1. vision tower: ${m.steps.vision} steps of 32 phantoms on patch labels (organ or lesion class, side of the midline, modality):
   ${
    m.visionMinutes.toFixed(1)
  } minutes on 2 CPU cores. Lesion masks are used as labels here, so its features are local by construction.
2. projector and language model: ${m.steps.language} steps of 32 captions, questions and multiple choice, tower frozen: ${
    m.languageMinutes.toFixed(1)
  } minutes.

Both together took ${m.cpuMinutes.toFixed(1)} minutes of processor time.

## Accuracy
Share of held-out questions answered word for word by greedy generation, in percent with 95 % Wilson intervals. *Blank*:
the same questions with a grey image. *Shifted*: the style that stages 1 and 2 adapt the model to (other contrast, noise
and polarity), before any adaptation.

| question type | n | generic | blank image | shifted |
|---|---|---|---|---|
${rows.join("\n")}
`;
}
