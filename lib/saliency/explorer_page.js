// The explorer's script. All data reaches the page as text, never as markup.
const { title, notice, examples } = pageData;
const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8], PICTURE = { width: 255, level: 127.5, opacity: 80 };
/** The chosen token, the chosen patches, the patch where the keyboard is, and the other end of a rectangle. */
const state = { token: 0, chosen: new Set(), cursor: 0, anchor: 0, zoom: 0 };
let example, panels = [];

/** The options of a select; what was chosen stays where it is still there. */
function offer(id, options) {
  const select = byId(id), before = select.value;
  select.replaceChildren(...options.map(([value, text]) => element("option", text, { value })));
  select.value = options.some(([value]) => value === before) ? before : options[0][0];
}

/** Fills what depends on the example. */
async function openExample() {
  const own = example = examples[chosen("example")], { tokens, models, layers, question, reference } = own;
  Object.assign(state, { chosen: new Set(), cursor: 0, anchor: 0 });
  state.token = Math.max(0, tokens.findIndex(({ part }) => part === "answer"));
  byId("question").replaceChildren(
    element("strong", question),
    element("span", ` → ${own.answer || "(empty)"} `),
    element("span", `(reference: ${reference})`, { className: "soft" }),
  );
  const names = models.map(({ name }, i) => [`${i}`, name]);
  offer("model", names.length > 1 ? [["all", "all, side by side"], ...names] : names);
  const alone = models[0].maps.filter(isAlone).map(({ layer }) => [`${layer}`, `${layer + 1}`]);
  offer("layer", [["mean", `mean of ${layers}`], ...alone]);
  byId("tokens").replaceChildren(...tokens.map(({ text, part }, i) => {
    const option = element("li", text, { id: `token${i}`, className: part, role: "option" });
    option.addEventListener("click", () => chooseToken(i));
    return option;
  }));
  const picture = new Image();
  picture.src = own.picture;
  await picture.decode();
  if (own !== example) return; // another one was opened meanwhile
  const { naturalWidth: width, naturalHeight: height } = picture;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(picture, 0, 0);
  own.pixels = context.getImageData(0, 0, width, height);
  openModels();
}

/** A panel for every model that is chosen. */
function openModels() {
  const which = chosen("model");
  panels = example.models.filter((_, i) => which === "all" || which === `${i}`).map(panelOf);
  byId("panels").replaceChildren(...panels.map(({ figure }) => figure));
  drawPicture();
  zoomTo(state.zoom);
  openLayer();
}

/** The heads of the chosen layer that the page holds. */
function openLayer() {
  const { models: [{ maps }], heads } = example, layer = chosen("layer");
  const own = maps.filter((map) => `${map.layer}` === layer && map.head !== "mean");
  offer("head", [["mean", `mean of ${heads}`], ...own.map(({ head }) => [`${head}`, `${head + 1}`])]);
  draw();
}

/** The picture with its patches, and what is said about the model. */
function panelOf(model) {
  const figure = element("figure"), frame = element("div", undefined, { className: "frame" });
  const stage = element("div", undefined, { className: "stage", tabIndex: 0, role: "application" });
  const picture = element("canvas"), heat = element("canvas"), caption = element("figcaption");
  const key = element("div", undefined, { className: "legend soft" }), legend = element("span");
  const marks = document.createElementNS("http://www.w3.org/2000/svg", "svg"), paths = {};
  marks.setAttribute("viewBox", `0 0 ${example.columns} ${example.rows}`);
  marks.setAttribute("preserveAspectRatio", "none");
  for (const name of ["under", "over", "strongest", "cursor"]) {
    paths[name] = document.createElementNS(marks.namespaceURI, "path");
    paths[name].setAttribute("class", name);
    marks.append(paths[name]);
  }
  stage.setAttribute("aria-roledescription", "picture of patches");
  stage.setAttribute("aria-describedby", "keys");
  stage.append(picture, heat, marks);
  frame.append(stage);
  const own = model.says === example.answer ? "says so itself" : `itself says “${model.says || "(empty)"}”`;
  const probability = percent(Math.exp(sum(model.logprobs)));
  caption.append(
    element("h2", model.name),
    element("p", `${own}; probability of this answer: ${probability}`, { className: "soft" }),
  );
  key.append(element("span", undefined, { className: "ramp" }), legend);
  figure.append(caption, frame, key);
  const panel = { model, figure, frame, stage, picture, heat, legend, paths };
  listen(panel);
  return panel;
}

function chooseToken(token) {
  state.token = Math.min(example.tokens.length - 1, Math.max(0, token));
  draw();
}

function choosePatches(patches) {
  state.chosen = new Set(patches);
  draw();
}

/** Patches of the rectangle between anchor and cursor. */
function rectangle() {
  const ends = (of) => [of(state.anchor), of(state.cursor)].sort((a, b) => a - b);
  const [top, bottom] = ends(rowOf), [left, right] = ends(columnOf), width = right - left + 1;
  return Array.from(
    { length: (bottom - top + 1) * width },
    (_, i) => (top + Math.floor(i / width)) * example.columns + left + i % width,
  );
}

/** Zooms all panels, with the cursor's patch in the middle. */
function zoomTo(step) {
  state.zoom = Math.min(ZOOMS.length - 1, Math.max(0, step));
  const { rows, columns } = example;
  byId("zoom").textContent = `${ZOOMS[state.zoom]} ×`;
  byId("out").disabled = state.zoom === 0;
  byId("in").disabled = state.zoom === ZOOMS.length - 1;
  for (const { frame, stage } of panels) {
    stage.style.width = `${100 * ZOOMS[state.zoom]}%`;
    const at = (n, of) => (n + 0.5) / of * stage.clientWidth - frame.clientWidth / 2;
    frame.scrollTo(at(columnOf(state.cursor), columns), at(rowOf(state.cursor), rows));
  }
}

/** Says what the patch under the mouse or the keyboard has. */
function sayHere() {
  const weights = panels.map(({ model, map }) => `${model.name} ${short(map[state.cursor])}`);
  byId("here").textContent = visible(`${place(state.cursor)}: ${weights.join(", ")}`);
}

/** Mouse, pen, touch and keys on one panel. */
function listen({ stage, frame }) {
  const moveTo = ({ clientX, clientY }) => {
    const { left, top, width, height } = stage.getBoundingClientRect(), { rows, columns } = example;
    const within = (share, of) => Math.min(of - 1, Math.max(0, Math.floor(share * of)));
    const patch = within((clientY - top) / height, rows) * columns +
      within((clientX - left) / width, columns);
    const moved = patch !== state.cursor;
    state.cursor = patch;
    sayHere();
    return moved;
  };
  let kept = null; // the patches that a drag adds to
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    moveTo(event);
    state.anchor = state.cursor;
    const isOnly = state.chosen.size === 1 && state.chosen.has(state.cursor);
    kept = event.ctrlKey || event.metaKey ? [...state.chosen] : [];
    choosePatches(isOnly ? [] : [...kept, state.cursor]);
  });
  stage.addEventListener("pointermove", (event) => {
    if (moveTo(event) && kept !== null) choosePatches([...kept, ...rectangle()]);
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => kept = null);
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    moveTo(event);
    zoomTo(state.zoom - Math.sign(event.deltaY));
  }, { passive: false });
  frame.addEventListener("scroll", () => {
    for (const { frame: other } of panels) other.scrollTo(frame.scrollLeft, frame.scrollTop);
  });
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !onKey(event)) return;
    event.preventDefault();
    sayHere();
  });
}

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** A key on a picture; whether it meant something. */
function onKey({ key, shiftKey }) {
  if (key in MOVES) {
    const { rows, columns } = example, [down, right] = MOVES[key];
    const within = (n, of) => Math.min(of - 1, Math.max(0, n));
    const row = within(rowOf(state.cursor) + down, rows),
      column = within(columnOf(state.cursor) + right, columns);
    state.cursor = row * columns + column;
    if (!shiftKey) state.anchor = state.cursor;
    if (state.zoom > 0) zoomTo(state.zoom);
    choosePatches(shiftKey ? rectangle() : state.chosen);
  } else if (key === " " || key === "Enter") {
    state.anchor = state.cursor;
    if (!state.chosen.delete(state.cursor)) state.chosen.add(state.cursor);
    draw();
  } else if (key === "Escape") choosePatches([]);
  else if (key === "+" || key === "=") zoomTo(state.zoom + 1);
  else if (key === "-") zoomTo(state.zoom - 1);
  else return false;
  return true;
}

const TOKEN_KEYS = {
  ArrowLeft: () => state.token - 1,
  ArrowRight: () => state.token + 1,
  Home: () => 0,
  End: () => example.tokens.length - 1,
};
byId("tokens").addEventListener("keydown", (event) => {
  if (!(event.key in TOKEN_KEYS)) return;
  event.preventDefault();
  chooseToken(TOKEN_KEYS[event.key]());
});
const on = (id, type, does) => byId(id).addEventListener(type, does);
on("example", "change", openExample);
on("model", "change", openModels);
on("layer", "change", openLayer);
for (const id of ["method", "head", "sinks", "scale"]) on(id, "change", draw);
on("opacity", "input", draw);
for (const id of ["width", "level"]) on(id, "input", drawPicture);
on("in", "click", () => zoomTo(state.zoom + 1));
on("out", "click", () => zoomTo(state.zoom - 1));
on("clear", "click", () => choosePatches([]));
on("numbers", "toggle", draw);
on("reset", "click", () => {
  for (const [id, value] of Object.entries(PICTURE)) byId(id).value = value;
  zoomTo(0);
  drawPicture();
  draw();
});

document.title = visible(title);
byId("title").textContent = visible(title);
if (notice) Object.assign(byId("notice"), { hidden: false, textContent: visible(`Note: ${notice}`) });
for (const [id, value] of Object.entries(PICTURE)) byId(id).value = value;
offer("example", examples.map(({ question, imageId }, i) => [`${i}`, `${i + 1}: ${question} (${imageId})`]));
openExample();
