// The script of the page that compares runs. All data reaches the page as text, never as markup.
const { title, runs, measures, curves, tables, differences } = pageData;
// Colours that people with colour-blindness can tell apart (Okabe and Ito).
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

/** Text that plotly shows as it is: no tags, no `%{variables}` in it. */
const plain = (text) =>
  visible(text).replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`).replaceAll("%{", "&#37;{");

function cellText(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return typeof value === "string" ? value : JSON.stringify(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** Rows under a heading; the columns are those of all rows. */
function section(heading, rows) {
  const names = [...new Set(rows.flatMap(Object.keys))], made = element("table");
  const line = (tag, texts) => {
    const row = element("tr");
    row.append(...texts.map((text) => element(tag, text)));
    return row;
  };
  made.append(line("th", names), ...rows.map((row) => line("td", names.map((name) => cellText(row[name])))));
  const scroller = element("div", undefined, { className: "wide" });
  scroller.append(made);
  byId("tables").append(element("h2", heading), scroller);
}

const trainings = [...new Set(curves.map(({ training }) => training))];

/** Draws the chosen measure of the chosen trainings: a colour for each run, a dash for each training. */
function draw() {
  const measure = byId("measure").value, training = byId("training").value;
  const shown = curves.filter((curve) =>
    curve.measure === measure && (training === "" || curve.training === training)
  );
  const data = shown.map(({ run, training, steps, values }) => ({
    name: plain(trainings.length > 1 ? `${run} · ${training}` : run),
    x: steps,
    y: values,
    mode: steps.length < 30 ? "lines+markers" : "lines",
    line: {
      color: COLOURS[runs.findIndex((one) => one.run === run) % COLOURS.length],
      dash: DASHES[(training === byId("training").value ? 0 : trainings.indexOf(training)) % DASHES.length],
      width: 2,
    },
  }));
  const ink = getComputedStyle(document.body).color;
  const axis = (text) => ({ title: { text }, gridcolor: "#8883", zerolinecolor: "#8885" });
  Plotly.react("chart", data, {
    xaxis: axis("step"),
    yaxis: { ...axis(plain(measure)), type: byId("log").checked ? "log" : "linear" },
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { color: ink },
    margin: { t: 20, r: 20 },
    legend: { orientation: "h", y: -0.2 },
    showlegend: true,
  }, { responsive: true, displaylogo: false });
}

byId("title").textContent = document.title = visible(title);
byId("measure").append(...measures.map((name) => element("option", name, { value: name })));
byId("training").append(
  element("option", "all", { value: "" }),
  ...trainings.map((name) => element("option", name, { value: name })),
);
if (trainings.length > 1) byId("training").value = trainings[0];
byId("curves").hidden = curves.length === 0;
for (const id of ["measure", "training", "log"]) byId(id).addEventListener("change", draw);
section("Runs", runs);
section(
  "What they differ in",
  differences.length === 0
    ? [{ place: "nothing: configuration, seed, inputs, versions and device are the same" }]
    : differences.map(({ place, values }) => ({
      place,
      ...Object.fromEntries(runs.map(({ run }, i) => [run, values[i]])),
    })),
);
for (const { name, rows } of tables) section(name, rows);
if (curves.length > 0) draw();
