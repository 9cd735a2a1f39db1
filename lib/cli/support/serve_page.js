// The script of the page of ./lab serve. All data reaches the page as text, never as markup.
const { models, notice } = pageData;
const token = location.hash.slice(1);
let image = null, picture = null, shown = [];

if (notice) Object.assign(byId("notice"), { hidden: false, textContent: visible(`Note: ${notice}.`) });
if (!token) {
  byId("status").textContent = "The key is missing: open the whole address that ./lab serve printed.";
}

async function choose(file) {
  if (!file) return;
  image = await new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });
  byId("chosen").textContent = visible(`${file.name}, ${(file.size / 1024).toFixed(0)} KiB`);
}

byId("file").addEventListener("change", () => choose(byId("file").files[0]));
const drop = byId("drop");
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  byId("file").required = false;
  choose(event.dataTransfer.files[0]);
});

/** Draws the picture with a map over it: from transparent at its lowest to orange at its highest value. */
function draw(canvas, { rows, columns, ...maps }) {
  const context = canvas.getContext("2d"), values = maps[byId("map").value];
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  context.drawImage(picture, 0, 0);
  if (!values) return;
  const low = Math.min(...values), range = Math.max(...values) - low || 1;
  const heat = new OffscreenCanvas(columns, rows), pixels = new ImageData(columns, rows);
  values.forEach((value, i) => pixels.data.set([230, 97, 1, 190 * (value - low) / range], 4 * i));
  heat.getContext("2d").putImageData(pixels, 0, 0);
  context.drawImage(heat, 0, 0, canvas.width, canvas.height);
}

const drawAll = () => shown.forEach(([canvas, maps]) => draw(canvas, maps));
byId("map").addEventListener("change", drawAll);

function answerFigure(question, { model, text, probability, withoutImage, maps }) {
  const figure = element("figure"), caption = element("figcaption");
  const canvas = element("canvas", undefined, { role: "img" });
  canvas.setAttribute("aria-label", visible(`Where ${model} looked for "${text}", asked "${question}"`));
  shown.push([canvas, maps]);
  const same = withoutImage === text
    ? "the same, so nothing shows that it rests on the image"
    : `“${withoutImage}”`;
  caption.append(
    element("div", model, { className: "soft" }),
    element("div", text || "(empty)", { className: "answer" }),
    element("div", `probability ${probability.toPrecision(2)}`),
    element("div", `about a grey picture: ${same}`, { className: "soft" }),
  );
  figure.append(caption, canvas);
  return figure;
}

/** Asks one question; `onLine` gets what is answered, line by line, while it is written. */
async function ask(question, onLine) {
  const response = await fetch("/api/ask", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ image, questions: [question] }),
  });
  if (!response.ok) throw new Error((await response.json()).error.message);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "";;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) await onLine(JSON.parse(line));
  }
}

/** An answer under way: the model's name and what it has said so far. */
function growingFigure(model) {
  const figure = element("figure"), caption = element("figcaption");
  caption.append(
    element("div", model, { className: "soft" }),
    element("div", "…", { className: "answer" }),
  );
  figure.append(caption);
  return figure;
}

/** Shows one question's answers as they come. */
async function showAnswers(question) {
  const article = element("article"), row = element("div", undefined, { className: "answers" });
  const figures = new Map(models.map((model) => [model, growingFigure(model)]));
  article.setAttribute("aria-busy", "true"); // a screen reader waits for what is complete
  row.append(...figures.values());
  article.append(element("h2", question), row);
  byId("results").append(article);
  try {
    await ask(question, async (line) => {
      if (line.error) throw new Error(line.error);
      if (line.picture) {
        picture = new Image();
        picture.src = line.picture;
        await picture.decode();
        byId("notes").replaceChildren(...line.notes.map((note) => element("li", note)));
      } else if (line.answer) {
        const figure = answerFigure(question, line.answer);
        figures.get(line.model).replaceWith(figure);
        draw(...shown.at(-1));
      } else figures.get(line.model).querySelector(".answer").textContent = visible(`${line.soFar} …`);
    });
  } finally {
    article.removeAttribute("aria-busy");
    for (const unanswered of article.querySelectorAll("figure:not(:has(canvas)) .answer")) {
      unanswered.textContent = "(no answer)";
    }
  }
}

byId("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const status = byId("status"), button = byId("ask");
  const questions = byId("questions").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (!image || questions.length === 0) {
    status.textContent = "Choose an image and write a question.";
    return;
  }
  button.disabled = true;
  byId("results").replaceChildren();
  byId("notes").replaceChildren();
  shown = [];
  try {
    for (const [i, question] of questions.entries()) {
      status.textContent = `Question ${i + 1} of ${questions.length}, ${models.length} models ...`;
      await showAnswers(question);
    }
    status.textContent = "Answered.";
  } catch (error) {
    status.textContent = visible(error.message);
  } finally {
    button.disabled = false;
  }
});
