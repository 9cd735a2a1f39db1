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

  /** What this browser remembers under a key, from an earlier visit; null where there is nothing, or no storage. */
  remembered(key) {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "null");
    } catch {
      return null;
    }
  },

  /** Lets this browser remember a value; without storage it lives as long as the page. */
  remember(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch { /* no storage here */ }
  },

  /** Downloads a value as a JSON file. */
  downloadJson(name, value) {
    const text = JSON.stringify(value, null, 1) + "\n", link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  },
});
