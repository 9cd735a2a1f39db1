/** The executed course as a folder of static pages (`./lab site`). */
import { exists } from "@std/fs";
import { basename, dirname, join } from "@std/path";
import { z } from "zod";
import { makeFolder, paths, tiedCommand } from "../../config/mod.ts";
import { CHECK, visible } from "../../jupyter/mod.ts";
import { listNotebooks, listSolutions } from "./notebooks.ts";
import {
  closingChecks,
  type Facts,
  figuresBody,
  indexBody,
  type IndexEntry,
  type PageLink,
  renderPage,
  type SitePage,
} from "./site_page.ts";
import { readPart, type SitePart } from "./site_part.ts";
import type { SiteSource, SiteStage } from "./site_source.ts";
import { commitOf } from "./checkout.ts";

/** What becomes a page by nbconvert. */
export interface Document {
  /** The file that is read. */
  from: string;
  /** The file whose links lead where its readers know them: of an executed copy, the notebook in the course. */
  place: string;
  page: string;
  /** Of a file without a heading. */
  title?: string;
}

const pageOf = (notebook: string): string => `${basename(notebook, ".ipynb")}.html`;

/** Outputs of a run that lie at its top with this ending. */
const outputsOf = ({ run }: SiteStage, ending: string): string[] =>
  Object.keys(run.manifest.outputs).filter((name) => name.endsWith(ending) && !name.includes("/")).sort();

const Model = z.object({ model: z.object({ checkpoint: z.string() }) });

/** The model card of the base model, where it is in a folder that has one. */
async function baseCard({ stages }: SiteSource): Promise<Document | null> {
  const { model } = Model.parse(stages[0].run.manifest.config);
  const from = join(paths.root, model.checkpoint, "README.md");
  return await exists(from) ? { from, place: from, page: "base_model.html" } : null;
}

/** Has nbconvert write the HTML of documents into a folder, and what it looks like to `styles`. */
export async function convert(
  documents: readonly Document[],
  folder: string,
  styles: string,
  mark: string,
): Promise<void> {
  const script = join(paths.root, "lib/jupyter/notebook_html.py");
  const child = tiedCommand(join(paths.venv, "bin/python"), {
    args: [script],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const job = {
    mark,
    styles,
    documents: documents.map(({ from, page }) => ({ from, to: join(folder, page) })),
  };
  await new Blob([JSON.stringify(job)]).stream().pipeTo(child.stdin).catch(() => {}); // who ended says why below
  const { success, stderr } = await child.output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new Error(`nbconvert could not make the pages: ${said}.`);
}

const Executed = z.object({
  cells: z.array(z.object({
    outputs: z.array(z.object({ data: z.record(z.string(), z.unknown()).default({}) })).default([]),
  })),
});

/** What a stage's run left besides its notebook: pages that are copied, tables that become pages. */
async function indexEntry(
  stage: SiteStage,
  title: string,
  goal: string,
  tables: PageLink[],
): Promise<IndexEntry> {
  const { cells } = Executed.parse(JSON.parse(await Deno.readTextFile(stage.notebook)));
  const made = outputsOf(stage, ".html"), there: string[] = [];
  for (const name of made) if (await exists(stage.file(name))) there.push(name);
  return {
    page: `${stage.name}.html`,
    title,
    goal,
    checks: closingChecks(cells.flatMap(({ outputs }) => outputs.map(({ data }) => data)), CHECK),
    seconds: stage.run.manifest.seconds,
    links: [
      ...there.map((name) => ({ page: `runs/${stage.name}/${name}`, title: name.replace(/\.html$/, "") })),
      ...tables,
    ],
    missing: made.filter((name) => !there.includes(name)),
  };
}

/** Where the run comes from, as its manifests say. */
async function factsOf({ kind, stages }: SiteSource): Promise<Facts> {
  const manifests = stages.map(({ run }) => run.manifest), commit = await commitOf(paths.root);
  const all = (of: (manifest: typeof manifests[number]) => string) =>
    [...new Set(manifests.map(of))].join(", ");
  return {
    run: kind === "local" ? "the last tiny run of this installation" : "the recorded tiny run (results/tiny)",
    started: manifests.map(({ started }) => started).sort()[0].slice(0, 16).replace("T", " "),
    "configuration's SHA-256": all(({ configHash }) => configHash),
    seed: all(({ seed }) => `${seed}`),
    versions: all(({ versions }) =>
      Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")
    ),
    device: all(({ device }) => device),
    ...(commit === null ? {} : { "pages made at commit": commit }),
  };
}

/** Folders of KaTeX's fonts become part of its style sheet, since browsers refuse a file's fonts to another file. */
async function katexStyles(): Promise<string> {
  const read = (name: string) => Deno.readFile(new URL(import.meta.resolve(`katex/dist/${name}`)));
  const css = new TextDecoder().decode(await read("katex.min.css"));
  const sources = [...new Set([...css.matchAll(/url\((fonts\/[\w-]+\.woff2)\)/g)].map(([, name]) => name))];
  const fonts = new Map<string, string>();
  for (const name of sources) fonts.set(name, `data:font/woff2;base64,${(await read(name)).toBase64()}`);
  return css.replace(/src:url\((fonts\/[\w-]+\.woff2)\)[^;}]*/g, (_, name) => `src:url(${fonts.get(name)})`);
}

/** What the search finds: the sections of all pages. */
export function searchTexts(pages: readonly (PageLink & Pick<SitePart, "sections">)[]) {
  return pages.flatMap(({ page, title, sections }) =>
    sections.map(({ id, heading, text }) => ({
      page,
      id,
      title: visible(title),
      heading: visible(heading),
      text: visible(text),
    }))
  );
}

/** Writes the site's pages and files into an empty folder. */
export async function writeSite(source: SiteSource, folder: string): Promise<void> {
  for (const name of ["assets", "figures", "parts"]) await makeFolder(join(folder, name));
  const assets = (name: string) => join(folder, "assets", name), { stages } = source;
  const course: Document[] = (await listNotebooks()).map((place, i) => ({
    from: stages[i].notebook,
    place,
    page: pageOf(place),
  }));
  const solutions: Document[] = (await listSolutions()).map((place) => ({
    from: place,
    place,
    page: pageOf(place),
  }));
  const tables: Document[][] = stages.map((stage) =>
    outputsOf(stage, ".md").map((name) => ({
      from: stage.file(name),
      place: stage.file(name),
      page: `${stage.name}-${basename(name, ".md")}.html`,
      title: `${basename(name, ".md")} (${stage.name})`,
    }))
  );
  const card = await baseCard(source),
    documents = [...course, ...solutions, ...tables.flat(), ...card ? [card] : []];
  const mark = `tex-${crypto.randomUUID()}`;
  await convert(documents, join(folder, "parts"), assets("notebook.css"), mark);
  const pages = new Map(documents.map(({ place, page }) => [place, page]));
  const parts = new Map<string, SitePart>();
  for (const { from, page, place, title } of documents) {
    const text = await Deno.readTextFile(join(folder, "parts", page)), isNotebook = from.endsWith(".ipynb");
    parts.set(
      page,
      readPart(text, { mark, place, pages, title: title ?? basename(page, ".html"), isNotebook }),
    );
  }
  await Deno.remove(join(folder, "parts"), { recursive: true });
  const linkTo = ({ page }: Document): PageLink => ({ page, title: parts.get(page)!.title });
  const links = course.map(linkTo);

  const figures: { file: string; name: string; from: PageLink }[] = [];
  const entries: IndexEntry[] = [];
  for (const [i, stage] of stages.entries()) {
    for (
      const output of Object.keys(stage.run.manifest.outputs).filter((name) =>
        /^figures\/[^/]+\.png$/.test(name)
      )
    ) {
      const file = `figures/${stage.name}-${basename(output)}`;
      await Deno.copyFile(stage.file(output), join(folder, file));
      figures.push({ file, name: basename(output, ".png"), from: links[i] });
    }
    const entry = await indexEntry(
      stage,
      links[i].title,
      parts.get(links[i].page)!.goal,
      tables[i].map(linkTo),
    );
    for (const { page } of entry.links.filter(({ page }) => page.startsWith("runs/"))) {
      await makeFolder(dirname(join(folder, page)));
      await Deno.copyFile(stage.file(basename(page)), join(folder, page));
    }
    entries.push(entry);
  }
  const figurePage = { page: "figures.html", title: "Figures" };
  const others = [
    figurePage,
    ...card ? [{ ...linkTo(card), title: `model card: ${linkTo(card).title}` }] : [],
    ...solutions.map(linkTo),
  ];
  const turns: PageLink[] = [{ page: "index.html", title: "The executed course" }, ...links];
  const made: SitePage[] = [
    {
      ...turns[0],
      title: "RadVQA Lab: the executed course",
      body: indexBody(entries, { facts: await factsOf(source), notes: source.notes, others }),
    },
    { ...figurePage, body: figuresBody(figures) },
    ...documents.map((document) => {
      const part = parts.get(document.page)!;
      return { ...linkTo(document), body: part.html, hasFigures: part.hasFigures };
    }),
  ];
  for (const page of made) {
    const at = turns.findIndex((turn) => turn.page === page.page);
    const [previous, next] = at < 0 ? [turns[0], undefined] : [turns[at - 1], turns[at + 1]];
    await Deno.writeTextFile(join(folder, page.page), await renderPage({ ...page, previous, next }, links));
  }
  const texts = searchTexts(
    documents.map((document) => ({ ...linkTo(document), ...parts.get(document.page)! })),
  );
  await Deno.writeTextFile(assets("search.js"), `globalThis.siteTexts = ${JSON.stringify(texts)};\n`);
  await Deno.writeTextFile(assets("katex.css"), await katexStyles());
  for (const name of ["site.css", "site.js"]) {
    await Deno.copyFile(join(import.meta.dirname!, name), assets(name));
  }
  // All figures are drawn with it (lib/figures/render.ts), and it is a third of the whole plotly.js.
  await Deno.copyFile(
    new URL(import.meta.resolve("plotly.js/dist/plotly-cartesian.min.js")),
    assets("plotly.js"),
  );
}
