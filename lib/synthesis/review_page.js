// The review page's script. All data reaches the page as text, never as markup.
const { version, scale, key, pairs, images } = pageData;
const SAID = { accept: "accepted", reject: "rejected", edit: "edited" };
const storeKey = `radvqa-review/${scale}/${key}`;

/** Pair id -> decision; what this browser remembers goes before what was stored when the page was made. */
const stored = pairs.flatMap(({ decision }) => decision ? [decision] : []);
const decisions = new Map((remembered(storeKey) ?? stored).map((decision) => [decision.id, decision]));

let here = 0;

function button(label, shortcut, action) {
  const made = element("button", `${label} `);
  made.type = "button";
  made.append(element("kbd", shortcut));
  made.addEventListener("click", action);
  return made;
}

const shownText = (pair) => {
  const decision = decisions.get(pair.id);
  return decision?.verdict === "edit" ? decision : pair;
};

/** Draws one pair anew. */
function draw(index) {
  const pair = pairs[index], decision = decisions.get(pair.id), { question, answer } = shownText(pair);
  const body = element("div");
  body.append(
    element("p", pair.caption ?? "no caption", { className: "caption" }),
    element("p", question, { className: "question" }),
    element("p", answer, { className: "answer" }),
  );
  if (question !== pair.original.question || answer !== pair.original.answer) {
    body.append(
      element("p", `The teacher wrote: ${pair.original.question} – ${pair.original.answer}`, {
        className: "original",
      }),
    );
  }
  if (pair.choices) {
    const list = element("ul", undefined, { className: "options" });
    for (const choice of pair.choices) {
      const right = choice === pair.answer;
      list.append(element("li", right ? answer : choice, { className: right ? "right" : "" }));
    }
    body.append(list);
  }
  const verdicts = element("p", pair.failed.length ? "Filters: " : "Passed all filters.", {
    className: "verdicts",
  });
  verdicts.append(element("span", pair.failed.join("; "), { className: "bad" }));
  body.append(verdicts, element("p", `${pair.id} · ${pair.prompt} · ${pair.model}`, { className: "origin" }));
  if (decision) {
    body.append(
      element("p", SAID[decision.verdict] + (decision.reason ? `: ${decision.reason}` : ""), {
        className: "said",
      }),
    );
  }
  const buttons = element("div", undefined, { className: "buttons" });
  buttons.append(
    button("Accept", "a", () => decide(index, { verdict: "accept" })),
    button("Reject", "r", () => ask(index, "reject")),
    button("Edit", "e", () => ask(index, "edit")),
  );
  if (decision) buttons.append(button("Undo", "u", () => decide(index, null)));
  body.append(buttons);
  const picture = element("img");
  picture.src = images[pair.image] ?? "";
  picture.alt = visible(`image ${pair.image}`);
  const article = byId("pairs").children[index];
  article.dataset.verdict = decision?.verdict ?? "";
  article.replaceChildren(picture, body);
}

/** Asks for a reason, or for question and answer, in the pair itself. */
function ask(index, verdict) {
  go(index);
  draw(index);
  const { question, answer } = shownText(pairs[index]);
  const fields = verdict === "edit"
    ? { question, answer }
    : { reason: decisions.get(pairs[index].id)?.reason ?? "" };
  const form = element("form");
  for (const [name, value] of Object.entries(fields)) {
    const input = element("input");
    Object.assign(input, { name, value, placeholder: name === "reason" ? "why?" : name, ariaLabel: name });
    input.required = verdict === "edit";
    form.append(input);
  }
  const save = element("button", verdict === "edit" ? "Save" : "Reject");
  form.append(save);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    if (Object.values(given).some((value) => value === "") && verdict === "edit") return;
    decide(index, { verdict, ...given });
  });
  byId("pairs").children[index].lastElementChild.append(form);
  form.querySelector("input").select();
}

function decide(index, decision) {
  const { id, sha256 } = pairs[index];
  if (decision) decisions.set(id, { id, pair: sha256, ...decision, time: new Date().toISOString() });
  else decisions.delete(id);
  remember(storeKey, [...decisions.values()]);
  document.activeElement?.blur();
  draw(index);
  count();
  if (decision) {
    go(index);
    move(1);
  }
}

/** Marks a pair as the one that keys are about. */
function go(index) {
  const list = byId("pairs").children;
  list[here]?.classList.remove("here");
  here = index;
  list[here]?.classList.add("here");
}

function move(step) {
  const list = byId("pairs").children;
  for (let i = here + step; i >= 0 && i < list.length; i += step) {
    if (list[i].hidden) continue;
    go(i);
    return list[i].scrollIntoView({ block: "nearest" });
  }
}

function count() {
  const of = (verdict) => [...decisions.values()].filter((decision) => decision.verdict === verdict).length;
  const [accepted, rejected, edited] = ["accept", "reject", "edit"].map(of);
  byId("bar").max = pairs.length || 1;
  byId("bar").value = decisions.size;
  byId("count").textContent = `${decisions.size} of ${pairs.length} decided: ` +
    `${accepted} accepted, ${rejected} rejected, ${edited} edited`;
}

/** Shows the pairs that the filter and the search ask for. */
function filter() {
  const wanted = byId("filter").value, text = byId("search").value.toLowerCase();
  let shown = 0;
  pairs.forEach((pair, i) => {
    const verdict = decisions.get(pair.id)?.verdict ?? "undecided", { question, answer } = shownText(pair);
    const fits = wanted === "all" || wanted === verdict ||
      wanted === (pair.failed.length ? "dropped" : "kept");
    const found = `${question} ${answer} ${pair.caption} ${pair.id}`.toLowerCase().includes(text);
    byId("pairs").children[i].hidden = !(fits && found);
    if (fits && found && shown++ === 0) go(i);
  });
  byId("none").hidden = shown > 0;
}

function download() {
  const back = pairs.filter(({ id, decision }) => decision && !decisions.has(id)).map(({ id, sha256 }) => ({
    id,
    pair: sha256,
    verdict: "undecided",
    time: new Date().toISOString(),
  }));
  downloadJson("review.json", { version, scale, decisions: [...decisions.values(), ...back] });
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  a: () => decide(here, { verdict: "accept" }),
  r: () => ask(here, "reject"),
  e: () => ask(here, "edit"),
  u: () => decide(here, null),
  s: download,
  "?": () => byId("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.form) {
    draw(here);
    return;
  }
  const typing = event.target.matches("input, select, textarea") || byId("keys").open;
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  if (!byId("pairs").children[here] || byId("pairs").children[here].hidden && "areu".includes(event.key)) {
    return;
  }
  KEYS[event.key]();
});
byId("filter").addEventListener("change", () => {
  filter();
  byId("filter").blur();
});
byId("search").addEventListener("input", filter);
byId("help").addEventListener("click", KEYS["?"]);
byId("download").addEventListener("click", download);

pairs.forEach((_, i) => {
  const article = element("article", undefined, { className: "card" });
  article.addEventListener("click", () => go(i));
  byId("pairs").append(article);
  draw(i);
});
count();
filter();
