import { words } from "./lexicon.ts";

const ENGLISH = new Set(
  "the a an of is are in on at to and or with which what where how does do this that it there no not yes image shows shown"
    .split(" "),
);
/** Frequent words of other languages in Latin letters; none is an English word or a usual Latin term of radiology. */
const OTHER = new Set(
  ("el la los las una del qué cuál dónde cómo es está en con por para sí imagen le les une des du est dans sur quel quelle où " +
    "avec oui non der die das und ist ein eine auf welche welches wo wie ja nein im bild mit il gli della nel è quale che sì " +
    "o os uma da na não qual onde het een van welke waar dit")
    .split(" "),
);

/** Whether a text reads as English: Latin letters, and no fewer English function words than those of other languages. */
export function isEnglish(text: string): boolean {
  const letters = text.match(/\p{L}/gu) ?? [];
  const latin = letters.filter((letter) => /\p{Script=Latin}|\p{Script=Greek}/u.test(letter)).length;
  if (letters.length > 0 && latin / letters.length < 0.7) return false;
  const found = words(text);
  const count = (list: ReadonlySet<string>) => found.filter((word) => list.has(word)).length;
  return count(OTHER) <= count(ENGLISH);
}
