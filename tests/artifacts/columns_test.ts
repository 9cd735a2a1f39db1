import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { columnsOf } from "../../lib/artifacts/columns.ts";

Deno.test("a schema gives the columns of its table: null, options and what a codec encodes to aside", () => {
  const seconds = z.codec(z.number(), z.string(), { decode: (n) => `${n} s`, encode: (s) => parseFloat(s) });
  const row = z.object({
    id: z.string(),
    kind: z.union([z.enum(["a", "b"]), z.templateLiteral(["own_", z.string()])]),
    caption: z.string().nullable(),
    seed: z.int(),
    loss: z.number().nullable(),
    closed: z.boolean(),
    choices: z.array(z.string()).nullable(),
    runs: z.array(z.number()),
    seconds,
  });
  assertEquals(columnsOf(row), {
    id: "string",
    kind: "string",
    caption: "string",
    seed: "integer",
    loss: "number",
    closed: "boolean",
    choices: "strings",
    runs: "numbers",
    seconds: "number",
  });
});

Deno.test("a column of two kinds, or of what a cell cannot hold, is refused by name", () => {
  assertThrows(() => columnsOf(z.object({ x: z.union([z.string(), z.number()]) })), Error, 'Column "x"');
  assertThrows(() => columnsOf(z.object({ inner: z.object({ y: z.string() }) })), Error, 'Column "inner"');
  assertThrows(() => columnsOf(z.object({ flags: z.array(z.boolean()) })), Error, 'Column "flags"');
});
