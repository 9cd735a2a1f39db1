// What every page's script begins with, beside `visible`.
const byId = (id) => document.getElementById(id);
const pageData = JSON.parse(byId("data").textContent);

/** A new element whose text is shown by `visible`. */
function element(tag, text, about = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = visible(text);
  return Object.assign(made, about);
}
