import { rng } from "@lib/config/mod.ts";

/** Made-up sentences to train a small tokenizer on: questions, answers and captions of the kind that phantoms get. */
export function sentences(count: number): string[] {
  const random = rng("sentences");
  const pick = <T>(xs: readonly T[]) => xs[Math.floor(random() * xs.length)];
  const organs = ["liver", "left lung", "right kidney", "brain", "heart", "spleen"];
  const lesions = ["nodule", "cyst", "hemorrhage", "effusion"];
  const modes = ["ct", "mri", "x-ray"];
  return Array.from({ length: count }, () =>
    pick([
      () => `answer en which side is the ${pick(lesions)} on?`,
      () => `answer en is there a ${pick(lesions)} in the ${pick(organs)}? options: a) yes b) no`,
      () => `caption en`,
      () => `${pick(modes)} of the ${pick(organs)} with a ${pick(lesions)}, ${Math.floor(random() * 90)} mm`,
      () => pick([...organs, ...lesions, ...modes, "yes", "no", "left", "right"]),
    ])());
}
