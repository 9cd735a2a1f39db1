import { assertStringIncludes } from "@std/assert";
import { machine } from "./machine.ts";
import { teacherText } from "./teacher.ts";

Deno.test("the table of requests to a teacher: rates over wall time, the median of a request, time per request", async () => {
  const row = {
    processes: 2,
    inFlight: 4,
    requests: 20,
    seconds: 5,
    promptTokens: 9,
    tokens: 600,
    latencySeconds: 0.9,
  };
  const text = teacherText({
    machine: await machine(),
    startedAt: "2020-01-01T00:00:00Z",
    load: { before: 0.1, after: 2 },
    model: "small",
    rows: [{ server: "embedded", ...row }, { server: "replay", ...row, seconds: 0.01 }],
  });
  assertStringIncludes(text, "| 2 | 4 | 20 | 4.0 | 120 | 900.0 | 250.00 |");
  assertStringIncludes(text, "| 2 | 4 | 20 | 2000.0 | 60000 | 900.0 | 0.50 |");
  assertStringIncludes(text, "Load of the machine 0.1 before, 2.0 after.");
});
