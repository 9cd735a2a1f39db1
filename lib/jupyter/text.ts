/**
 * Text from data, models, servers, cards, file names and errors on its way to people. Whatever it holds, it is shown as
 * text: it never becomes markup, script, mathematics, a link or a command to a terminal, and nothing of it is hidden.
 */

/**
 * Makes seen what would act or hide: control characters (terminal sequences, NUL), marks that turn the direction of
 * writing, characters without width, half surrogates and noncharacters are written as `<U+001B>`. Line feeds and tabs
 * stay; a carriage return before a line feed goes.
 */
export function visible(text: string): string {
  // It stands on its own, because `fillPage` gives its source to pages. U+FE0E and U+FE0F choose the look of an emoji.
  return text.replaceAll("\r\n", "\n").replace(
    /(?![\t\n\uFE0E\uFE0F])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}]/gu,
    (c) => `<U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}>`,
  );
}

/** `visible`, and on one line: line feeds are written as `⏎`, so that a text cannot pretend to be the next line. */
export const oneLine = (text: string): string => visible(text).replaceAll("\n", "⏎").replaceAll("\t", " ");

const entity = (c: string): string => `&#${c.charCodeAt(0)};`;

/** Text for HTML, also inside quoted attributes. In cells use `html`, which cannot be forgotten. */
export const escapeHtml = (value: unknown): string => visible(String(value)).replace(/[&<>"'`]/g, entity);

/** Text for HTML between tags: MathJax finds no mathematics where each `$` and `\` stands in an element of its own. */
const htmlText = (value: unknown): string =>
  escapeHtml(value).replace(/[$\\]/g, (c) => `<span>${entity(c)}</span>`);

/**
 * What Markdown may read as markup: everywhere, at the beginning of a line (lists, headings, quotes, indented code), and
 * in what GitHub makes links and pictures of (`://`, `www.`, `:name:`).
 */
const ACTIVE =
  /[&<>"'`$\\*_[\]|~@\n\t]|(?<=^ *)[ !-\/:-@[-`{-~]|(?<=^ *\d+)[.)]| (?= )|:(?=\/\/|[\w+-]+:)|(?<=\bwww)\./gi;

/**
 * Text for a Markdown paragraph, heading, list or cell of a table, on one line (line feeds become `<br>`). It is as it
 * was when rendered as CommonMark or GitHub's Markdown, with or without HTML and mathematics.
 */
export function escapeMarkdown(value: unknown): string {
  return visible(String(value)).replace(ACTIVE, (c) => {
    if (c === "\n") return "<br>";
    if ("$\\".includes(c)) return `<span>${entity(c)}</span>`;
    return "&<>\"'` \t".includes(c) ? entity(c) : `\\${c}`;
  });
}

/** HTML of which every foreign part is escaped. */
export class Html {
  /** Made by `html` alone. */
  constructor(readonly text: string) {}
  /** The markup. */
  toString(): string {
    return this.text;
  }
}

/** Markdown of which every foreign part is escaped, and the same as plain text. */
export class Markdown {
  /** Made by `md` alone; `plain` is the text without markup. */
  constructor(readonly text: string, readonly plain: string) {}
  /** The markup. */
  toString(): string {
    return this.text;
  }
}

/** A part of a template: what was made by the same tag as it is, lists joined, all else escaped. */
function part<T>(
  value: unknown,
  own: (value: unknown) => value is T,
  text: (of: T) => string,
  escape: (of: unknown) => string,
): string {
  if (Array.isArray(value)) return value.map((one) => part(one, own, text, escape)).join("");
  return own(value) ? text(value) : escape(value);
}

const isHtml = (value: unknown): value is Html => value instanceof Html;
const isMarkdown = (value: unknown): value is Markdown => value instanceof Markdown;

/**
 * HTML whose tags are those of the template: each value is escaped, but what `html` made itself, or a list of that.
 * Attributes must be in quotes.
 *
 * @throws where a value would begin an address or a handler, such as `href="${value}"`.
 *
 * @example Data never becomes markup
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { html } from "@lib/jupyter/mod.ts";
 *
 * const answer = "<left>";
 * assertEquals(String(html`<p>${answer}</p>`), "<p>&#60;left&#62;</p>");
 * ```
 */
export function html(literals: TemplateStringsArray, ...values: unknown[]): Html {
  let text = literals[0];
  values.forEach((value, i) => {
    const inTag = text.lastIndexOf("<") > text.lastIndexOf(">");
    const [, name] = text.match(/\b(href|src|action|on\w+)\s*=\s*["']?$/i) ?? [];
    if (name) throw new Error(`html: expected the beginning of ${name} in the template, found a value.`);
    text += part(value, isHtml, (own) => own.text, inTag ? escapeHtml : htmlText) + literals[i + 1];
  });
  return new Html(text);
}

/**
 * Markdown whose markup is that of the template: each value is escaped, but what `md`, `code` and `fence` made, or a list
 * of that.
 *
 * @example An answer in a sentence
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { md } from "@lib/jupyter/mod.ts";
 *
 * assertEquals(md`**Answer:** ${"left *lung*"}`.plain, "**Answer:** left *lung*");
 * ```
 */
export function md(literals: TemplateStringsArray, ...values: unknown[]): Markdown {
  const fill = (text: (own: Markdown) => string, escape: (value: unknown) => string) =>
    values.reduce<string>(
      (sum, value, i) => sum + part(value, isMarkdown, text, escape) + literals[i + 1],
      literals[0],
    );
  return new Markdown(
    fill((own) => own.text, escapeMarkdown),
    fill((own) => own.plain, (v) => visible(String(v))),
  );
}

/** Text in a fixed-width font inside a line of Markdown. */
export const code = (text: string): Markdown =>
  new Markdown(`<code>${escapeMarkdown(text)}</code>`, visible(text));

/** Text as a block of Markdown of its own, line by line as it is, between fences longer than any in it. */
export function fence(text: unknown): Markdown {
  const shown = visible(String(text));
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = "`".repeat(longest + 1);
  return new Markdown(`\n\n${ticks}text\n${shown}\n${ticks}\n\n`, `\n${shown}\n`);
}
