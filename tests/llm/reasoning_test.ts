import { assert, assertEquals, assertRejects } from "@std/assert";
import { answerOf, complete, type CompletionRequest, LlmError } from "@lib/llm/mod.ts";
import { parseVerdict } from "@lib/evaluation/judge.ts";
import { parseReply } from "@lib/synthesis/mod.ts";
import { readVerdict } from "@lib/synthesis/verify.ts";
import { completion, reply, startFaultServer } from "./fault_server.ts";

const PAIR = { question: "Which organ is affected?", answer: "lung" };
const SAID = JSON.stringify(PAIR);
/** What a model may write while it thinks: drafts of pairs and of verdicts, braces, labels, a yes and a no. */
const DRAFT = `Let me see. {"question": "Which organ is it?", "answer": "liver"} No, the caption says lung.
Q: Is it the liver?
A: yes
{"correct": true, "reason": "draft"} or {"correct": true, "reason": "{two}"}? `;

/** Replies as DeepSeek-R1, Qwen3, Magistral, Kimi, gpt-oss and others shape them, around our own words. */
const SHAPES: Record<string, (said: string) => string> = {
  "DeepSeek-R1": (said) => `<think>\n${DRAFT}\n</think>\n\n${said}`,
  "opened by the chat template": (said) => `${DRAFT}\n</think>\n\n${said}`,
  "Qwen3 that does not think": (said) => `<think>\n\n</think>\n\n${said}`,
  "thinking that speaks of its own mark": (said) =>
    `<think>${DRAFT}<think> again</think>${DRAFT}</think>${said}`,
  "two blocks": (said) => `<thinking>${DRAFT}</thinking>\n<Reflection>${DRAFT}</Reflection>\n${said}`,
  "with the answer in a mark": (said) => `<reasoning>\n${DRAFT}\n</reasoning>\n<answer>\n${said}\n</answer>`,
  "thinking behind the answer": (said) => `${said}\n<thought>${DRAFT}`,
  "Magistral": (said) => `[THINK]${DRAFT}[/THINK]${said}`,
  "Kimi": (said) => `◁think▷${DRAFT}◁/think▷${said}`,
  "of thought and solution": (said) =>
    `<|begin_of_thought|>${DRAFT}<|end_of_thought|>\n<|begin_of_solution|>${said}<|end_of_solution|>`,
  "gpt-oss": (said) =>
    `<|channel|>analysis<|message|>${DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>${said}<|return|>`,
  "gpt-oss with a format": (said) =>
    `<|channel|>analysis<|message|>${DRAFT}<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>${said}`,
  "gpt-oss without special tokens": (said) => `analysis${DRAFT}assistantfinal${said}`,
};

for (const [name, shape] of Object.entries(SHAPES)) {
  Deno.test(`only what stands behind the reasoning is read: ${name}`, () => {
    assertEquals(answerOf(shape(SAID)), SAID);
    assertEquals(parseReply(shape(SAID)).pairs, [{ ...PAIR, choices: null }]);
    assertEquals(parseReply(shape("Q: Which organ is affected?\nA: lung")).pairs, [{
      ...PAIR,
      choices: null,
    }]);
    const verdict = { correct: false, reason: "another {organ}" };
    assertEquals(parseVerdict(shape(JSON.stringify(verdict))), verdict);
    assertEquals(readVerdict({ text: shape(`{"supported": "no"}`) }), "unsupported");
  });
}

Deno.test("reasoning that never ends holds neither pairs nor verdicts, and is named as cut where it was", () => {
  for (const text of [`<think>${DRAFT}`, `[THINK]${DRAFT}`, `<|channel|>analysis<|message|>${DRAFT}`]) {
    assertEquals(parseReply(text, "length"), { shape: "none", pairs: [], problems: ["truncated"] });
    assertEquals(parseReply(text), { shape: "none", pairs: [], problems: ["empty"] });
    assertEquals([parseVerdict(text), readVerdict({ text })], [null, null]);
  }
});

Deno.test("long thoughts do not push the answer out, and many open marks cost no time", () => {
  assertEquals(parseReply(`<think>${DRAFT.repeat(1000)}</think>${SAID}`).pairs.length, 1);
  const start = performance.now();
  assertEquals(answerOf("<think>".repeat(50_000)), "");
  assertEquals(answerOf("<answer>".repeat(50_000)).length > 0, true);
  assert(performance.now() - start < 2000);
});

Deno.test("words that only look like marks stay", () => {
  const quoted = ['{"answer": "<think> is a tag"}', '{"a": 1,\n"b": "[THINK] and <thought>"}'];
  for (
    const text of [
      ...quoted,
      "Q: Which analysis?\nA: <5 mm",
      "Analysis of the lung",
      '{"answer": "x < y > z"}',
    ]
  ) {
    assertEquals(answerOf(text), text);
  }
});

const request: CompletionRequest = {
  messages: [{ role: "user", content: "say it" }],
  seed: 1,
  temperature: 0,
  maxTokens: 9,
};

/** One reply of a server with this message. */
async function asked(message: Record<string, unknown>, finish = "stop") {
  const server = startFaultServer(() => ({ writes: [reply(completion(message, { finish }))] }));
  try {
    return await complete({ baseURLs: [server.baseURL], model: "m" }, request);
  } finally {
    await server.stop();
  }
}

Deno.test("what a server reports as reasoning is not text; text in parts is", async () => {
  for (const field of ["reasoning_content", "reasoning"]) {
    assertEquals((await asked({ content: SAID, [field]: DRAFT })).text, SAID);
    const cut = await assertRejects(() => asked({ content: null, [field]: DRAFT }, "length"), LlmError);
    assertEquals(cut.kind, "cut");
    const silent = await assertRejects(() => asked({ content: "", [field]: DRAFT }), LlmError);
    assertEquals(silent.kind, "empty");
  }
  const thinking = { type: "thinking", thinking: [{ type: "text", text: DRAFT }] };
  assertEquals((await asked({ content: [thinking, { type: "text", text: SAID }] })).text, SAID);
});
