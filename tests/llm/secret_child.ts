/** A synthesis and a judgement with the servers of the environment, which print all they get and die of the last error; see secret_test.ts. */
import { type EvaluationItem, judgeOpen } from "@lib/evaluation/mod.ts";
import { endpoint } from "@lib/llm/mod.ts";
import { synthesize } from "@lib/synthesis/mod.ts";
import { captioned } from "../synthesis/records.ts";

const [folder] = Deno.args;
const teacher = endpoint("TEACHER")!;
console.log(teacher, JSON.stringify(teacher), String(teacher.apiKey), Deno.env.get("TEACHER_URL"));
const ask = async (name: string) => {
  const captions = Array.from(
    { length: 12 },
    (_, i) => captioned(`${i}`, `${name}: chest x-ray of row ${i}, nodule in the left lung`),
  );
  const result = await synthesize(captions, {
    endpoint: teacher,
    seed: 1,
    temperature: 0,
    maxTokens: 40,
    concurrency: 12,
    journalPath: `${folder}/${name}.jsonl`,
    onProgress: (progress) => console.error(progress),
  });
  await Deno.writeTextFile(`${folder}/${name}.json`, JSON.stringify(result));
  console.log(Deno.inspect(result, { depth: 20, strAbbreviateSize: Infinity }));
};
await ask("answered");
const judge = endpoint("JUDGE")!;
const item: EvaluationItem = {
  ...{ id: "q", imageId: "i", question: "Which organ?", answer: "lung" },
  ...{ choices: null, answerType: "open" },
};
const verdicts = await judgeOpen([item], [{ id: "q", run: 0, answer: "lung", seed: 1, cut: false }], judge, {
  journalPath: `${folder}/judge.jsonl`,
  concurrency: 1,
  seed: 1,
  onProgress: (progress) => console.error(progress),
});
await Deno.writeTextFile(`${folder}/judge_verdicts.json`, JSON.stringify(verdicts));
console.log(judge, verdicts);
try {
  await ask("refused");
} catch (error) {
  console.log(
    Deno.inspect(error, { depth: 20, showHidden: true }),
    (error as Error).stack,
    JSON.stringify(error),
  );
  throw error;
}
