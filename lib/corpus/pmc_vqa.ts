import { join } from "@std/path";
import { cleanText } from "./clean.ts";
import {
  type CsvRow,
  firstThere,
  insideFolder,
  isThere,
  licenceOf,
  newImageCheck,
  readCsv,
  requireAllImages,
  wantImage,
} from "./files.ts";
import {
  type Corpus,
  type CorpusRecord,
  countRepair,
  EMPTY_FIELDS,
  finishCorpus,
  type LoadOptions,
  newTally,
  type Split,
  type Tally,
} from "./record.ts";

const LETTERS = ["A", "B", "C", "D"] as const;
const COLUMNS = [
  "Figure_path",
  "Question",
  ["Answer", "Anwser"],
  ...LETTERS.map((letter) => `Choice ${letter}`),
];
const IMAGE_FOLDERS = ["images", "images_2", "figures", "images/images", "images_2/figures"];

/**
 * PMC-VQA (Zhang et al. 2023), both versions: train.csv and test.csv with images.zip, or train_2.csv and test_2.csv
 * with images_2.zip (taken when both are there). All questions have four options.
 *
 * Answer is the option's text in version 1 (a first release spells the column "Anwser", and adds Answer_label) and its
 * letter in version 2; either is understood in either. Options may begin with "A:" with or without spaces.
 * @param options.version 1 or 2; default: what is there
 * @param options.cleanTest read test_clean.csv as the test split
 * @throws naming file and row
 */
export async function loadPmcVqa(
  dir: string,
  { version, cleanTest = false, requireImages = true }: LoadOptions & {
    version?: 1 | 2;
    cleanTest?: boolean;
  } = {},
): Promise<Corpus> {
  const tally = newTally(), records: CorpusRecord[] = [], images = newImageCheck();
  const licence = await licenceOf(dir, "not stated in the files; see the data set's card");
  const chosen = version ?? (await isThere(join(dir, "train_2.csv")) ? 2 : 1);
  const suffix = chosen === 2 ? "_2" : "";
  const files: [Split, string][] = [
    ["train", `train${suffix}.csv`],
    ["test", cleanTest ? "test_clean.csv" : `test${suffix}.csv`],
  ];
  const imageFolder = await firstThere(dir, IMAGE_FOLDERS) ?? join(dir, "images");
  for (const [split, name] of files) {
    const path = join(dir, name);
    for (const [k, row] of (await readCsv(path, COLUMNS)).entries()) {
      const where = `${path}, row ${k + 1}`;
      const imagePath = insideFolder(imageFolder, row.Figure_path, where);
      const question = cleanText(row.Question, tally);
      const choices = LETTERS.map((letter) => choiceText(row[`Choice ${letter}`], letter, tally));
      const answer = answerIndex(row, choices, tally);
      const reason = question === ""
        ? "empty question"
        : choices.some((choice) => choice === "")
        ? "empty option"
        : typeof answer === "string"
        ? answer
        : null;
      if (reason !== null) {
        tally.dropped.push({ reason, where });
        continue;
      }
      if (new Set(choices.map((c) => c.toLowerCase())).size < 4) {
        countRepair(tally, "two options are the same, kept");
      }
      wantImage(images, imagePath, where);
      records.push({
        ...EMPTY_FIELDS,
        id: `pmc_vqa/${split}/${k}`,
        dataset: "pmc_vqa",
        split,
        sourceId: String(k),
        imagePath,
        imageId: `pmc_vqa/${row.Figure_path}`,
        caseId: articleOf(row.Figure_path),
        question,
        answer: choices[answer as number],
        choices,
        answerType: "closed",
        caption: row.Caption ? cleanText(row.Caption, tally) : null,
        licence,
      });
    }
  }
  if (requireImages) await requireAllImages(images, `Unpack images${suffix}.zip into ${dir}/images.`);
  return finishCorpus("pmc_vqa", dir, records, tally);
}

/** An option without its letter. */
function choiceText(raw: string, letter: string, tally: Tally): string {
  return cleanText(raw.replace(new RegExp(`^\\s*${letter}\\s*:\\s*`), ""), tally);
}

/** Index of the right option, or the reason why there is none. */
function answerIndex(row: CsvRow, choices: string[], tally: Tally): number | string {
  const answer = cleanText(row.Answer ?? row.Anwser, tally);
  const label = row.Answer_label?.trim().toUpperCase() ?? "";
  const byLetter = (LETTERS as readonly string[]).indexOf(answer.toUpperCase());
  const stripped = answer.replace(/^[A-D]\s*:\s*/, "").toLowerCase();
  const byText = choices.findIndex((choice) => choice.toLowerCase() === stripped);
  if (label !== "") {
    const byLabel = (LETTERS as readonly string[]).indexOf(label);
    if (byLabel < 0) return "Answer_label is not A, B, C or D";
    if (choices[byLabel].toLowerCase() === stripped || byLetter === byLabel) return byLabel;
    return "Answer and Answer_label disagree";
  }
  if (byLetter >= 0) return byLetter;
  return byText >= 0 ? byText : "the answer is none of the options";
}

/** "PMC1064097_F1.jpg" belongs to article PMC1064097. */
function articleOf(figure: string): string | null {
  const match = figure.match(/^(PMC\d+)_/);
  return match ? `pmc_vqa/${match[1]}` : null;
}
