import { rng } from "../../config/mod.ts";
import { CAPTION_TEMPLATES, captionFor } from "../captions.ts";
import type { Phantom } from "../draw.ts";
import { pick, type Region } from "../names.ts";
import { type LayoutJob, phantomsOf, recordTruth, type Split, SPLITS } from "./exams.ts";
import { encodePng, jsonLines, put } from "./files.ts";

const COMPLAINT: Record<Region, readonly string[]> = {
  chest: ["cough", "shortness of breath", "chest pain"],
  abdomen: ["abdominal pain", "fatigue", "nausea"],
  head: ["headache", "dizziness", "confusion"],
};
const CATEGORY: Record<Region, string> = { chest: "Thorax", abdomen: "Abdomen", head: "Head" };
const CASE_KEYS = [
  "Case Diagnosis",
  "Diagnosis By",
  "Differential Diagnosis",
  "Discussion",
  "Exam",
  "Findings",
  "History",
  "Title",
  "Treatment & Follow Up",
];
const PLACEHOLDER = "Replace this - DESCRIPTION OF THE IMAGE OR FINDINGS.";

type Json = Record<string, unknown>;
interface Case {
  U_id: string;
  TAC: string[];
  MRI: string[];
  Case: Record<string, string>;
  Topic: Record<string, string>;
}

/**
 * MedPix 2.0's layout: Descriptions.json, Case_topic.json, splitted_dataset/ (cases, descriptions and uid_list.json
 * per split; train is train_1 + train_2) and images/*.png. Counts are cases; a case has 1 to 3 CT or MR images of one
 * region. Like the real files it has missing Case keys (null in the .jsonl files), captions with a line break or two
 * spaces, one null Plane, and a few placeholder captions.
 */
export async function writeMedPix2(job: LayoutJob): Promise<void> {
  const descriptions: Json[] = [], cases: Case[] = [];
  const uids: Record<string, string[]> = {};
  let caseNumber = 1000, imageNumber = 10_000;
  for (const split of SPLITS) {
    const random = rng(`medpix cases/${split}/${job.seed}`);
    const phantoms = phantomsOf("medpix2", split, job.seed);
    const splitCases: Case[] = [];
    for (let k = 0; k < job.counts[split]; k++) {
      const shown = nextImages(phantoms, 1 + Math.floor(random() * 2.3));
      const uid = `MPX${caseNumber++}`;
      const names = shown.map(() => `${uid}_synpic${imageNumber++}`);
      const findings = shown.map((p) => captionFor(p, Math.floor(random() * CAPTION_TEMPLATES)));
      splitCases.push(caseOf(uid, shown, names, findings, random));
      const place = locationOf(shown[0], random);
      const age = String(18 + Math.floor(random() * 70)), sex = pick(["male", "female", "N/A"], random);
      for (const [i, phantom] of shown.entries()) {
        const serial = descriptions.length;
        descriptions.push({
          Type: phantom.modality === "ct" ? "CT" : "MR",
          U_id: uid,
          image: names[i],
          Description: {
            "ACR Codes": "-1.-1",
            Age: age,
            Caption: oddCaption(findings[i], serial),
            "Figure Part": serial % 6 === 0 ? String(i + 1) : null,
            Modality: phantom.modality === "ct" ? "CT - noncontrast" : "MR - T2 weighted",
            Plane: serial === 20 ? null : "Axial",
            Sex: sex,
          },
          Location: place,
          "Location Category": CATEGORY[phantom.region],
        });
        const file = `medpix2/images/${names[i]}.png`;
        await put(job.root, file, await encodePng(rgb(phantom.pixels), 3));
        await recordTruth(job, "medpix2", split, file, phantom);
      }
    }
    cases.push(...splitCases);
    for (const [part, members] of Object.entries(parts(split, splitCases))) {
      uids[part] = members.map((c) => c.U_id);
      const ids = new Set(uids[part]);
      await put(job.root, `medpix2/splitted_dataset/data_${part}.jsonl`, jsonLines(members.map(withNulls)));
      const rows = descriptions.filter((d) => ids.has(d.U_id as string));
      await put(job.root, `medpix2/splitted_dataset/descriptions_${part}.jsonl`, jsonLines(rows));
    }
  }
  await put(job.root, "medpix2/splitted_dataset/uid_list.json", JSON.stringify(uids, null, 4));
  await put(job.root, "medpix2/Descriptions.json", JSON.stringify(descriptions, null, 4));
  await put(job.root, "medpix2/Case_topic.json", JSON.stringify(cases, null, 4));
}

/** The next CT or MR phantoms of one region: the first decides which. */
function nextImages(phantoms: Generator<Phantom>, count: number): Phantom[] {
  const shown: Phantom[] = [];
  while (shown.length < count) {
    const phantom: Phantom = phantoms.next().value;
    if (phantom.modality !== "x-ray" && (shown.length === 0 || phantom.region === shown[0].region)) {
      shown.push(phantom);
    }
  }
  return shown;
}

function caseOf(
  uid: string,
  shown: Phantom[],
  names: string[],
  findings: string[],
  random: () => number,
): Case {
  const { lesion, organ, region } = shown[0];
  const title = lesion ? `${lesion} of the ${organ}` : `normal ${region}`;
  const ofType = (ct: boolean) => names.filter((_, i) => (shown[i].modality === "ct") === ct);
  const text: Record<string, string> = {
    Title: title,
    History: `patient with ${pick(COMPLAINT[region], random)}.`,
    Findings: findings.join(". ") + ".",
    "Case Diagnosis": title,
    "Diagnosis By": "ground truth of the phantom",
  };
  if (random() < 0.3) delete text.Findings;
  if (random() < 0.7) text.Exam = random() < 0.1 ? "N/A" : "unremarkable physical examination.";
  return {
    U_id: uid,
    TAC: ofType(true),
    MRI: ofType(false),
    Case: text,
    Topic: {
      Title: title,
      "Disease Discussion": `phantom case: ${title}.`,
      "ACR Code": "-1.-1",
      Category: "Phantom",
    },
  };
}

/** Location as MedPix words it, from the first image; some cases carry a rare one, which the pathology filter drops. */
function locationOf(phantom: Phantom, random: () => number): string {
  const chance = random();
  if (chance < 0.03) return "Left Blank";
  if (phantom.region === "chest") return "Chest, Pulmonary";
  if (phantom.region === "head") return chance < 0.09 ? "Head and Neck" : "Brain and Neuro";
  return phantom.organ === "kidney" ? "Genitourinary" : "Gastrointestinal";
}

function oddCaption(caption: string, serial: number): string {
  if (serial % 90 === 41) return PLACEHOLDER;
  if (serial % 30 === 7) return caption.replace(" ", "  ");
  return serial % 30 === 17 ? `${caption}\n` : caption;
}

/** Train comes as a whole and in two halves; validation is called dev. */
function parts(split: Split, cases: Case[]): Record<string, Case[]> {
  if (split !== "train") return { [split === "validation" ? "dev" : "test"]: cases };
  const half = Math.floor(cases.length / 2);
  return { train: cases, train_1: cases.slice(0, half), train_2: cases.slice(half) };
}

/** The .jsonl form of a case: keys in alphabetical order, missing ones as null. */
function withNulls(c: Case): Json {
  const text = Object.fromEntries(CASE_KEYS.map((key) => [key, c.Case[key] ?? null]));
  return { Case: text, MRI: c.MRI, TAC: c.TAC, Topic: c.Topic, U_id: c.U_id };
}

function rgb(grey: Uint8Array): Uint8Array {
  const out = new Uint8Array(grey.length * 3);
  grey.forEach((g, i) => out.fill(g, i * 3, i * 3 + 3));
  return out;
}
