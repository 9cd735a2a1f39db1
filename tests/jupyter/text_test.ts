import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  code,
  escapeHtml,
  fence,
  html,
  type Markdown,
  md,
  oneLine,
  show,
  visible,
} from "../../lib/jupyter/mod.ts";
import { PAYLOADS } from "./payloads.ts";

Deno.test("control characters, marks of direction, widthless characters and half surrogates are seen", () => {
  assertEquals(visible("a\x1b[31m\0\x7f\x9b"), "a<U+001B>[31m<U+0000><U+007F><U+009B>");
  assertEquals(
    visible("\u202Ex\u2066\u200F\u2028\u200B\uFEFF\u00AD"),
    "<U+202E>x<U+2066><U+200F><U+2028><U+200B><U+FEFF><U+00AD>",
  );
  assertEquals(visible("\uD83Dx \uDE00 😀 \u{E0041}"), "<U+D83D>x <U+DE00> 😀 <U+E0041>");
  assertEquals(visible("a\r\nb\rc\td ⚠️ é 左 ¿"), "a\nb<U+000D>c\td ⚠️ é 左 ¿");
  assertEquals(oneLine("left\nNote: trust me\t!"), "left⏎Note: trust me !");
});

Deno.test("a template's values are escaped, and its own parts are not escaped again", () => {
  assertEquals(
    html`<b title="${'$"'}">${"<i>$"}</b>${[1, 2].map((n) => html`<i>${n}</i>`)}`.text,
    '<b title="$&#34;">&#60;i&#62;<span>&#36;</span></b><i>1</i><i>2</i>',
  );
  assertThrows(
    () => html`<a href="${"javascript:x"}">`,
    Error,
    "expected the beginning of href in the template",
  );
  const list = ["*a*", "<b>"].map((x) => md`- ${x}\n`);
  assertEquals(md`# T\n${list}`.text, "# T\n- \\*a\\*\n- &#60;b&#62;\n");
  assertEquals(md`# T\n${list}`.plain, "# T\n- *a*\n- <b>\n");
  assertEquals(md`${code("a`b")}`.text, "<code>a&#96;b</code>");
  assertEquals(md`${"1. x"} ${"- y"} ${"a - b. c"}`.text, "1\\. x \\- y a - b. c");
});

Deno.test("a fence is longer than any run in its text, and its text stays as it is", () => {
  const { text } = fence("```\n`````\n~~~~~~~");
  assertStringIncludes(text, "\n\n``````text\n```\n`````\n~~~~~~~\n``````\n\n");
});

Deno.test("nothing that was escaped has a bracket, a quote or a control character left", () => {
  for (const payload of PAYLOADS) {
    // deno-lint-ignore no-control-regex -- that there is none is what is tested
    assert(!/[<>"'\0-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]/.test(escapeHtml(payload)), payload);
    assert(!/<(?!br>|span>|\/span>)/.test(md`${payload}`.text), payload);
  }
});

Deno.test("a text that no template vouches for is escaped on its way out", async () => {
  const log = console.log, shown: unknown[] = [];
  console.log = (text) => shown.push(text);
  try {
    await show({ "text/plain": "a\x1b[2Jb", "text/markdown": "<script>" as unknown as Markdown });
  } finally {
    console.log = log;
  }
  assertEquals(shown, ["a<U+001B>[2Jb"]);
});
