import { assertEquals } from "@std/assert";
import { cellTitle, datasetTitle } from "../../lib/config/mod.ts";

Deno.test("cells and data sets have names for people; what is neither keeps its own", () => {
  const titles = [
    ["roco_medpix__with", "ROCO + MedPix, with stage 1"],
    ["pmc_vqa__without", "PMC-VQA, without stage 1"],
    ["medpix2__base", "MedPix 2.0, base model"],
    ["slake__with", "SLAKE, stage 1"],
    ["slake__base", "SLAKE, base model"],
    ["own_ward__with", "ward, with stage 1"],
    ["gpt__4", "gpt__4"],
  ];
  assertEquals(titles.map(([name]) => cellTitle(name)), titles.map(([, title]) => title));
  assertEquals(["own_ward", "vqa_rad", "unknown"].map(datasetTitle), ["ward", "VQA-RAD", "unknown"]);
});
