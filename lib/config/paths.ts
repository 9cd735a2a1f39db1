import { fromFileUrl, resolve } from "@std/path";

const root = resolve(fromFileUrl(import.meta.url), "../../..");

/** Where things lie. LAB_DATA_LOCAL and LAB_RESULTS move the two folders that grow. */
export const paths = {
  /** The repository. */
  root,
  /** What ships: manifests, evaluation id lists, the nano checkpoint. */
  data: resolve(root, "data"),
  /** Downloads and generated corpora (git-ignored). */
  local: resolve(root, Deno.env.get("LAB_DATA_LOCAL") ?? "data/local"),
  /** Run folders of the stages (git-ignored; the recorded tiny run is in results/tiny). */
  results: resolve(root, Deno.env.get("LAB_RESULTS") ?? "results/local"),
  /** Python environment with TensorFlow's libraries, Jupyter and the embedded language model. */
  venv: resolve(root, ".venv"),
} as const;
