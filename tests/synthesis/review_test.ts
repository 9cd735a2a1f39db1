import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { config, folder, HOSTILE, id, records, REPLIES, runOnce, synthesis } from "./review_run.ts";

const { decide, importReview, readDecisions, reviewPage, reviewPath } = synthesis;
const { decided, pairSha256 } = await import("../../lib/synthesis/review_file.ts");
const stored = () => Deno.readTextFile(reviewPath(config.scale)).catch(() => "none");
const verdicts = (pair: { verdicts: string } | undefined) => JSON.parse(pair!.verdicts);

Deno.test("decisions by code hold from the next run on: rejected pairs go, edited ones change, accepted ones stay", async () => {
  const before = await runOnce();
  assertEquals([...before.kept.keys()], [id(0)]);
  await decide(id(0), "reject", "wrong organ");
  await decide(id(1), "accept");
  const after = await runOnce();
  assertEquals([...after.kept.keys()], [id(1)]);
  assertEquals(verdicts(after.dropped.get(id(0))).review, "wrong organ");
  assertEquals(verdicts(after.kept.get(id(1))).review, "pass");

  await decide(id(0), "edit", undefined, { answer: "right kidney" });
  const edited = (await runOnce()).kept.get(id(0))!;
  assertEquals([edited.question, edited.answer], [REPLIES[0].question, "right kidney"]);
  assertEquals(JSON.parse(edited.original!), REPLIES[0]);
  assertEquals(pairSha256(edited), pairSha256(before.kept.get(id(0))!));
  assertEquals(edited.rawSha256, before.kept.get(id(0))!.rawSha256);

  await decide(id(0), "undecided");
  await decide(id(1), "undecided");
  const undone = await runOnce();
  assertEquals([undone.kept.get(id(0))!.answer, undone.kept.size], ["kidney", 1]);
  assertEquals((await readDecisions(config.scale)).size, 0);
  await assertRejects(() => decide("nobody", "accept"), Error, `found "nobody"`);
});

Deno.test("a decision about a pair that reads differently now is not applied, and named", async () => {
  await runOnce();
  await decide(id(0), "reject", "no");
  const changed = await runOnce(
    REPLIES.with(0, { question: "Which organ is affected?", answer: "right kidney" }),
  );
  assertEquals([...changed.kept.keys()], [id(0)]);
  assertEquals(changed.stale, [id(0)]);
  await Deno.remove(reviewPath(config.scale));
});

Deno.test("a review file that does not fit is refused in one sentence, and nothing is stored", async () => {
  const { kept } = await runOnce();
  const sha256 = pairSha256(kept.get(id(0))!), time = "2026-01-01T00:00:00.000Z";
  const one = { id: id(0), pair: sha256, verdict: "accept", time };
  const file = join(folder, "review.json");
  const refused = async (value: unknown, ...said: string[]) => {
    await Deno.writeTextFile(file, typeof value === "string" ? value : JSON.stringify(value));
    const before = await stored();
    const error = await assertRejects(() => importReview(file), Error);
    for (const part of said) assertStringIncludes(error.message, part);
    assertEquals(await stored(), before);
  };
  const review = (decisions: unknown[], more = {}) => ({ version: 1, scale: "tiny", decisions, ...more });
  await refused("accept all", "found no JSON");
  await refused(review([], { version: 2 }), "expected a review of version 1, found version 2");
  await refused(review([], { scale: "full" }), "expected a review at scale tiny, found one at scale full");
  await refused(review([{ ...one, verdict: "maybe" }]), "decisions.0.verdict");
  await refused(review([{ ...one, verdict: "edit", question: " " }]), "decisions.0");
  await refused(review([{ ...one, owner: "me" }]), "owner");
  await refused(
    review([{ ...one, id: "x" }, { ...one, id: "y" }, { ...one, pair: "0".repeat(64) }, one]),
    "2 are unknown: x, y",
    `1 read differently since the page was made: ${id(0)}`,
    `1 have more than one decision: ${id(0)}`,
  );
  const unknown = (count: number) =>
    review(Array.from({ length: count }, (_, i) => ({ ...one, id: `x${i}` })));
  await refused(unknown(8), "8 are unknown: x0, x1, x2, x3, x4, x5, x6, x7. Nothing");
  await refused(unknown(9), "9 are unknown: x0, x1, x2, x3, x4, x5, x6, x7 and 1 more. Nothing");
  await Deno.writeTextFile(file, JSON.stringify(review([one])));
  assertEquals(await importReview(file), { accept: 1, reject: 0, edit: 0, undecided: 0 });
  await Deno.remove(reviewPath(config.scale));
});

Deno.test("an edited answer replaces its option, and may not repeat another one", async () => {
  const choices = ["liver", "kidney", "lung", "heart"];
  const { kept } = await runOnce();
  const pair = { ...kept.get(id(0))!, choices };
  const decision = {
    id: id(0),
    pair: pairSha256(pair),
    verdict: "edit" as const,
    question: "Which organ is it?",
    answer: "right kidney",
    time: "",
  };
  const candidate = { pair, known: "", kind: "choice" as const };
  const [after] = decided([candidate], new Map([[id(0), decision]])).candidates;
  assertEquals(after.pair.choices, ["liver", "right kidney", "lung", "heart"]);
  assertEquals(pairSha256(after.pair), pairSha256(pair));
});

Deno.test("the page is one file without addresses, and data in it is data", async () => {
  const { kept, dropped } = await runOnce();
  const page = await reviewPage([...kept.values(), ...dropped.values()], records, new Map(), "tiny");
  assertEquals(page.match(/<\/?script/g)!.length, 4);
  assertEquals(page.match(/<img/g), null);
  const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1];
  assertEquals(page.replace(json, "").match(/https?:|\b(?:src|href)=/g), null);
  const { pairs, images } = JSON.parse(json);
  assertEquals(pairs.map((pair: { id: string }) => pair.id), [id(0), id(1), id(2)]);
  assertEquals([pairs[2].caption, pairs[2].answer], [HOSTILE, HOSTILE]);
  assert(Object.values<string>(images).every((url) => url.startsWith("data:image/jpeg;base64,")));
});
