// The grading page's script. All data reaches the page as text, never as markup.
const { version, scale, key, rule, answers, stored } = pageData;
const VERDICTS = [["correct", "Correct", "c"], ["incorrect", "Incorrect", "i"], [
  "unsure",
  "Cannot tell",
  "t",
]];
const storeKey = `radvqa-grading/${scale}/${key}`;

/** Hash of an answer -> grade; what this browser remembers goes before what was stored when the page was made. */
const grades = new Map((remembered(storeKey) ?? stored).map((grade) => [grade.answer, grade]));

let here = 0;
const verdictOf = (index) => grades.get(answers[index].sha256)?.verdict ?? null;

function button(label, shortcut, pressed, action) {
  const made = element("button", `${label} `, { type: "button" });
  if (pressed !== null) made.setAttribute("aria-pressed", String(pressed));
  made.append(element("kbd", shortcut));
  made.addEventListener("click", (event) => {
    event.stopPropagation(); // the answer that it stands in may no longer be the one that keys are about
    action();
  });
  return made;
}

/** Draws one answer anew. */
function draw(index) {
  const { question, reference, answer } = answers[index], verdict = verdictOf(index);
  const texts = element("dl"), buttons = element("div", undefined, { className: "buttons" });
  texts.append(element("dt", "Reference"), element("dd", reference));
  texts.append(element("dt", "Answer"), element("dd", answer.trim() || "(empty)"));
  buttons.append(
    ...VERDICTS.map(([name, label, shortcut]) =>
      button(label, shortcut, verdict === name, () => {
        go(index);
        grade(name);
      })
    ),
  );
  if (verdict) {
    buttons.append(
      button("Undo", "u", null, () => {
        go(index);
        grade(null);
      }),
    );
  }
  const article = byId("answers").children[index];
  article.dataset.verdict = verdict ?? "";
  article.replaceChildren(element("h2", question), texts, buttons);
}

/** Grades the answer that keys are about; a grade leads on to the next answer. */
function grade(verdict) {
  const { id, sha256 } = answers[here];
  if (verdict) grades.set(sha256, { id, answer: sha256, verdict, time: new Date().toISOString() });
  else grades.delete(sha256);
  remember(storeKey, [...grades.values()]);
  draw(here);
  count();
  go(verdict ? Math.min(here + 1, answers.length - 1) : here);
}

/** Marks an answer as the one that keys are about, and lets a screen reader read it. */
function go(index) {
  const list = byId("answers").children;
  list[here]?.classList.remove("here");
  here = index;
  list[here]?.classList.add("here");
  list[here]?.focus({ preventScroll: true });
  list[here]?.scrollIntoView({ block: "nearest" });
}

function next() {
  const after = [...answers.keys()].map((i) => (here + 1 + i) % answers.length);
  const open = after.find((i) => !verdictOf(i));
  if (open !== undefined) go(open);
}

function count() {
  const of = (verdict) => answers.filter((_, i) => verdictOf(i) === verdict).length;
  const [correct, incorrect, unsure] = VERDICTS.map(([name]) => of(name));
  const done = correct + incorrect + unsure;
  byId("bar").max = answers.length || 1;
  byId("bar").value = done;
  byId("count").textContent =
    `${done} of ${answers.length} graded: ${correct} correct, ${incorrect} incorrect, ${unsure} cannot tell`;
}

function download() {
  const shown = new Set(answers.map(({ sha256 }) => sha256)), time = new Date().toISOString();
  const back = stored.filter(({ answer }) => !grades.has(answer))
    .map(({ id, answer }) => ({ id, answer, verdict: "undecided", time }));
  const own = [...grades.values()].filter(({ answer }) => shown.has(answer));
  downloadJson("grading.json", { version, scale, grades: [...own, ...back] });
}

const KEYS = {
  j: () => go(Math.min(here + 1, answers.length - 1)),
  k: () => go(Math.max(here - 1, 0)),
  n: next,
  ...Object.fromEntries(VERDICTS.map(([name, , shortcut]) => [shortcut, () => grade(name)])),
  u: () => grade(null),
  s: download,
  "?": () => byId("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (byId("keys").open || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  if (answers.length > 0 || "s?".includes(event.key)) KEYS[event.key]();
});
byId("next").addEventListener("click", () => answers.length > 0 && next());
byId("help").addEventListener("click", KEYS["?"]);
byId("download").addEventListener("click", download);

byId("rule").textContent = visible(rule);
answers.forEach((_, i) => {
  const article = element("article", undefined, { className: "card", tabIndex: -1 });
  article.addEventListener("click", () => i !== here && go(i));
  byId("answers").append(article);
  draw(i);
});
if (answers.length === 0) byId("answers").append(element("p", "This run has no open answers to grade."));
else byId("answers").children[0].classList.add("here");
count();
