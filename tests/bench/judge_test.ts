/** The study of judges, with judges whose worth is known. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { loadConfig, paths } from "@lib/config/mod.ts";
import { type Judge } from "@lib/evaluation/mod.ts";
import { judgeProbes, SYMMETRIC_KINDS } from "./judge_probes.ts";
import { type ReplayReply, startReplayServer } from "../support/replay_server.ts";
import * as bench from "@lib/cli/bench.ts";
import { UsageError } from "@lib/cli/command.ts";
import { judgeReportText, judgeVerdict, NEEDED_KAPPA } from "./judge.ts";
import {
  askJudge,
  baselines,
  type JudgeAnswers,
  judgesAgree,
  marksByKind,
  marksOf,
  probePairs,
  steadinessOf,
  tokenF1Verdicts,
} from "./judge_study.ts";
import { machine } from "./machine.ts";

const probes = judgeProbes(150, 2);
const texts = (reference: string, answer: string) => `${reference}\n${answer.trim() || "(empty)"}`;
const truth = new Map(probes.flatMap(({ kind, reference, answer, correct }) => [
  [texts(reference, answer), correct] as const,
  ...(SYMMETRIC_KINDS.has(kind) ? [[texts(answer, reference), correct] as const] : []),
]));
const rightOf = new Map(
  probePairs(probes).map(({ right, wrong, reference }) =>
    [`${reference}\n${wrong.trim() || "(empty)"}`, right] as const
  ),
);

/** What a request is about, read from its words. */
function read(content: string) {
  const find = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(content)?.[1] ?? null;
  const reference = find("Reference answer")!, [a, b] = [find("Answer A"), find("Answer B")];
  if (a === null || b === null) return { known: truth.get(texts(reference, find("Student's answer")!))! };
  return { better: rightOf.get(`${reference}\n${b}`) === a ? "A" as const : "B" as const };
}

type Reply = (asked: ReturnType<typeof read>, seed: number, call: number) => unknown;

/** Asks a judge that replies so; `calls` counts its requests. */
async function study(reply: Reply, options: { repeats?: number; journalPath?: string } = {}) {
  const folder = await Deno.makeTempDir();
  const server = startReplayServer(({ messages, seed }, call): ReplayReply => {
    const said = reply(read(messages[1].content), seed ?? 0, call);
    return typeof said === "string" ? said : JSON.stringify(said);
  });
  const judge: Judge = {
    ...{ baseURLs: [server.baseURL], model: "played", standIn: false, concurrency: 8 },
    stop: () => Promise.resolve(),
  };
  try {
    const { repeats = 2, journalPath = `${folder}/judge.jsonl` } = options;
    const said = await askJudge(probes, judge, { repeats, seed: 5, journalPath });
    return { said, calls: server.requests.length };
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

const verdict = (correct: boolean) => ({ correct, reason: "" });
const knows: Reply = ({ known, better }) => better ? { better } : verdict(known!);
const flatters: Reply = ({ better }) => better ? { better: "A" } : verdict(true);
const shares = (said: JudgeAnswers) => {
  const { repeats, exchangedEqual, exchangedContradicting, rightInBoth, samePlace } = steadinessOf(
    probes,
    said,
  );
  return [repeats, exchangedEqual, exchangedContradicting, rightInBoth, samePlace].map((share) =>
    share!.estimate
  );
};

Deno.test("a judge that knows is fit, steady and blind to places; what it has said is not asked again", async () => {
  const folder = await Deno.makeTempDir(), journalPath = `${folder}/judge.jsonl`;
  const { said, calls } = await study(knows, { journalPath });
  const symmetric = probes.filter(({ kind }) => SYMMETRIC_KINDS.has(kind)).length;
  const wrong = probes.filter(({ correct }) => !correct).length;
  assertEquals(calls, 3 * probes.length + symmetric + 2 * wrong);
  assertEquals(said.verdicts, probes.map(({ correct }) => correct));
  const marks = marksOf(probes, said.verdicts);
  assertEquals([marks.sensitivity.estimate, marks.specificity.estimate, marks.unread], [1, 1, 0]);
  assert(marks.kappa.low >= NEEDED_KAPPA && marks.kappa.low < 1, `${marks.kappa.low}`);
  assert(judgeVerdict(marks.kappa).startsWith("fit"));
  assertEquals(shares(said), [1, 1, 1, 1, 0]);
  const again = await study(() => assert(false), { journalPath });
  assertEquals([again.calls, again.said], [0, said]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("one that calls everything correct is worthless, and follows the place", async () => {
  const { said } = await study(flatters);
  const marks = marksOf(probes, said.verdicts);
  assertEquals([marks.sensitivity.estimate, marks.specificity.estimate], [1, 0]);
  assertAlmostEquals(marks.kappa.estimate, 0, 1e-12);
  assertEquals(marks.balancedAccuracy, 0.5);
  assert(judgeVerdict(marks.kappa).startsWith("worthless"));
  assertEquals(shares(said), [1, 1, 1, 0, 1]);
});

Deno.test("one that draws lots is worthless and unsteady", async () => {
  const { said } = await study((asked, seed, call) =>
    asked.better
      ? { better: (call * 7 + seed) % 2 ? "A" : "B" }
      : verdict((call * 2654435761 >>> 7) % 2 === 0)
  );
  const { kappa } = marksOf(probes, said.verdicts), [repeats] = shares(said);
  assert(judgeVerdict(kappa).startsWith("worthless") && kappa.low < 0 && kappa.high > 0, `${kappa.low}`);
  assert(repeats > 0.3 && repeats < 0.7, `${repeats}`);
});

Deno.test("what cannot be read is an error of the judge, and counted", async () => {
  const { said } = await study((asked, seed, call) =>
    call % 3 === 0 ? "Well, it depends." : knows(asked, seed, call)
  );
  const unread = said.verdicts.filter((opinion) => opinion === null).length;
  assert(unread > 30 && unread < 70);
  const marks = marksOf(probes, said.verdicts), byKind = marksByKind(probes, said.verdicts);
  assertEquals(marks.unread, unread);
  const right = marks.sensitivity.estimate * probes.filter(({ correct }) => correct).length +
    marks.specificity.estimate * probes.filter(({ correct }) => !correct).length;
  assertEquals(Math.round(right), probes.length - unread);
  assertEquals(byKind.reduce((sum, row) => sum + row.unread, 0), unread);
  assert(steadinessOf(probes, said).pairsUnread > 10);
  const never = marksOf(probes, probes.map(() => null));
  assertEquals([never.sensitivity.estimate, never.specificity.estimate], [0, 0], "silence is not right");
  assert(never.kappa.estimate < -0.8);
});

Deno.test("baselines: constants are at a half, exact match misses wordings, words do not tell sides apart", () => {
  const all = baselines(probes);
  const of = (name: string) => marksOf(probes, all[name]);
  for (const constant of ["always correct", "always incorrect"]) {
    assertEquals(of(constant).balancedAccuracy, 0.5);
    assertAlmostEquals(of(constant).kappa.estimate, 0, 1e-12);
  }
  const exact = Object.fromEntries(
    marksByKind(probes, all["exact match"]).map(({ kind, right }) => [kind, right.estimate]),
  );
  assertEquals([exact["same words"], exact["other case"], exact["other wording"]], [1, 1, 0]);
  assertEquals([exact["wrong side"], exact.empty], [1, 1]);
  const words = Object.fromEntries(
    marksByKind(probes, all["token F1 above a threshold"]).map(({ kind, right }) => [kind, right.estimate]),
  );
  assertEquals([words["same words"], words["off topic"], words.empty], [1, 1, 1]);
  assert(words["wrong side"] < 1);
});

Deno.test("the threshold of token F1 comes from other references", () => {
  const turned = new Set(probes.map(({ reference }) => reference).sort().filter((_, i) => i === 0));
  // One reference's verdicts turned over: its own half's threshold, chosen on the other half, does not move.
  const changed = probes.map((probe) =>
    turned.has(probe.reference) ? { ...probe, correct: !probe.correct } : probe
  );
  const before = tokenF1Verdicts(probes), after = tokenF1Verdicts(changed);
  probes.forEach((probe, i) => {
    if (turned.has(probe.reference)) assertEquals(after[i], before[i]);
  });
});

Deno.test("the report says what judges are worth, beside each other and beside no model", async () => {
  const [{ said: first }, { said: second }] = [await study(flatters), await study(knows)];
  const text = judgeReportText({
    machine: await machine(),
    startedAt: "2020-01-01T00:00:00Z",
    load: { before: 0, after: 0 },
    seed: 2,
    prompts: ["judge", "pair"],
    probes,
    judges: [{ ...first, standIn: true, refused: ["temperature"] }, { ...second, model: "other" }],
  });
  assertStringIncludes(text, "**worthless: its kappa is not above chance.");
  assertStringIncludes(text, "**fit: ");
  assertStringIncludes(text, "| played (the embedded stand-in) | 100\\.0% (");
  assertStringIncludes(text, "| always incorrect | 0\\.0% (");
  assertStringIncludes(text, "The server refuses: temperature.");
  assertStringIncludes(text, "Kappa of the two judges with each other: 0.00 (");
  assertAlmostEquals(judgesAgree(probes, second.verdicts, second.verdicts).estimate, 1, 1e-12);
  await assertRejects(() => bench.run(["judge", "--items", "0"]), UsageError, "--items");
  await assertRejects(() => bench.run(["judge", "--items", "14"]), UsageError, "at least 15");
  await assertRejects(() => bench.run(["judge", "--repeats", "x"]), UsageError, "--repeats");
});

Deno.test("the command asks both judges named, is stopped by Ctrl-C, and goes on where it was", async () => {
  const folder = await Deno.makeTempDir(), main = join(paths.root, "lib/cli/main.ts");
  const some = judgeProbes(15, loadConfig({}).seed),
    byText = new Map(
      some.map(({ reference, answer, correct }) => [texts(reference, answer), correct]),
    );
  let stalled = Promise.withResolvers<void>(), stall = 20;
  const server = startReplayServer(async ({ messages }, call) => {
    if (call >= stall) {
      stalled.resolve();
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
    const content = messages[1].content,
      about = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(content)?.[1];
    const known = byText.get(texts(about("Reference answer")!, about("Student's answer") ?? ""));
    return JSON.stringify(about("Answer A") === undefined ? verdict(known ?? false) : { better: "B" });
  });
  const start = () =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", main, "bench", "judge", "--items", "15", "--repeats", "2"],
      env: {
        ...{ LAB_RESULTS: folder, JUDGE_URL: server.baseURL, JUDGE_MODEL: "first", NO_COLOR: "1" },
        ...{ JUDGE2_URL: server.baseURL, JUDGE2_MODEL: "second" },
      },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  try {
    const first = start();
    await stalled.promise;
    first.kill("SIGINT");
    const { code, stderr } = await first.output();
    assert(code !== 0);
    assertStringIncludes(new TextDecoder().decode(stderr), "what was judged is kept");
    const before = server.requests.length;
    stall = Infinity;
    stalled = Promise.withResolvers();
    const { success, stdout } = await start().output(), said = new TextDecoder().decode(stdout);
    assert(success, said);
    assertStringIncludes(said, "## first\n\n**");
    assertStringIncludes(said, "## second\n\n**");
    const report = JSON.parse(await Deno.readTextFile(join(folder, "bench/judge.json")));
    assertEquals(report.judges.map(({ model }: JudgeAnswers) => model), ["first", "second"]);
    assertEquals(
      report.judges[0].verdicts,
      report.probes.map(({ correct }: { correct: boolean }) => correct),
    );
    const asked = server.requests.length - before, all = 2 * (3 * 15 + SYMMETRIC_KINDS.size + 2 * 9);
    assert(asked < all && asked >= all - 20, `${asked} of ${all}`);
    assertEquals((await start().output()).success, true);
    assertEquals(server.requests.length, before + asked, "nothing is asked twice");
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
