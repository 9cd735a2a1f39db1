import { assert, assertEquals } from "@std/assert";
import { loadSlake } from "../../lib/corpus/mod.ts";
import {
  type EvaluationItem,
  isShort,
  judgeMessages,
  overlapTable,
  SCORERS,
} from "../../lib/evaluation/mod.ts";
import { bleu } from "../../lib/evaluation/bleu.ts";
import { scoreAnswers } from "../../lib/evaluation/item_scores.ts";
import { rouge, yesOrNo } from "../../lib/stats/mod.ts";
import { sourcePairs } from "../../lib/synthesis/mod.ts";
import { questionPrefix } from "../../lib/text/mod.ts";

const LONG = "脑水肿,增强型脑肿瘤,非增强型脑肿瘤", OTHER = "脑水肿,增强型脑肿瘤";

Deno.test("Chinese: identical texts have ROUGE and BLEU 1, half of a text less, another text 0", () => {
  assertEquals(rouge(LONG, LONG), { rouge1: 1, rouge2: 1, rougeL: 1 });
  assertEquals(Math.round(bleu([LONG], [LONG])), 100);
  const part = rouge(OTHER, LONG).rouge1, words = bleu([OTHER], [LONG]);
  assert(part > 0.5 && part < 1 && words > 0 && words < 99, `${part}, ${words}`);
  assertEquals([rouge("心脏", LONG).rouge1, bleu(["心脏肥大了"], ["左下肺结节"])], [0, 0]);
});

Deno.test("Chinese: every scorer says what it says of English, or nothing", () => {
  const score = (prediction: string, answer: string, choices: string[] | null = null) =>
    Object.fromEntries(
      Object.entries(SCORERS).map((
        [name, rule],
      ) => [name, rule({ prediction, answer, choices, answerType: "closed" })]),
    );
  const same = score("是的。", "是的");
  assertEquals([same.exact, same.yesNo, same.llavaMedClosed, same.tokenF1, same.vqaSoft], [1, 1, null, 1, 1]);
  assertEquals([score("不是", "是的").yesNo, score("没有", "不包含").yesNo, score("yes", "有").yesNo], [
    0,
    1,
    1,
  ]);
  assertEquals([score("肺", "左肺").yesNo, score("左下肺", "左肺").tokenRecall], [null, 1]);
  assertEquals(score("右侧", "右侧", ["左侧", "右侧"]).vlmEvalKit, 1);
  assertEquals(score("（b）", "右侧", ["左侧", "右侧"]).optionLetter, 1);
});

Deno.test("Chinese questions are asked with PaliGemma's prefix for Chinese, and judged as Chinese", () => {
  assertEquals(questionPrefix({ question: "图中有CT吗？" }), "answer zh 图中有CT吗？");
  assertEquals(questionPrefix({ question: "What does 肺 mean?" }), "answer en What does 肺 mean?");
  const item = (question: string, answer: string): EvaluationItem => ({
    id: question,
    imageId: "i",
    question,
    answer,
    choices: null,
    answerType: "open",
  });
  const [zh, en] = [item("哪里异常？", LONG), item("Where?", "In the left lung, above")];
  assert(judgeMessages(zh, LONG)[0].content !== judgeMessages(en, "x")[0].content);
  const said = [{ id: zh.id, run: 0, answer: LONG, seed: null, cut: false }];
  const [row] = overlapTable([zh], said);
  assertEquals([row.answers, row.bleu.toFixed(3)], ["system (each Chinese character is a word)", "1.000"]);
  assertEquals(scoreAnswers([zh], said, { cell: "", kind: "short" }, ["llavaMedClosed"]), []);
});

const data = Deno.env.get("LAB_DATA");
Deno.test({
  name: "SLAKE's Chinese rows: all asked in Chinese, their answers of every class that the English ones have",
  ignore: data === undefined,
  fn: async () => {
    const read = async (language: "en" | "zh") =>
      sourcePairs((await loadSlake(`${data}/slake-json`, { language, requireImages: false })).records);
    const [en, zh] = [await read("en"), await read("zh")];
    const asked = (pairs: typeof zh, prefix: string) =>
      pairs.filter((pair) => questionPrefix(pair).startsWith(prefix)).length;
    assertEquals([asked(en, "answer en"), asked(zh, "answer zh")], [en.length, zh.length]);
    const short = (pairs: typeof zh) => {
      const open = pairs.filter(({ answerType }) => answerType === "open");
      return open.filter(isShort).length / open.length;
    };
    assert(Math.abs(short(en) - short(zh)) < 0.02, `${short(en)}, ${short(zh)}`);
    const closed = zh.filter(({ answerType }) => answerType === "closed");
    const told = closed.filter(({ answer }) => yesOrNo(answer) !== null).length / closed.length;
    assert(told > 0.8, `${told} of the closed answers are yes or no`);
    assert(
      zh.every(({ answer }) =>
        SCORERS.exact({ prediction: answer, answer, choices: null, answerType: null }) === 1
      ),
    );
  },
});
