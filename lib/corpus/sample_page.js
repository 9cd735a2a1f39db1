// The sample page's script. All data reaches the page as text, never as markup.
const { title, notice, counts, records, images } = pageData;
const FILTERS = ["dataset", "split"];

/** A record as a button of the grid. */
function card(record) {
  const made = element("button", undefined, { type: "button" });
  const words = (text, className) => element("span", text, { className, lang: record.language });
  made.append(
    element("img", undefined, { src: images[record.imageId], alt: "" }),
    element("span", `${record.dataset} · ${record.split}`, { className: "origin" }),
    words(record.question ?? record.caption ?? "no words", "words"),
  );
  if (record.answer !== null) made.append(words(record.answer, "words answer"));
  made.addEventListener("click", () => open(record));
  return made;
}

/** A field as text; lists and records have a line for each entry. */
function fieldText(value) {
  if (typeof value !== "object") return String(value);
  return Object.entries(value).map(([name, text]) => Array.isArray(value) ? text : `${name}: ${text}`).join(
    "\n",
  );
}

/** Shows one record enlarged, with all fields that it has. */
function open(record) {
  byId("id").textContent = visible(record.id);
  Object.assign(byId("picture"), { src: images[record.imageId], alt: visible(`image ${record.imageId}`) });
  const fields = Object.entries(record).filter(([, value]) => value !== null);
  byId("fields").replaceChildren(
    ...fields.flatMap(([name, value]) => [element("dt", name), element("dd", fieldText(value))]),
  );
  byId("one").showModal();
}

/** Shows the records that the filters and the search ask for. */
function filter() {
  const text = byId("search").value.trim().toLowerCase();
  const isAsked = (row) => FILTERS.every((name) => ["", row[name]].includes(byId(name).value));
  let shown = 0;
  records.forEach((record, i) => {
    const words = [record.question, record.answer, record.caption].map((part) => part ?? "");
    const fits = isAsked(record) && words.some((part) => part.toLowerCase().includes(text));
    byId("grid").children[i].hidden = !fits;
    if (fits) shown++;
  });
  const all = counts.filter(isAsked).reduce((sum, row) => sum + row.records, 0);
  byId("count").textContent = `${shown} shown, of ${records.filter(isAsked).length} sampled from ` +
    `${all.toLocaleString("en-US")} records`;
  byId("none").hidden = shown > 0;
}

document.title = visible(title);
byId("title").textContent = visible(title);
byId("notice").textContent = visible(notice);
byId("notice").hidden = notice === "";
for (const name of FILTERS) {
  const values = [...new Set(records.map((record) => record[name]))];
  const count = (value) => records.filter((record) => record[name] === value).length;
  byId(name).append(
    element("option", `all (${records.length})`, { value: "" }),
    ...values.map((value) => element("option", `${value} (${count(value)})`, { value })),
  );
  byId(name).addEventListener("change", filter);
}
byId("search").addEventListener("input", filter);
for (const record of records) {
  const item = element("li");
  item.append(card(record));
  byId("grid").append(item);
}
filter();
