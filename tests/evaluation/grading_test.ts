/** Grades of a person: what is shown, stored and refused, and how judge and exact match stand to them. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  config,
  evaluation,
  finishedRun,
  folder,
  grading,
  HOSTILE,
  predictions,
  scores,
} from "./grading_run.ts";

const { isWorthless, judgedCells, personAgreement, scoreTable } = evaluation;
const { answersToGrade, gradingPath, importGrading, personVerdicts, readGrades } = grading;

const toGrade = answersToGrade(predictions, config), table = scoreTable(scores);
const grade = (index: number, verdict: string) => (
  { id: toGrade[index].id, answer: toGrade[index].sha256, verdict, time: "2026-01-01T00:00:00.000Z" }
);
const stored = () => Deno.readTextFile(gradingPath(config.scale)).catch(() => "none");

Deno.test("open answers of judged systems are graded, one that several gave once, and nobody is named", () => {
  assertEquals(toGrade.length, 10, "ten of twenty: both systems say the same");
  assertEquals(Object.keys(toGrade[0]).sort(), ["answer", "id", "question", "reference", "sha256"]);
  assert(toGrade.some(({ answer }) => answer === HOSTILE));
  assert(toGrade.every(({ id }) => id.startsWith("q")), "short questions and other systems are left out");
  assertEquals(
    answersToGrade(predictions.toReversed(), config),
    toGrade,
    "whatever the order of the systems",
  );
});

Deno.test("a grading file that does not fit is refused in one sentence, and nothing is stored", async () => {
  await finishedRun();
  const file = join(folder, "grading.json");
  const refused = async (value: unknown, ...said: string[]) => {
    await Deno.writeTextFile(file, typeof value === "string" ? value : JSON.stringify(value));
    const before = await stored();
    const error = await assertRejects(() => importGrading(file, config), Error);
    for (const part of said) assertStringIncludes(error.message, part);
    assertEquals(await stored(), before);
  };
  const grading = (grades: unknown[], more = {}) => ({ version: 1, scale: "tiny", grades, ...more });
  const one = grade(0, "correct");
  await refused("all correct", "expected a grading.json as the grading page downloads it, found no JSON");
  await refused(grading([], { version: 2 }), "expected a grading of version 1, found version 2");
  await refused(grading([], { scale: "full" }), "expected a grading at scale tiny, found one at scale full");
  await refused(grading([{ ...one, verdict: "accept" }]), "grades.0.verdict");
  await refused(grading([{ ...one, owner: "me" }]), "owner");
  await refused(
    grading([one, one, { ...one, answer: "0".repeat(64), id: "x" }]),
    "answers that it does not have: x",
    `answers graded more than once: ${one.id}`,
  );
});

Deno.test("grades are stored over earlier ones, and taken back", async () => {
  await finishedRun();
  const file = join(folder, "grading.json");
  const give = async (...grades: ReturnType<typeof grade>[]) => {
    await Deno.writeTextFile(file, JSON.stringify({ version: 1, scale: "tiny", grades }));
    return await importGrading(file, config);
  };
  assertEquals(await give(grade(0, "correct"), grade(1, "unsure"), grade(2, "incorrect")), {
    ...{ correct: 1, incorrect: 1, unsure: 1, undecided: 0 },
  });
  await give(grade(0, "incorrect"), grade(2, "undecided"));
  const grades = await readGrades(config.scale);
  assertEquals([...grades.values()].map(({ verdict }) => verdict), ["incorrect", "unsure"]);
  const person = personVerdicts(grades, predictions, config);
  assertEquals([...person.values()], [false, false], "the one answer, of both systems; unsure is no verdict");
  const changed = predictions.map((row) => ({ ...row, gold: `${row.gold}!` }));
  assertEquals(personVerdicts(grades, changed, config).size, 0, "a reference that reads differently now");
  await Deno.remove(gradingPath(config.scale));
});

Deno.test("with a person's grades the judge stands to them, and exact match is measured too", () => {
  // The judge calls q0..q4 correct; exact match calls q0..q6 so.
  const says = (right: (n: number) => boolean) =>
    new Map(
      predictions.filter(({ kind, cell }) => kind === "open" && cell.endsWith("__with")).map((row) =>
        [`${row.cell}\n${row.id}#${row.run}`, right(Number(row.id.slice(1)))] as const
      ),
    );
  const withJudge = says((n) => n < 5), withExact = says((n) => n < 7);
  const [judge, exact] = personAgreement(table, withJudge);
  assertEquals([judge.rater, judge.answers, exact.rater], ["the judge", 20, "exact match"]);
  for (const [found, expected] of [[judge.observed, 1], [judge.kappa.estimate, 1], [exact.observed, 0.8]]) {
    assertAlmostEquals(found, expected, 1e-12);
  }
  assert(exact.kappa.estimate < 0.7);
  const [cell] = judgedCells(table);
  assertAlmostEquals(cell.agreement.observed, 0.8, 1e-12); // with exact match, answer by answer
  const standing = (person?: Map<string, boolean>) => judgedCells(table, person)[0].standing;
  assertEquals([standing().with, standing(withJudge).with], ["exact match", "a person"]);
  assertAlmostEquals(standing(withExact).observed, standing().observed, 1e-12);

  const opposed = standing(says((n) => n % 2 === 0));
  assert(isWorthless(opposed) && opposed.kappa.low < 0, `${opposed.kappa.low}`);
  assert(!isWorthless(standing(withJudge)));
  assertEquals(standing(says(() => true)).with, "exact match", "a person who says one thing tells nothing");
  assertEquals(personAgreement(table, new Map()), []);
});
