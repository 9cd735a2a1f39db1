/** A document of the site as nbconvert wrote it (notebook_html.py), read and completed: links, mathematics, text to search. */
import { dirname, resolve } from "@std/path";
import { JSDOM } from "jsdom";
import katex from "katex";
import { html } from "../../jupyter/mod.ts";

/** A part of a document under one heading, for the search. */
export interface Section {
  /** Of the heading; empty before the first one. */
  id: string;
  heading: string;
  text: string;
}

/** A document of the site. */
export interface SitePart {
  /** Its first heading, or as given. */
  title: string;
  /** What its first paragraph says after "Goal."; empty where it does not. */
  goal: string;
  sections: Section[];
  /** HTML of the body. */
  html: string;
  /** Whether a figure of Plotly is in it. */
  hasFigures: boolean;
}

/** What is used of a document's tree. */
interface Tree {
  readonly localName?: string;
  readonly nodeType: number;
  readonly childNodes: Iterable<Tree>;
  readonly textContent: string;
  readonly id: string;
  readonly innerHTML: string;
  matches(selector: string): boolean;
  querySelector(selector: string): Tree | null;
  querySelectorAll(selector: string): Iterable<Tree>;
  getAttribute(name: string): string;
  setAttribute(name: string, value: string): void;
  replaceWith(...nodes: Tree[]): void;
}

const BLOCK = /^(p|div|li|td|th|tr|pre|h[1-6]|br|dt|dd|summary|figcaption|blockquote)$/;

const tidy = (text: string): string => text.replace(/\s+/g, " ").trim();

/** The text of a document by its headings: as it is read, without prompts, marks of headings and formulas. */
function sectionsOf(body: Tree, mark: string): Section[] {
  const skipped = `script, .anchor-link, .jp-InputPrompt, .jp-OutputPrompt, [class^="${mark}"]`;
  const sections = [{ id: "", heading: "", text: "" }];
  const visit = (node: Tree): void => {
    if (node.nodeType === 3) {
      sections.at(-1)!.text += node.textContent;
      return;
    }
    if (node.nodeType !== 1 || node.matches(skipped)) return;
    const heading = node.matches("h1[id], h2[id], h3[id]");
    if (heading) sections.push({ id: node.id, heading: "", text: "" });
    if (BLOCK.test(node.localName ?? "")) sections.at(-1)!.text += " ";
    for (const child of node.childNodes) visit(child);
    if (heading) Object.assign(sections.at(-1)!, { heading: tidy(sections.at(-1)!.text), text: "" });
  };
  visit(body);
  return sections.map(({ id, heading, text }) => ({ id, heading, text: tidy(text) }))
    .filter(({ heading, text }) => heading + text !== "");
}

/** Where a link leads on the site; null: to something that is not there. */
function target(href: string, place: string, pages: ReadonlyMap<string, string>): string | null {
  if (/^(#|https?:|mailto:)/i.test(href)) return href;
  if (/^[a-z][\w+.-]*:/i.test(href) || !URL.canParse(href, "file:///")) return null;
  const [path, anchor] = href.split(/(?=#)/, 2);
  const page = pages.get(resolve(dirname(place), decodeURIComponent(path)));
  return page === undefined ? null : `${page}${anchor ?? ""}`;
}

const entities: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#x27;": "'",
  "&amp;": "&",
};

/** Sets what notebook_html.py marked: as HTML by KaTeX's fonts, and as MathML for screen readers. */
function setMathematics(text: string, mark: string): string {
  const marked = new RegExp(`<span class="${mark}-(inline|display)">([^<]*)</span>`, "g");
  return text.replace(marked, (_, kind: string, escaped: string) => {
    const tex = escaped.replace(/&(?:lt|gt|quot|#x27|amp);/g, (entity) => entities[entity]);
    return katex.renderToString(tex, {
      displayMode: kind === "display",
      throwOnError: false,
      strict: "ignore",
    });
  });
}

/**
 * Reads a document.
 *
 * @param text HTML by notebook_html.py
 * @param mark with which that marked mathematics
 * @param place the file whose relative links these are
 * @param pages file -> page of the site; a link to any other file becomes text
 * @param title of a document that has none itself
 */
export function readPart(
  text: string,
  { mark, place, pages, title, isNotebook }: {
    mark: string;
    place: string;
    pages: ReadonlyMap<string, string>;
    title: string;
    isNotebook: boolean;
  },
): SitePart {
  const body: Tree = new JSDOM(text).window.document.body;
  for (const link of body.querySelectorAll("a[href]")) {
    const to = target(link.getAttribute("href"), place, pages);
    if (to === null) link.replaceWith(...link.childNodes);
    else link.setAttribute("href", to);
  }
  const sections = sectionsOf(body, mark);
  const first = tidy(body.querySelector("h1 ~ p")?.textContent ?? "");
  const hasTitle = body.querySelector("h1") !== null;
  const written = setMathematics(body.innerHTML, mark);
  return {
    title: hasTitle && sections.find(({ heading }) => heading !== "")?.heading || title,
    goal: first.match(/^Goal\. (.*)$/)?.[1] ?? "",
    sections,
    html: isNotebook
      ? written
      : `${hasTitle ? "" : html`<h1>${title}</h1>`}<div class="jp-RenderedHTMLCommon">${written}</div>`,
    hasFigures: body.querySelector(".figure > script") !== null,
  };
}
