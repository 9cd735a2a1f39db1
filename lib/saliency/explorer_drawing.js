// What the explorer draws and says. `example`, `panels` and `state` are those of explorer_page.js.
const RAW = "raw attention", GRADIENT = "gradient × attention";
const chosen = (id) => byId(id).value;
const short = (weight) =>
  weight === 0 ? "0" : weight < 0.001 ? weight.toExponential(1) : weight.toPrecision(2);
const percent = (share) =>
  `${share === 0 || share > 0.1 ? Math.round(100 * share) : (100 * share).toPrecision(2)} %`;
const sum = (values) => values.reduce((total, one) => total + one, 0);
const strongestOf = (weights) => weights.indexOf(Math.max(...weights));
const rowOf = (patch) => Math.floor(patch / example.columns), columnOf = (patch) => patch % example.columns;
const place = (patch) => `row ${rowOf(patch) + 1}, column ${columnOf(patch) + 1}`;
const said = (token) => `“${example.tokens[token].text}”`;
const isAlone = ({ layer, head }) => layer !== "mean" && head === "mean";

/** The weights of a token over the patches in a model's map, as the choices say. */
function mapOf(model, token) {
  const method = chosen("method"), sinks = method === GRADIENT ? "left in" : chosen("sinks");
  const [layer, head] = method === RAW ? [chosen("layer"), chosen("head")] : ["mean", "mean"];
  const map = model.maps.find((one) =>
    one.method === method && `${one.layer}` === layer && `${one.head}` === head && sinks in one.scales
  );
  map.values ??= Uint8Array.from(atob(map.bytes), (c) => c.charCodeAt(0));
  const patches = example.rows * example.columns, scale = map.scales[sinks][token];
  return Array.from(map.values.subarray(token * patches, (token + 1) * patches), (byte) => byte * scale);
}

/** What the map at hand is made of, and what of it this page leaves out. */
function aboutMap() {
  const { layers, heads, models: [{ maps }] } = example, method = chosen("method");
  if (method === GRADIENT) {
    return "What attention did for the answer's log-probability, layer on layer; there are no sinks to leave out.";
  }
  if (method !== RAW) {
    return "Attention of all layers multiplied, with skip connections; bos and newline are left out in every layer, or left in.";
  }
  const alone = maps.filter(isAlone).length;
  const byHead = new Set(maps.filter(({ head }) => head !== "mean").map(({ layer }) => layer)).size;
  const all = alone === layers && (byHead === layers || heads === 1);
  const rest = all
    ? ""
    : ` Of ${layers} layers this page holds ${alone} alone, ${byHead} of them head by head.`;
  return `Attention as the model has it. Leaving out bos and newline multiplies a token's whole row: other numbers, the same picture.${rest}`;
}

/** The pictures through the window: from black to white over its width, with the level in the middle. */
function drawPicture() {
  const { data, width, height } = example.pixels, shown = new ImageData(width, height);
  const window = Number(chosen("width")), low = Number(chosen("level")) - window / 2;
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => 255 * (value - low) / window);
  data.forEach((value, i) => shown.data[i] = i % 4 === 3 ? 255 : table[value]);
  for (const { picture } of panels) {
    Object.assign(picture, { width, height }).getContext("2d").putImageData(shown, 0, 0);
  }
}

/** The outline of the chosen patches, along their edges. */
function outline() {
  const { rows, columns } = example;
  const inside = (r, c) => r >= 0 && c >= 0 && r < rows && c < columns && state.chosen.has(r * columns + c);
  let path = "";
  for (let r = 0; r <= rows; r++) {
    for (let c = 0; c <= columns; c++) {
      if (inside(r, c) !== inside(r - 1, c)) path += `M${c} ${r}h1`;
      if (inside(r, c) !== inside(r, c - 1)) path += `M${c} ${r}v1`;
    }
  }
  return path;
}

/** The map over the picture, full colour at `full`, with its marks and its legend. */
function drawMap({ model, map, heat, legend, stage, paths }, full) {
  const { rows, columns } = example, pixels = new ImageData(columns, rows), even = sum(map) / map.length;
  const opacity = 255 * Number(chosen("opacity")) / 100;
  map.forEach((weight, i) => pixels.data.set([230, 97, 1, full > 0 ? opacity * weight / full : 0], 4 * i));
  Object.assign(heat, { width: columns, height: rows }).getContext("2d").putImageData(pixels, 0, 0);
  legend.textContent = `0 to ${short(full)}${even > 0 ? `, ${(full / even).toFixed(1)} × an even map` : ""}`;
  const label = `${model.name}: where ${said(state.token)} looks, ${rows} by ${columns} patches`;
  stage.setAttribute("aria-label", visible(label));
  const [r, c] = [rowOf, columnOf].map((of) => of(strongestOf(map)) + 0.5);
  const shapes = {
    under: outline(),
    over: outline(),
    cursor: `M${columnOf(state.cursor)} ${rowOf(state.cursor)}h1v1h-1z`,
    strongest: even > 0 ? `M${c - 0.3} ${r}a.3 .3 0 1 1 .6 0a.3 .3 0 1 1 -.6 0` : "",
  };
  for (const [name, shape] of Object.entries(shapes)) paths[name].setAttribute("d", shape);
}

/** The tokens, each with a bar for every model: what it takes from the chosen patches. */
function drawTokens() {
  const most = Math.max(...panels.flatMap(({ taken }) => taken)) || 1;
  example.tokens.forEach(({ text, part }, i) => {
    const option = byId(`token${i}`), any = state.chosen.size > 0;
    const amounts = panels.map(({ model, taken }) => `${model.name} ${short(taken[i])}`).join(", ");
    option.setAttribute("aria-selected", i === state.token);
    option.setAttribute("aria-label", visible(`${text}, ${part}${any ? `, takes ${amounts}` : ""}`));
    option.title = any ? visible(`takes from the chosen patches: ${amounts}`) : "";
    option.querySelectorAll(".amount").forEach((bar) => bar.remove());
    option.append(...panels.map(({ taken }) => {
      const bar = element("div", undefined, { className: "amount" }), amount = element("i");
      amount.style.width = `${100 * taken[i] / most}%`;
      bar.append(amount);
      return bar;
    }));
  });
  const names = panels.map(({ model }) => model.name).join(", ");
  byId("bars").textContent = visible(
    `Bars: what a token takes from the chosen patches, top to bottom: ${names}`,
  );
  byId("tokens").setAttribute("aria-activedescendant", `token${state.token}`);
}

/** What a panel shows, in words. */
function readingOf({ model, map, taken }) {
  const total = sum(map), strongest = strongestOf(map), { size } = state.chosen, token = said(state.token);
  if (total === 0) return `${model.name}: ${token} has no weight on the picture.`;
  const share = chosen("method") === GRADIENT
    ? ""
    : ` has ${percent(total)} of its weight on the picture and`;
  const ratio = (map[strongest] * map.length / total).toFixed(1);
  const looks =
    `${model.name}: ${token}${share} looks most at ${place(strongest)}: ${short(map[strongest])}, ` +
    `${ratio} × an even map.`;
  if (size === 0) return looks;
  const patches = size === 1 ? `The patch in ${place([...state.chosen][0])} has` : `The ${size} patches have`;
  const most = strongestOf(taken);
  return `${looks} ${patches} ${percent(taken[state.token] / total)} of this map; ` +
    `of all tokens ${said(most)} takes most from there: ${short(taken[most])}.`;
}

function tableOf(caption, head, rows) {
  const made = element("table"), top = element("thead"), body = element("tbody");
  const line = (cells, tag) => {
    const row = element("tr");
    row.append(...cells.map((cell) => element(tag, cell)));
    return row;
  };
  top.append(line(head, "th"));
  body.append(...rows.map((row) => line(row, "td")));
  made.append(element("caption", caption), top, body);
  return made;
}

/** The numbers of the maps as tables. */
function tables() {
  const names = panels.map(({ model }) => model.name), { size } = state.chosen;
  const ranked = panels.map(({ map }) => [...map.keys()].sort((a, b) => map[b] - map[a]).slice(0, 10));
  const rows = ranked[0].map((_, i) => [
    `${i + 1}`,
    ...panels.map(({ map }, p) => `${place(ranked[p][i])}: ${short(map[ranked[p][i]])}`),
  ]);
  const strongest = tableOf(`Strongest patches for ${said(state.token)}`, ["", ...names], rows);
  if (size === 0) return [strongest];
  const taken = example.tokens.map(({ text, part }, i) =>
    [text, part].concat(panels.map((panel) => short(panel.taken[i])))
  );
  const caption = `What tokens take from ${size === 1 ? "the chosen patch" : `${size} chosen patches`}`;
  return [strongest, tableOf(caption, ["token", "part", ...names], taken)];
}

/** Draws maps, marks, tokens and texts as `state` and the choices are. */
function draw() {
  const method = chosen("method"), patches = [...state.chosen];
  byId("layer").disabled = method !== RAW;
  byId("head").disabled = method !== RAW || byId("head").options.length === 1;
  byId("sinks").disabled = method === GRADIENT;
  byId("clear").disabled = patches.length === 0;
  byId("about").textContent = aboutMap();
  for (const panel of panels) {
    panel.map = mapOf(panel.model, state.token);
    panel.taken = example.tokens.map((_, i) => {
      const map = patches.length > 0 ? mapOf(panel.model, i) : [];
      return sum(patches.map((patch) => map[patch]));
    });
  }
  const largest = Math.max(...panels.flatMap(({ map }) => map));
  for (const panel of panels) drawMap(panel, chosen("scale") === "own" ? Math.max(...panel.map) : largest);
  drawTokens();
  const reading = panels.map((panel) => element("p", readingOf(panel)));
  const isNew = (one, i) => one.textContent !== byId("reading").children[i]?.textContent;
  // What is said again would be read aloud again.
  if (reading.some(isNew) || byId("reading").children.length > reading.length) {
    byId("reading").replaceChildren(...reading);
  }
  byId("tables").replaceChildren(...(byId("numbers").open ? tables() : []));
}

// They are globals, since scripts are put one behind the other.
Object.assign(globalThis, {
  chosen,
  columnOf,
  draw,
  drawPicture,
  isAlone,
  percent,
  place,
  rowOf,
  short,
  sum,
});
