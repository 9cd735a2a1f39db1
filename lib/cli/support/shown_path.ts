import { relative } from "@std/path";
import { paths } from "../../config/mod.ts";

/** A path as a person is told it: what lies in the installation from there on, all else whole. */
export function shownPath(path: string): string {
  const inside = relative(paths.root, path);
  return inside.startsWith("..") ? path : inside;
}
