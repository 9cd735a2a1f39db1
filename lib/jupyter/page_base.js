// What every page's script finds, beside `visible`: globals, since scripts are put one behind the other.
Object.assign(globalThis, {
  byId: (id) => document.getElementById(id),
  pageData: JSON.parse(document.getElementById("data").textContent),

  /** A new element whose text is shown by `visible`. */
  element(tag, text, about = {}) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = visible(text);
    return Object.assign(made, about);
  },
});
