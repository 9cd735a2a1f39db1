import { fromFileUrl, resolve } from "@std/path";

const root = resolve(fromFileUrl(import.meta.url), "../../..");
const home = resolve(Deno.env.get("LAB_HOME") || root);

/** Where things lie. LAB_HOME gives a user a folder apart; LAB_DATA_LOCAL and LAB_RESULTS move the two that grow. */
export const paths = {
  /** The repository. */
  root,
  /** What belongs to one user lies under it (LAB_HOME, else the repository). */
  home,
  /** What ships: manifests, evaluation id lists, the nano checkpoint. */
  data: resolve(root, "data"),
  /** Downloads and generated corpora (git-ignored). */
  local: resolve(home, Deno.env.get("LAB_DATA_LOCAL") ?? "data/local"),
  /** Run folders of the stages (git-ignored; the recorded tiny run is in results/tiny). */
  results: resolve(home, Deno.env.get("LAB_RESULTS") ?? "results/local"),
  /** Python environment with TensorFlow's libraries, Jupyter and the embedded language model. */
  venv: resolve(root, ".venv"),
} as const;
