const HAN = /\p{Script=Han}/gu;

/** Chinese characters in a text. */
export const hanCount = (text: string): number => text.match(HAN)?.length ?? 0;

/** Whether a text is Chinese: at least as many Chinese characters as words in Latin letters ("图中有CT吗？" is). */
export function isChinese(text: string): boolean {
  const characters = hanCount(text);
  return characters > 0 && characters >= (text.match(/\p{Script=Latin}+/gu)?.length ?? 0);
}

/** Each Chinese character set apart by spaces, since Chinese has none between words; other text stays as it is. */
export const spacedHan = (text: string): string => text.replace(HAN, " $& ");

const YES = new Set(["yes", ..."是 是的 对 对的 有 包含 包括 可以 存在 能 会 正确".split(" ")]);
const NO = new Set([
  "no",
  ..."不是 不是的 否 不 不对 没有 没 无 不包含 不包括 不可以 不存在 不能 不会 错误".split(" "),
]);

/** What a yes/no answer says, in English or Chinese, whatever its case and closing mark; null for any other answer. */
export function yesOrNo(answer: string): "yes" | "no" | null {
  const plain = answer.trim().toLowerCase().replace(/[.。!！]$/, "");
  return YES.has(plain) ? "yes" : NO.has(plain) ? "no" : null;
}
