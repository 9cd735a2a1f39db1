/** The pages of a site: what all of them share, and the two that are not notebooks: the index and the figures. */
import { join } from "@std/path";
import { CheckResult, escapeHtml, type Html, html } from "../../jupyter/mod.ts";
import { formatSeconds } from "./time.ts";

/** A page as the navigation knows it. */
export interface PageLink {
  /** File name in the site's folder. */
  page: string;
  title: string;
}

/** What a page shows. */
export interface SitePage extends PageLink {
  /** HTML of the body: made by `html`, or by nbconvert of what `notebook_html.py` lets through. */
  body: string;
  /** Whether a script is to draw figures. */
  hasFigures?: boolean;
  previous?: PageLink;
  next?: PageLink;
}

/** What the index says of a notebook. */
export interface IndexEntry extends PageLink {
  goal: string;
  /** The closing checks as they were shown: "✓ rows are accounted for: yes". */
  checks: string[];
  seconds: number;
  links: PageLink[];
  /** Pages that the run made and that are not in its record. */
  missing: string[];
}

/** What the index says of the run: name -> value. */
export type Facts = Readonly<Record<string, string>>;

/** The closing checks among a notebook's outputs. What is none, in the form that `check` writes, is not among them. */
export function closingChecks(outputs: readonly Readonly<Record<string, unknown>>[], type: string): string[] {
  return outputs.flatMap((data) => {
    const check = CheckResult.safeParse(data[type]);
    return check.success ? [check.data.text] : [];
  });
}

const link = ({ page, title }: PageLink, about = html``): Html =>
  html`<a ${about} href="./${page}">${title}</a>`;

/** The two digits of a notebook's page. */
const digits = (page: string): string => page.slice(0, 2);

function navigation(current: string, course: readonly PageLink[]): Html {
  const here = (page: string) => page === current ? html`aria-current="page"` : html``;
  return html`${link({ page: "index.html", title: "RadVQA Lab" }, here("index.html"))}<ol>${
    course.map(({ page, title }) =>
      html`<li><a ${here(page)} title="${title}" aria-label="${title}" href="./${page}">${
        digits(page)
      }</a></li>`
    )
  }</ol>`;
}

/** A page as HTML. */
export async function renderPage(
  { page, title, body, hasFigures = false, previous, next }: SitePage,
  course: readonly PageLink[],
): Promise<string> {
  const shell = await Deno.readTextFile(join(import.meta.dirname!, "site_shell.html"));
  const scripts = hasFigures ? ["plotly", "site"] : ["site"];
  const parts: Record<string, string> = {
    __TITLE__: escapeHtml(page === "index.html" ? title : `${title} · RadVQA Lab`),
    __SCRIPTS__: scripts.map((name) => html`<script defer src="assets/${name}.js"></script>`.text).join(
      "\n    ",
    ),
    __NAVIGATION__: navigation(page, course).text,
    __BODY__: body,
    __TURN__:
      html`${previous ? link({ ...previous, title: `← ${previous.title}` }, html`rel="prev"`) : ""}${
        next ? link({ ...next, title: `${next.title} →` }, html`rel="next"`) : ""
      }`.text,
    __FOOTER__: html`Not for clinical use. These pages ask no server for anything.`.text,
  };
  return shell.replace(/__(?:TITLE|SCRIPTS|NAVIGATION|BODY|TURN|FOOTER)__/g, (place) => parts[place]);
}

function entryHtml({ page, title, goal, checks, seconds, links, missing }: IndexEntry): Html {
  return html`
    <li>
      <h2>${link({ page, title })}</h2>
      <p>${goal}</p>
      <ul class="checks">${checks.map((text) => html`<li>${text}</li>`)}</ul>
      <p class="links">ran for ${formatSeconds(seconds)}${links.map((each) =>
        html`
          · ${link(each)}
        `
      )}${missing.length > 0
        ? html`
          · not recorded: ${missing.join(", ")}
        `
        : ""}</p>
    </li>
  `;
}

/** The index: of which run these pages are, and the notebooks in order. */
export function indexBody(
  entries: readonly IndexEntry[],
  { facts, notes, others }: { facts: Facts; notes: readonly string[]; others: readonly PageLink[] },
): string {
  return html`
    <h1>RadVQA Lab: the executed course</h1>
    <p>Radiology visual question answering with a lightweight vision language model, from raw data to saliency.</p>
    <p>Shown here: ${facts.run}, started ${facts.started} (UTC). <a href="#run">More about it</a></p>
    ${notes.length > 0
      ? html`<ul class="notes" aria-label="Notes on this run">${
        notes.map((note) => html`<li>${note}</li>`)
      }</ul>`
      : ""}
    <ol class="course">${entries.map(entryHtml)}</ol>
    <p>Also here: ${others.map((other, i) => html`${i > 0 ? ", " : ""}${link(other)}`)}.</p>
    <h2 id="run">The run shown here</h2>
    <dl class="facts">${Object.entries(facts).map(([name, value]) =>
      html`
        <dt>${name}</dt>
        <dd>${value}</dd>
      `
    )}</dl>
  `.text;
}

/** All figures of the run as pictures. */
export function figuresBody(figures: readonly { file: string; name: string; from: PageLink }[]): string {
  return html`
    <h1>Figures</h1>
    <p>In the notebooks most of them show values under the pointer.</p>
    <div class="figures">
        ${figures.map(({ file, name, from }) =>
          html`
            <figure>
              <a
                href="./${file}"><img loading="lazy" alt="Figure ${name} of ${from
                  .title}" src="./${file}"></a>
              <figcaption>${name}, from ${link(from)}</figcaption>
            </figure>
          `
        )}
        </div>
  `.text;
}
