import { assert, assertEquals } from "@std/assert";
import { damaged, pictureFiles } from "./pictures.ts";
import { readDamaged } from "./picture_reader.ts";

const files = pictureFiles();

Deno.test("damaged pictures are decoded or refused in one sentence: one of each file (./lab bench faults pictures: more)", async () => {
  const problems: string[] = [];
  for (let index = 0; index < files.length; index++) {
    const { name, problem } = await readDamaged(index, files);
    if (problem) problems.push(`${name}: ${problem}`);
  }
  assertEquals(problems, []);
  assert(files.length > 150, `${files.length}`);
});

Deno.test("a damage is the same every time, and changes the file", () => {
  for (const index of [0, 77, 1234]) {
    const { path, bytes } = damaged(index, files);
    assertEquals(damaged(index, files).bytes, bytes);
    assert(bytes.join() !== Deno.readFileSync(path).join(), path);
  }
});
