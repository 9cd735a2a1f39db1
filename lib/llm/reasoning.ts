/** Marks around what a model thinks before it answers: of DeepSeek-R1, Qwen3 and most others, of Magistral, of Kimi. */
const NAMES = "think(?:ing)?|thoughts?|reasoning|reflection|analysis|scratchpad|seed:think";
const MARK = new RegExp(
  String.raw`<(\/?)(?:${NAMES})\s*>|\[(\/?)THINK\]|◁(\/?)think▷|<\|(?:begin|(end))_of_thought\|>`,
  "gi",
);
/** gpt-oss: channels of one reply, as its server passes them on, with special tokens or without. */
const FINAL =
  /<\|channel\|>final\b[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>|^\s*analysis(?=\p{Lu})[\s\S]*?assistantfinal/u;
const THOUGHT = /<\|channel\|>(?:analysis|commentary)\b|^\s*analysis(?=\p{Lu})/u;
/** What some models put around the answer itself. */
const WRAPPED = /^\s*<(answer|final_answer|solution|output|response)>([\s\S]*?)(?:<\/\1>\s*)?$/i;
const SPECIAL = /<\|(?:end|return|begin_of_solution|end_of_solution|im_end)\|>/g;

/**
 * What a reply says behind the model's reasoning: "" if it never got there.
 *
 * A closing mark without an opening one ends reasoning too (chat templates often write the opening one themselves); an
 * opening mark that is never closed leaves nothing of what follows it, unless a quotation has begun on its line: in
 * {"answer": "<think> is a tag"} the reply speaks of it.
 */
export function answerOf(reply: string): string {
  const final = FINAL.exec(reply);
  if (!final && THOUGHT.test(reply)) return "";
  const text = final ? reply.slice(final.index + final[0].length) : reply;
  let said = "", from = 0, thinking = false, isQuoted = false;
  for (const mark of text.matchAll(MARK)) {
    const closes = mark.slice(1).some((slash) => slash);
    if (closes && !thinking) said = "";
    if (!closes && !thinking) {
      const before = text.slice(from, mark.index), line = before.slice(before.lastIndexOf("\n") + 1);
      said += before;
      from = mark.index;
      isQuoted = line.split('"').length % 2 === 0;
    }
    thinking = !closes;
    if (closes) from = mark.index + mark[0].length;
  }
  if (!thinking || isQuoted) said += text.slice(from);
  const plain = said.replace(SPECIAL, "");
  return (WRAPPED.exec(plain)?.[2] ?? plain).trim();
}
