const UTF8 = new TextEncoder();

/** Bytes of a name that Linux's file systems take. */
const MAX_NAME = 255;

/** Control characters, lone surrogates, line separators and marks that turn the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** A name that somebody else chose, in quotes, for a message: short, and nothing in it is invisible or moves a terminal. */
export function shownName(name: string): string {
  const short = name.length > 200 ? `${name.slice(0, 200)}...` : name;
  return JSON.stringify(short).replace(
    UNPRINTABLE,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Why a path that somebody else chose is not a path inside a folder, as the end of a sentence ("leaves the folder"); null when it is
 * one. It is used as it is or not at all: nothing is cleaned.
 */
export function unsafePath(path: string): string | null {
  if (path === "") return "has no usable name";
  if (path.search(UNPRINTABLE) >= 0) return "has a control or invisible character in its name";
  if (path.includes("\\")) return "has a backslash in its name";
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return "has an absolute path";
  const parts = path.split("/");
  if (parts.includes("..")) return "leaves the folder";
  if (parts.some((part) => part === "" || part === ".")) return "has an empty part in its path";
  if (path.length * 3 > MAX_NAME && parts.some((part) => UTF8.encode(part).length > MAX_NAME)) {
    return `has a name of more than ${MAX_NAME} bytes`;
  }
  return null;
}

/** Paths with the same key would be one file where upper and lower case, or composed and decomposed letters, are the same. */
export const pathKey = (path: string): string => path.normalize("NFC").toLowerCase();
