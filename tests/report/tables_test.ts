import { assertEquals, assertThrows } from "@std/assert";
import { percentText, tableMarkdown } from "../../lib/report/mod.ts";

Deno.test("Rows become a Markdown table: numbers to the right, gaps as dashes, data never markup", () => {
  const text = tableMarkdown([
    { model: "a|b <i>*x*</i>", accuracy: 0.3333333, items: 12000 },
    { model: "c", accuracy: null, items: 5, note: "line\nbreak" },
  ]);
  assertEquals(
    text,
    "| model | accuracy | items | note |\n| --- | ---: | ---: | --- |\n" +
      "| a\\|b &#60;i&#62;\\*x\\*&#60;/i&#62; | 0.3333 | 12,000 | – |\n| c | – | 5 | line<br>break |\n",
  );
  assertThrows(() => tableMarkdown([]), Error, "at least one row");
});

Deno.test("A share is shown with its interval", () => {
  assertEquals(percentText({ estimate: 0.34, low: 0.278, high: 0.408 }), "34.0% (27.8–40.8)");
});
