// What every page of the site runs: the search, and figures drawn by Plotly where there is room for them. From a file no page
// may fetch another: the texts to search come as a script, when the search is first used.
const byId = (id) => document.getElementById(id);
const element = (tag, text = "", about = {}) =>
  Object.assign(document.createElement(tag), { textContent: text }, about);
const box = byId("search"), found = byId("found");

let texts;
const loadTexts = () =>
  texts ??= new Promise((resolve, reject) => {
    const script = element("script", "", { src: "assets/search.js", onload: resolve, onerror: reject });
    document.head.append(script);
  }).then(() => globalThis.siteTexts);

const SHOWN = 20, AROUND = 70;

/** Sections with every word, those with words in headings first. */
function search(sections, words) {
  return sections.flatMap((section) => {
    const heading = `${section.title} ${section.heading}`.toLowerCase(), text = section.text.toLowerCase();
    if (!words.every((word) => heading.includes(word) || text.includes(word))) return [];
    return [{ section, score: words.filter((word) => heading.includes(word)).length }];
  }).sort((a, b) => b.score - a.score).map(({ section }) => section);
}

/** The text around its first word, words marked. */
function excerpt(text, words) {
  const small = text.toLowerCase(), at = words.map((word) => small.indexOf(word)).filter((i) => i >= 0);
  const middle = at.length > 0 ? Math.min(...at) : 0, start = Math.max(0, middle - AROUND);
  const part = text.slice(start, middle + 2 * AROUND), line = element("span", start > 0 ? "… " : "");
  for (let i = 0; i < part.length;) {
    const places = words.map((word) => ({ word, i: part.toLowerCase().indexOf(word, i) })).filter((one) =>
      one.i >= 0
    );
    const { word, i: next } = places.sort((a, b) => a.i - b.i || b.word.length - a.word.length)[0] ??
      { word: "", i: part.length };
    line.append(part.slice(i, next));
    if (word) line.append(element("mark", part.slice(next, next + word.length)));
    i = next + word.length;
  }
  return line;
}

async function show() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const sections = words.length > 0 ? search(await loadTexts(), words) : [];
  if (words.join(" ") !== box.value.toLowerCase().split(/\s+/).filter(Boolean).join(" ")) return; // typed on meanwhile
  found.hidden = words.length === 0;
  const list = element("ol");
  for (const { page, id, title, heading, text } of sections.slice(0, SHOWN)) {
    const link = element("a", heading && heading !== title ? `${title} › ${heading}` : title, {
      href: `./${page}${id ? `#${id}` : ""}`,
      onclick: () => void (found.hidden = true),
    });
    const item = element("li");
    item.append(link, element("br"), excerpt(text, words));
    list.append(item);
  }
  const count = sections.length > SHOWN ? `${SHOWN} of ${sections.length}` : `${sections.length}`;
  found.replaceChildren(element("p", sections.length === 0 ? "Nothing found." : `${count} found`), list);
}

box.addEventListener("focus", loadTexts);
box.addEventListener("input", show);
box.addEventListener("keydown", (event) => event.key === "Enter" && found.querySelector("a")?.click());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") found.hidden = true;
  if (event.key !== "/" || event.target.matches("input, textarea")) return;
  event.preventDefault();
  box.focus();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search")) found.hidden = true;
});

/** Draws a figure in its picture's place, as long as it fits there; the picture is for narrow windows and for paper. */
function drawWhereItFits(figure) {
  const picture = figure.querySelector("img"), spec = JSON.parse(figure.querySelector("script").textContent);
  let drawn;
  new ResizeObserver(() => {
    const fits = figure.clientWidth >= (spec.layout?.width ?? 700);
    if (fits && !drawn) {
      drawn = element("div", "", { className: "drawn", role: "img", ariaLabel: picture.alt });
      figure.append(drawn);
      globalThis.Plotly.newPlot(drawn, spec.data, spec.layout, { displaylogo: false, showTips: false });
    }
    figure.classList.toggle("is-drawn", fits);
  }).observe(figure);
}
if (globalThis.Plotly) document.querySelectorAll(".figure:has(> script)").forEach(drawWhereItFits);
