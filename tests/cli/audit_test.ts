import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { auditPython, describe, readDenoAudit } from "../../lib/cli/audit.ts";

/** What is said of three locked packages where the index answers so. */
async function audited(answer: (path: string) => Response): Promise<{ lines: string[]; asked: string[] }> {
  const root = await Deno.makeTempDir({ prefix: "audit-" }), asked: string[] = [];
  await Deno.writeTextFile(
    join(root, "requirements.lock"),
    "one[extra]==1.0 \\\n    --hash=sha256:0\ntwo==2.1.post1 ; x\n",
  );
  await Deno.writeTextFile(join(root, "requirements-gpu.lock"), "one==1.0\nthree.x==3\n");
  await Deno.writeTextFile(join(root, "requirements-models.lock"), "");
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    asked.push(new URL(request.url).pathname);
    return answer(asked.at(-1)!);
  });
  try {
    const findings = await auditPython(`http://127.0.0.1:${server.addr.port}/pypi`, root);
    return { lines: describe(findings), asked: asked.sort() };
  } finally {
    await server.shutdown();
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("each locked Python package is asked about once; withdrawn reports do not count", async () => {
  const none = await audited(() => Response.json({ vulnerabilities: [] }));
  assertEquals(none.asked, ["/pypi/one/1.0/json", "/pypi/three.x/3/json", "/pypi/two/2.1.post1/json"]);
  assertEquals(none.lines, ["Python packages: no known weaknesses"]);
  const some = await audited((path) =>
    Response.json({
      vulnerabilities: path.includes("two")
        ? [{ id: "A-1", summary: "reads beyond", fixed_in: ["2.2"] }, { id: "A-2", withdrawn: "2020-01-01" }]
        : [],
    })
  );
  assertEquals(some.lines, [
    "Python packages: weaknesses are known",
    "two 2.1.post1: A-1, reads beyond (mended in 2.2)",
  ]);
});

Deno.test("a service that does not answer, or not about every package, is no clean bill", async () => {
  for (
    const [answer, why] of [
      [() => new Response("", { status: 404 }), "HTTP 404 about"],
      [() => new Response("<html>"), "not valid JSON"],
      [() => Response.json({}), "says nothing of weaknesses"],
      [
        (path: string) =>
          path.includes("three") ? new Response("", { status: 503 }) : Response.json({ vulnerabilities: [] }),
        "HTTP 503",
      ],
    ] as const
  ) {
    const [line] = (await audited(answer)).lines;
    assertStringIncludes(line, "not known, the service could not be asked (");
    assertStringIncludes(line, why);
  }
  const [line] = describe(await auditPython("http://127.0.0.1:1/pypi"));
  assertMatch(line, /^Python packages: not known, the service/);
});

Deno.test("deno audit's findings, its clean bill and its failures are told apart", () => {
  const said = (...output: [boolean, string, string]) => describe(readDenoAudit(...output));
  assertEquals(said(true, "No known vulnerabilities found\n", ""), [
    "TypeScript packages: no known weaknesses",
  ]);
  const report = "╭ p reads beyond\n╰ Info: x\n\nFound 1 vulnerabilities\nSeverity: 0 low, 1 high";
  assertEquals(said(false, `${report}\n`, ""), ["TypeScript packages: weaknesses are known", report]);
  assertEquals(said(false, "", "error: Failed to deserialize response\n\nCaused by: ..."), [
    "TypeScript packages: not known, the service could not be asked (Failed to deserialize response)",
  ]);
});
