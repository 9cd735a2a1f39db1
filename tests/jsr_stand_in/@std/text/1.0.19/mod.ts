/** Stand-in for jsr:@std/text: the functions this project uses, with the same signatures. */

/** How many characters must be put in, taken out or replaced to make one text of the other. */
export function levenshteinDistance(str1: string, str2: string): number {
  const from = [...str1], to = [...str2];
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  from.forEach((letter, i) => {
    const next = [i + 1];
    to.forEach((other, j) => {
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (letter === other ? 0 : 1)));
    });
    row = next;
  });
  return row[to.length];
}

/** Options of `closestString`. */
export interface ClosestStringOptions {
  caseSensitive?: boolean;
  compareFn?: (a: string, b: string) => number;
}

/** The word that is most like `givenWord`; the first of several. */
export function closestString(
  givenWord: string,
  possibleWords: ReadonlyArray<string>,
  options?: ClosestStringOptions,
): string {
  if (possibleWords.length === 0) throw new TypeError("closestString() needs at least one possible word");
  const { caseSensitive = false, compareFn = levenshteinDistance } = options ?? {};
  const form = (word: string) => caseSensitive ? word : word.toLowerCase();
  const distances = possibleWords.map((word) => compareFn(form(givenWord), form(word)));
  return possibleWords[distances.indexOf(Math.min(...distances))];
}
