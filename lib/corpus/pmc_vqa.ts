import { join } from "@std/path";
import { cleanText } from "./clean.ts";
import { type CsvRow, readCsv } from "./csv.ts";
import { firstThere, insideFolder, isThere, licenceOf } from "./files.ts";
import { newImageCheck, requireAllImages, wantImage } from "./images.ts";
import {
  type Corpus,
  countRead,
  countRepair,
  drop,
  EMPTY_FIELDS,
  finishCorpus,
  keep,
  type LoadOptions,
  newTally,
  type Split,
  type Tally,
} from "./record.ts";

const LETTERS = ["A", "B", "C", "D"] as const;
const LETTER_PREFIX = LETTERS.map((letter) => new RegExp(`^\\s*${letter}\\s*:\\s*`));
const COLUMNS = [
  "Figure_path",
  "Question",
  ["Answer", "Anwser"],
  ...LETTERS.map((letter) => `Choice ${letter}`),
];
const OPTIONAL = ["Answer_label", "Caption"];
/** Where the two archives unpack to, the version's own first. */
const IMAGE_FOLDERS = {
  1: ["images/images", "images", "figures"],
  2: ["images_2/figures", "images_2", "figures", "images"],
} as const;
type Version = 1 | 2;

/**
 * PMC-VQA (Zhang et al. 2023), both versions: train.csv and test.csv with images.zip, or train_2.csv and test_2.csv
 * with images_2.zip (taken when both are there). All questions have four options.
 *
 * Answer is the option's text in version 1 (a first release spells the column "Anwser", and adds Answer_label) and its
 * letter in version 2; either is understood in either, the version's own meaning first. Options may begin with "A:" with
 * or without spaces. Ids name file and row: "pmc_vqa/test/test_clean_0" is the first row of test_clean.csv.
 * @param options.version 1 or 2; default: what is there
 * @param options.cleanTest read test_clean.csv as the test split; it is of version 1, and so are its images
 * @throws naming file and row
 */
export async function loadPmcVqa(
  dir: string,
  { version, cleanTest = false, requireImages = true, signal }: LoadOptions & {
    version?: 1 | 2;
    cleanTest?: boolean;
  } = {},
): Promise<Corpus> {
  const tally = newTally(signal), images = newImageCheck(signal);
  const licence = await licenceOf(dir, "not stated in the files; see the data set's card");
  const chosen = version ?? (await isThere(join(dir, "train_2.csv")) ? 2 : 1);
  const suffix = chosen === 2 ? "_2" : "";
  const files: [Split, string, Version][] = [
    ["train", `train${suffix}`, chosen],
    cleanTest ? ["test", "test_clean", 1] : ["test", `test${suffix}`, chosen],
  ];
  for (const [split, name, of] of files) {
    const path = join(dir, `${name}.csv`);
    const folder = await firstThere(dir, IMAGE_FOLDERS[of]) ?? join(dir, "images");
    for (const [k, row] of (await readCsv(path, COLUMNS, OPTIONAL, signal)).entries()) {
      const where = `${path}, row ${k + 1}`;
      await countRead(tally);
      const imagePath = insideFolder(folder, row.Figure_path, where);
      const question = cleanText(row.Question, tally);
      const choices = LETTERS.map((letter, i) =>
        cleanText(row[`Choice ${letter}`].replace(LETTER_PREFIX[i], ""), tally)
      );
      const answer = answerIndex(row, choices, of, tally);
      const reason = question === ""
        ? "empty question"
        : choices.some((choice) => choice === "")
        ? "empty option"
        : typeof answer === "string"
        ? answer
        : null;
      if (reason !== null) {
        drop(tally, reason, where);
        continue;
      }
      if (new Set(choices.map((c) => c.toLowerCase())).size < 4) {
        countRepair(tally, "two options are the same, kept");
      }
      wantImage(images, imagePath, where);
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `pmc_vqa/${split}/${name}_${k}`,
        dataset: "pmc_vqa",
        split,
        sourceId: `${name}_${k}`,
        imagePath,
        imageId: `pmc_vqa/${row.Figure_path}`,
        caseId: articleOf(row.Figure_path),
        question,
        answer: choices[answer as number],
        choices,
        answerType: "closed",
        caption: row.Caption ? cleanText(row.Caption, tally) : null,
        licence,
      }, where);
    }
  }
  if (requireImages) {
    await requireAllImages(images, `Unpack images.zip (version 1, test_clean) or images_2.zip into ${dir}.`);
  }
  return finishCorpus("pmc_vqa", dir, tally);
}

/** Index of the right option, or the reason why there is none. */
function answerIndex(row: CsvRow, choices: string[], version: Version, tally: Tally): number | string {
  const answer = cleanText(row.Answer ?? row.Anwser, tally);
  const stripped = answer.replace(/^[A-D]\s*:\s*/, "").toLowerCase();
  const byLetter = letterIndex(answer);
  const byText = choices.findIndex((choice) => choice.toLowerCase() === stripped);
  if (row.Answer_label?.trim()) {
    const byLabel = letterIndex(row.Answer_label.trim());
    if (byLabel < 0) return "Answer_label is not A, B, C or D";
    const agrees = choices[byLabel].toLowerCase() === stripped || byLetter === byLabel;
    return agrees ? byLabel : "Answer and Answer_label disagree";
  }
  const [first, second] = version === 2 ? [byLetter, byText] : [byText, byLetter];
  return first >= 0 ? first : second >= 0 ? second : "the answer is none of the options";
}

const letterIndex = (text: string): number => (LETTERS as readonly string[]).indexOf(text.toUpperCase());

/** "PMC1064097_F1.jpg" belongs to article PMC1064097. */
function articleOf(figure: string): string | null {
  const match = figure.match(/^(PMC\d+)_/);
  return match ? `pmc_vqa/${match[1]}` : null;
}
