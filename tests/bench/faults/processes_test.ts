import { assertEquals } from "@std/assert";
import { endOneProcess } from "./processes.ts";

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`nothing is left of ./lab, its runner, kernel and language model after ${signal}`, async () => {
    assertEquals(await endOneProcess("lab", signal), null);
  });
}
