// The script of the page of answers. All data reaches the page as text, never as markup.
const { title, notice, images, questions, left } = pageData;
const PAGE = 40;
let shown = PAGE;

byId("title").textContent = visible(title);
if (notice) Object.assign(byId("notice"), { hidden: false, textContent: visible(notice) });

const FILTERS = {
  set: ({ testSet }) => [testSet],
  region: ({ region }) => [region ?? "(not known)"],
  kind: ({ kind }) => [kind],
  type: ({ type }) => [type ?? "(none)"],
  system: ({ systems }) => systems.map(({ name }) => name),
};
for (const [id, valuesOf] of Object.entries(FILTERS)) {
  const values = [...new Set(questions.flatMap(valuesOf))].sort();
  byId(id).append(
    element("option", "all", { value: "" }),
    ...values.map((value) => element("option", value, { value })),
  );
}

/** "right", "wrong" or "mixed", and "cut" where an answer was. */
function verdictsOf({ answers }) {
  const right = answers.filter((answer) => answer.right).length;
  const verdict = right === 0 ? "wrong" : right === answers.length ? "right" : "mixed";
  return answers.some(({ cut }) => cut) ? [verdict, "cut"] : [verdict];
}

function chosen() {
  const system = byId("system").value, verdict = byId("verdict").value;
  const words = byId("search").value.trim().toLowerCase();
  return questions.filter((question) => {
    for (const [id, valuesOf] of Object.entries(FILTERS)) {
      const value = byId(id).value;
      if (value && !valuesOf(question).includes(value)) return false;
    }
    const asked = question.systems.filter(({ name, answers }) =>
      answers.length && (!system || name === system)
    );
    if (verdict && !asked.some((one) => verdictsOf(one).includes(verdict))) return false;
    const texts = [question.question, question.reference, question.id].concat(
      asked.flatMap(({ answers }) => answers.map(({ text }) => text)),
    );
    return !words || texts.some((text) => text.toLowerCase().includes(words));
  });
}

/** Scores by every rule, folded up. */
function scoreDetails(scores) {
  const details = element("details", undefined, { className: "soft" });
  const text = scores.map(({ scorer, score }) => `${scorer} ${Number(score.toFixed(2))}`).join(" · ");
  details.append(element("summary", "scores"), element("span", text));
  return details;
}

/** Draws a map over a picture's patches: from transparent to orange at its maximum. */
function drawMap(canvas, { side, bytes }) {
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d"), pixels = context.createImageData(side, side);
  [...atob(bytes)].forEach((byte, i) => pixels.data.set([230, 97, 1, 0.75 * byte.charCodeAt(0)], 4 * i));
  context.putImageData(pixels, 0, 0);
}

/** A button that shows a system's map over the picture, and takes it away again. */
function mapButton(name, map, canvas) {
  const button = element("button", "map", { type: "button", className: "map" });
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const shows = button.getAttribute("aria-pressed") === "false";
    const all = button.closest("article").querySelectorAll("button.map");
    for (const other of all) other.setAttribute("aria-pressed", String(shows && other === button));
    canvas.hidden = !shows;
    if (!shows) return;
    drawMap(canvas, map);
    canvas.setAttribute("aria-label", visible(`Where ${name} looked for its answer (attention rollout)`));
  });
  return button;
}

function systemRow({ name, answers, scores, judge, map }, canvas) {
  const row = element("tr"), cell = element("td");
  for (const [i, { text, count, right, cut }] of answers.entries()) {
    const total = answers.reduce((sum, answer) => sum + answer.count, 0);
    const times = total > 1 ? ` ×${count}` : "", note = cut ? " (cut short)" : "";
    if (i > 0) cell.append(", ");
    cell.append(element("span", `${right ? "✓" : "✗"} ${text || "(empty)"}${times}${note}`, {
      className: right ? "right" : "wrong",
    }));
  }
  if (judge) {
    const opinion = judge.correct === null ? "no verdict" : judge.correct ? "correct" : "incorrect";
    cell.append(
      element("div", `judge: ${opinion}${judge.reason ? `, "${judge.reason}"` : ""}`, { className: "soft" }),
    );
  }
  if (map) cell.append(" ", mapButton(name, map, canvas));
  if (scores.length > 0) cell.append(scoreDetails(scores));
  row.append(element("th", name, { scope: "row" }), cell);
  return row;
}

function article({ id, testSet, region, kind, imageId, question, choices, reference, type, systems }) {
  const made = element("article"), body = element("div"), table = element("table");
  const system = byId("system").value, picture = element("div", undefined, { className: "picture" });
  const canvas = element("canvas", undefined, { hidden: true, role: "img" });
  const asked = systems.filter(({ name, answers }) => answers.length && (!system || name === system));
  table.append(...asked.map((one) => systemRow(one, canvas)));
  picture.append(
    element("img", undefined, { src: images[imageId], alt: visible(`Picture ${imageId}`), width: 160 }),
    canvas,
  );
  body.append(
    element("h2", question),
    ...(choices ? [element("div", choices.join(" | "), { className: "soft" })] : []),
    element("div", `Reference: ${reference}`),
    element("div", [testSet, region, kind, type, id].filter(Boolean).join(" · "), { className: "soft" }),
    table,
  );
  made.append(picture, body);
  return made;
}

function render() {
  const found = chosen();
  byId("list").replaceChildren(...found.slice(0, shown).map(article));
  byId("more").hidden = found.length <= shown;
  const rest = left > 0 ? `; ${left} more were asked and are not on this page` : "";
  byId("count").textContent = `${found.length} of ${questions.length} questions${rest}`;
}

byId("filters").addEventListener("input", () => {
  shown = PAGE;
  render();
});
byId("more").addEventListener("click", () => {
  shown += PAGE;
  render();
});
render();
