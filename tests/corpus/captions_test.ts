import { assertEquals } from "@std/assert";
import { loadRocoV1 } from "../../lib/corpus/mod.ts";
import { captionFault } from "../../lib/corpus/clean.ts";

Deno.test("captions that say nothing are dropped for a reason; one word of substance keeps a caption", () => {
  const empty = "caption that says nothing of the image", placeholder = "placeholder caption";
  for (const caption of ["CT Image", "Figure 1", "Fig. 2a", "MRI.", "X-ray image (A)", "This is a CT scan"]) {
    assertEquals([caption, captionFault(caption)], [caption, empty]);
  }
  for (
    const caption of ["IN PROGRESS", "n/a", "...", "Replace this - DESCRIPTION OF THE IMAGE OR FINDINGS."]
  ) {
    assertEquals([caption, captionFault(caption)], [caption, placeholder]);
  }
  for (
    const caption of ["Chest X-ray", "Axial CT", "MRI of the brain", "肺", "Normal", "T2 weighted", "MRI T1."]
  ) {
    assertEquals([caption, captionFault(caption)], [caption, null]);
  }
  assertEquals(captionFault(""), "empty caption");
});

const data = Deno.env.get("LAB_DATA");
Deno.test({
  name: "of 400 real captions of ROCO two are dropped: Figure 1 and Figure 2",
  ignore: data === undefined,
  fn: async () => {
    const { dropped } = await loadRocoV1(`${data}/roco-captions`, { requireImages: false });
    assertEquals(dropped.map(({ where }) => where.replace(/.*row /, "")), ["183", "191"]);
  },
});
