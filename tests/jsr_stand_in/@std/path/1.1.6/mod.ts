/** Stand-in for jsr:@std/path: the functions this project uses, with the same signatures. */
import * as path from "node:path";
import { fileURLToPath } from "node:url";

const text = (value: string | URL): string => typeof value === "string" ? value : fromFileUrl(value);

/** Joins and normalises path segments. */
export function join(first?: string | URL, ...rest: string[]): string {
  return first === undefined ? "." : path.join(text(first), ...rest);
}

/** The folder of a path. */
export function dirname(value: string | URL): string {
  return path.dirname(text(value));
}

/** The last part of a path, without `suffix`. */
export function basename(value: string | URL, suffix = ""): string {
  return path.basename(text(value), suffix);
}

/** An absolute path. */
export function resolve(...segments: string[]): string {
  return path.resolve(...segments);
}

/** The path from one place to another. */
export function relative(from: string, to: string): string {
  return path.relative(from, to);
}

/** The extension of a path, with its dot. */
export function extname(value: string | URL): string {
  return path.extname(text(value));
}

/** The path of a file URL. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}
