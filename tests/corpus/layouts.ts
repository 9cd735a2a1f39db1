/** One small folder per loader with every oddity of its layout, and what must come of it. */
import { dirname, join } from "@std/path";
import { gzipSync } from "node:zlib";
import {
  type Corpus,
  loadMedPix2,
  loadMedPixShortQa,
  loadMimicCxr,
  type LoadOptions,
  loadOwn,
  loadPmcVqa,
  loadRocoQa,
  loadRocoV1,
  loadRocoV2,
  loadSlake,
  loadVqaRad,
} from "../../lib/corpus/mod.ts";

export type Files = Record<string, string | Uint8Array>;
export interface Layout {
  name: string;
  files: Files;
  /** Without options images may be missing. */
  load(dir: string, options?: LoadOptions): Promise<Corpus>;
  kept: number;
  dropped: Record<string, number>;
  repaired: Record<string, number>;
}

/** A new folder with these files. */
export async function folder(files: Files): Promise<string> {
  const root = await Deno.makeTempDir();
  for (const [name, content] of Object.entries(files)) {
    await Deno.mkdir(dirname(join(root, name)), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(join(root, name), content);
    else await Deno.writeFile(join(root, name), content);
  }
  return root;
}

const fixtures = join(import.meta.dirname!, "fixtures");
const cache = await Deno.makeTempDir();
async function files(root: string, under = ""): Promise<Files> {
  const found: Files = {};
  for await (const { name, isDirectory } of Deno.readDir(join(root, under))) {
    if (isDirectory) Object.assign(found, await files(root, join(under, name)));
    else found[join(under, name)] = await Deno.readFile(join(root, under, name));
  }
  return found;
}
const parquet = async (name: string): Promise<Files> => await files(join(fixtures, name));
const json = (rows: unknown): string => JSON.stringify(rows);
const lines = (...rows: string[]): string => rows.join("\n") + "\n";

const slake = (qid: number, about: Record<string, unknown> = {}) => ({
  img_id: 1,
  img_name: "xmlab1/source.jpg",
  question: "Which organ is it?",
  answer: "Liver",
  q_lang: "en",
  location: "Abdomen",
  modality: "CT",
  answer_type: "OPEN",
  base_type: "vqa",
  content_type: "Organ",
  triple: ["vhead", "_", "_"],
  qid,
  ...about,
});
const reversed = (row: object) => Object.fromEntries(Object.entries(row).reverse());

/** A row of VQA-RAD. */
export const rad = (qid: number | string, about: Record<string, unknown> = {}) => ({
  qid,
  phrase_type: "freeform",
  qid_linked_id: "x",
  image_case_url: "u",
  image_name: "synpic1.jpg",
  image_organ: "HEAD",
  evaluation: "given",
  question: `Question ${qid}?`,
  question_rephrase: "NULL",
  question_relation: "NULL",
  question_frame: "NULL",
  question_type: "PRES",
  answer: "Yes",
  answer_type: "CLOSED",
  ...about,
});

const description = (image: string, caption: string, about: Record<string, unknown> = {}) => ({
  Type: "CT",
  U_id: image.split("_")[0],
  image,
  Description: {
    "ACR Codes": "-1.-1",
    Age: "0",
    Caption: caption,
    "Figure Part": null,
    Modality: "CT",
    Plane: "Axial",
    Sex: "male",
    ...about,
  },
  Location: "Spine",
  "Location Category": "Spine and Muscles",
});
const medpixCase = (uid: string, text: Record<string, unknown>) => ({
  U_id: uid,
  TAC: [],
  MRI: [],
  Case: { Title: "T", History: "H", Exam: "E", Findings: "F", "Case Diagnosis": "D", ...text },
  Topic: {},
});

const V2 = "index,Figure_path,Caption,Question,Choice A,Choice B,Choice C,Choice D,Answer,split";
const V1 = "Figure_path,Question,Answer,Choice A,Choice B,Choice C,Choice D,Answer_label";
const FINDINGS =
  "Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,Lung Opacity," +
  "No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices";
const mimic = {
  split: lines(
    "dicom_id,study_id,subject_id,split",
    "02aa-1,50414267,10000032,train",
    "174d-2,50414267,10000032,train",
    "9b31-3,53189527,10000764,validate",
    "77e0-4,57375967,10000898,test",
  ),
  metadata: lines(
    "dicom_id,subject_id,study_id,ViewPosition,Rows",
    "02aa-1,10000032,50414267,PA,3056",
    "174d-2,10000032,50414267,LATERAL,3056",
    "9b31-3,10000764,53189527,AP,2544",
    "77e0-4,10000898,57375967,,2544",
  ),
  chexpert: lines(
    `subject_id,study_id,${FINDINGS}`,
    "10000032,50414267,1.0,0.0,,-1.0,,,,,,1.0,,,,",
    "10000764,53189527,,,,,,,,,1.0,,,,,",
    "19999999,59999999,1.0,,,,,,,,,,,,,",
  ),
};
const mimicFiles = (packed: boolean): Files =>
  Object.fromEntries(
    Object.entries(mimic).map(([name, text]) => [
      `mimic-cxr-2.0.0-${name}.csv${packed ? ".gz" : ""}`,
      packed ? new Uint8Array(gzipSync(text)) : text,
    ]),
  );
const mimicExpected = {
  // 4 images and one study without images, 14 labels each: 2 x 3 and 1 asked
  kept: 7,
  dropped: {
    "label blank: not mentioned in the report": 2 * 10 + 13,
    "label -1: uncertain": 2,
    "study without a row of labels": 14,
    "labels of a study without images": 14,
  },
  repaired: {},
};

export const LAYOUTS: Layout[] = [
  {
    name: "SLAKE",
    files: {
      "train.json": json([
        slake(0),
        reversed(slake(1, { answer: "Transverse  Plane", answer_type: "CLOSED" })),
        slake(2, { answer: "" }),
        slake(3),
        slake(4, { q_lang: "zh", question: "这是什么?", answer: "MRI" }),
        slake(5, {
          base_type: "kvqa",
          content_type: "KG",
          triple: ["vhead", "function", "ktail"],
          answer: "Liver, Heart",
        }),
      ]),
      "validate.json": json([slake(6)]),
      "test.json": json([slake(7), slake(8)]),
    },
    load: (dir, options) => loadSlake(dir, { requireImages: false, ...options }),
    kept: 6,
    dropped: { "empty answer": 1, "in another language (zh)": 1, "repeats an earlier row of train": 1 },
    repaired: { "run of spaces or odd space made one space": 1 },
  },
  {
    name: "VQA-RAD",
    files: {
      "VQA_RAD Dataset Public.json": json([
        rad("0"),
        rad(1511, { answer: 4, answer_type: "OPEN" }),
        rad(2156, { answer_type: "CLOSED ", phrase_type: "test_para" }),
        rad(2036, { question_rephrase: undefined }),
        rad(2037, { question_rephrase: "Asked in another way?" }),
        rad(168, { question: "Is there\ta mass? ", question_type: "PRES, ATRIB" }),
        rad(2136, { question: "Can you tell if it\uFFFDs there?" }),
        rad(2239, { answer: " left" }),
        rad(7, { question: "Question 2036?" }),
      ]),
    },
    load: (dir, options) => loadVqaRad(dir, { requireImages: false, ...options }),
    kept: 8,
    dropped: { "repeats an earlier row of train": 1 },
    repaired: {
      "damaged apostrophe (U+FFFD) restored": 1,
      "number made a text": 1,
      "outer white space removed": 3,
      "tab or line break made a space": 1,
    },
  },
  {
    name: "VQA-RAD from the hub",
    files: await parquet("vqa_rad_hub"),
    load: (dir, options) => loadVqaRad(dir, { imageCache: cache, ...options }),
    kept: 3,
    dropped: { "empty answer": 1, "repeats an earlier row of train": 1 },
    repaired: { "answer type inferred from yes or no": 4 },
  },
  {
    name: "PMC-VQA 2",
    files: {
      "train_2.csv": lines(
        V2,
        '0,PMC1064097_F1.jpg,"A figure, ""with"" quotes',
        'and a line break",What is it?, A: one, B:two,C:three,four,B,train',
        "1,PMC1064097_F2.jpg,c,What is it?,one,two,three,four,E,train",
        "2,PMC1064097_F3.jpg,c,,one,two,three,four,A,train",
        "3,PMC1064097_F4.jpg,c,Where?,one,two,,four,A,train",
        "4,PMC1064097_F5.jpg,c,Which letter?,B,A,C,D,A,train",
        "5,PMC1064097_F6.jpg,c,Same?,same,Same,three,four,A,train",
        "6,PMC1064097_F6.jpg,c,Same?,same,Same,three,four,A,train",
      ),
      "test_2.csv": lines(V2, "0,PMC2_F1.jpg,c,What is it?,one,two,three,four,three,test"),
    },
    load: (dir, options) => loadPmcVqa(dir, { requireImages: false, ...options }),
    kept: 4,
    dropped: {
      "the answer is none of the options": 1,
      "empty question": 1,
      "empty option": 1,
      "repeats an earlier row of train": 1,
    },
    repaired: {
      "two options are the same, kept": 2,
      "tab or line break made a space": 1,
    },
  },
  {
    name: "PMC-VQA 1, with Anwser",
    files: {
      "train.csv": lines(
        V1.replace("Answer,", "Anwser,"),
        "PMC1_F1.jpg,What?,Focal uptake pattern,A:Diffuse uptake pattern,B:Focal uptake pattern,C:x,D:y,B",
        "PMC1_F2.jpg,What?,A,B,A,C,D,",
        "PMC1_F3.jpg,What?,C,one,two,three,four,",
        "PMC1_F4.jpg,What?,two,one,two,three,four,C",
        "PMC1_F5.jpg,What?,two,one,two,three,four,E",
      ),
      "test_clean.csv": lines(V1, "PMC2_F1.jpg,What?,four, A:one, B:two, C:three, D:four,D"),
    },
    load: (dir, options) =>
      loadPmcVqa(dir, { version: 1, cleanTest: true, requireImages: false, ...options }),
    kept: 4,
    dropped: { "Answer and Answer_label disagree": 1, "Answer_label is not A, B, C or D": 1 },
    repaired: {},
  },
  {
    name: "ROCO v1",
    files: {
      "data/test/radiology/captions.txt": lines(
        "ROCO_00002\t Computed\u00A0tomography, nodule <5 mm. ",
        "ROCO_00007\t OPG.",
        "ROCO_00010\t ",
      ),
      "data/test/radiology/licences.txt": lines(
        "ROCO_ID,PMC_ID,CC",
        "ROCO_00002,PMC4083729_AMHSR-4-14-g002.jpg,CC BY",
        "ROCO_00007,PMC2837471_1.jpg,NO-CC CODE",
      ),
      "data/validation/radiology/captions.txt": lines("ROCO_00016\t A second\u2009\u2009one."),
      "data/validation/radiology/licences.txt": lines("ROCO_ID,PMC_ID,CC", "ROCO_00016,PMC1_1.jpg,CC0"),
    },
    load: (dir, options) => loadRocoV1(dir, { requireImages: false, ...options }),
    kept: 3,
    dropped: { "empty caption": 1 },
    repaired: { "outer white space removed": 1, "run of spaces or odd space made one space": 2 },
  },
  {
    name: "ROCO v1 from the hub",
    files: await parquet("roco_v1_hub"),
    load: (dir, options) => loadRocoV1(dir, { imageCache: cache, ...options }),
    kept: 4,
    dropped: {
      "empty caption": 2,
      "no image": 1,
      "the image is of no known format": 1,
      "image_id of an earlier row": 1,
    },
    repaired: { "outer white space removed": 3, "run of spaces or odd space made one space": 1 },
  },
  {
    name: "ROCOv2",
    files: {
      "train_captions.csv": lines(
        "ID,Caption",
        'ROCOv2_2023_train_000001," A ""quoted"" lung,',
        'two lines"',
        "b,",
      ),
      "train_concepts.csv": lines("ID,CUIs", "ROCOv2_2023_train_000001,C0024109;C0040405"),
      "valid_captions.csv": lines("ID,Caption", "ROCOv2_2023_valid_000001,A liver."),
      "test_captions.csv": lines("ID,Caption"),
    },
    load: (dir, options) => loadRocoV2(dir, { requireImages: false, ...options }),
    kept: 2,
    dropped: { "empty caption": 1 },
    repaired: { "outer white space removed": 1, "tab or line break made a space": 1 },
  },
  {
    name: "ROCOv2 from the hub",
    files: await parquet("roco_v2_hub"),
    load: (dir, options) => loadRocoV2(dir, { imageCache: cache, ...options }),
    kept: 6,
    dropped: {},
    repaired: {},
  },
  {
    name: "MedPix 2.0",
    files: {
      "MedPix-2-0/Descriptions.json": JSON.stringify(
        [
          description("MPX1001_synpic1", "Axial CT\nshows • a  mass <5mm & more."),
          description("MPX1001_synpic2", "Replace this - DESCRIPTION OF THE IMAGE OR FINDINGS."),
          description("MPX1002_synpic3", "CT of the head", {
            Plane: null,
            Sex: "N/A",
            Modality: " MR - Montage of Images",
          }),
          description("MPX1003_synpic4", "\t"),
        ],
        null,
        4,
      ),
      "MedPix-2-0/Case_topic.json": JSON.stringify(
        [
          medpixCase("MPX1001", { History: "old\r\n\x0b \uF06E cough", Exam: "N/A" }),
          medpixCase("MPX1002", { Findings: undefined, History: null }),
          medpixCase("MPX1003", {}),
        ],
        null,
        4,
      ),
      "MedPix-2-0/splitted_dataset/uid_list.json": json({
        train: ["MPX1001"],
        train_1: ["MPX1001"],
        train_2: [],
        dev: ["MPX1002"],
        test: ["MPX1003"],
      }),
    },
    load: (dir, options) => loadMedPix2(dir, { requireImages: false, ...options }),
    kept: 2,
    dropped: { "placeholder caption": 1, "empty caption": 1 },
    repaired: {
      "no exam given": 1,
      "no findings given": 1,
      "no history given": 1,
      "no plane given": 1,
      "no sex given": 1,
      "outer white space removed": 1,
      "run of spaces or odd space made one space": 1,
      "tab or line break made a space": 1,
    },
  },
  {
    name: "MIMIC-CXR-JPG",
    files: mimicFiles(false),
    load: (dir, options) => loadMimicCxr(dir, { requireImages: false, ...options }),
    ...mimicExpected,
  },
  {
    name: "MIMIC-CXR-JPG, packed",
    files: mimicFiles(true),
    load: (dir, options) => loadMimicCxr(dir, { requireImages: false, ...options }),
    ...mimicExpected,
  },
  {
    name: "MEDPIX-ClinQA's CSV",
    files: {
      "dataset_sa.csv": lines(
        "image_id,case_id,question,answer,ans_len,mode,split,new_lines",
        'sample/MPX1001_synpic1.png,MPX1001,What might the diagnosis be?,"It includes • one',
        'and another.",7,pre_training,Train,1',
        "sample/MPX1001_synpic1.png,MPX1001, Where is it?, Left.,1,alignment,Train,0",
        "sample/MPX1002_synpic3.png,MPX1002,What is seen?,A mass.,2,alignment,Train,0",
        "sample/MPX1003_synpic4.png,MPX1003,What is seen?,,0,alignment,Valid,0",
        "sample/MPX1003_synpic4.png,MPX1003,Is it normal?,No,1,alignment,Valid,0",
        "sample/MPX1004_synpic5.png,MPX1004,What is seen?,A cyst.,2,alignment,Test,0",
      ),
    },
    load: (dir, options) => loadMedPixShortQa(dir, { requireImages: false, ...options }),
    kept: 5,
    dropped: { "empty answer": 1 },
    repaired: { "outer white space removed": 2, "tab or line break made a space": 1 },
  },
  {
    name: "MEDPIX-ShortQA from the hub",
    files: await parquet("medpix_short_qa_hub"),
    load: (dir, options) => loadMedPixShortQa(dir, { imageCache: cache, ...options }),
    kept: 5,
    dropped: { "repeats an earlier row of train": 1 },
    repaired: {
      "answer type inferred from yes or no": 6,
      "outer white space removed": 2,
      "tab or line break made a space": 1,
    },
  },
  {
    name: "MEDPIX-ClinQA's sample.parquet",
    files: await parquet("medpix_short_qa_sample"),
    load: (dir, options) => loadMedPixShortQa(dir, { imageCache: cache, ...options }),
    kept: 2,
    dropped: {},
    repaired: { "answer type inferred from yes or no": 2 },
  },
  {
    name: "ROCO-QA from the hub",
    files: await parquet("roco_qa_hub"),
    load: (dir, options) => loadRocoQa(dir, { imageCache: cache, ...options }),
    kept: 2,
    dropped: { "empty question": 1 },
    repaired: { "answer type inferred from yes or no": 2 },
  },
  {
    name: "your own CSV and JSON lines",
    files: {
      "a.png": "a picture",
      "sub/b.dcm": "a picture",
      "train.csv": lines(
        "image,question,answer,choices,case,note",
        'a.png,Which?,b,"[""left"", ""right""]",p1,x',
        "sub/b.dcm,Which?,Left,left|right,p1,x",
        "a.png,Which?,up,left|right,p1,x",
        "a.png,Which?,left,left,p1,x",
        ",Is it normal?,yes,,,",
        "a.png,,yes,,,",
        "./a.png,Is it normal?, Yes ,,,",
      ),
      "val.jsonl": lines(
        json({ image: "a.png", question: "How many?", answer: 2, id: 7 }),
        "",
        json({ image: "a.png", question: "Which?", answer: "2", choices: [1, 2], split: "Test" }),
      ),
    },
    load: (dir, options) => loadOwn("mine", { path: dir }, { imageCache: cache, signal: options?.signal }),
    kept: 5,
    dropped: {
      "the answer is none of the options": 1,
      "an empty option, or a single one": 1,
      "no image": 1,
      "empty question": 1,
    },
    repaired: { "number made a text": 1, "outer white space removed": 1 },
  },
  {
    name: "your own Parquet",
    files: await parquet("own_parquet"),
    load: (dir, options) => loadOwn("mine", { path: dir }, { imageCache: cache, signal: options?.signal }),
    kept: 5,
    dropped: { "no image": 2, "repeats an earlier row of train": 1 },
    repaired: {},
  },
];
