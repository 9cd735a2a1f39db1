import { assertEquals, assertRejects } from "@std/assert";
import { run } from "../../lib/cli/data.ts";
import { UsageError } from "../../lib/cli/command.ts";
import { encodePng } from "../../lib/image/mod.ts";

for (
  const [args, expected] of [
    [["slake", "--name", "ward"], '--name does not go with "data slake"'],
    [["--image", "picture"], '--image does not go with "data"'],
    [["rm", "ward", "--resplit"], '--resplit does not go with "data rm"'],
    [["add", "folder", "--name", "ward", "--yes"], '--yes does not go with "data add"'],
    [["add", "folder"], '"data add" needs --name NAME'],
    [["add", "--name", "ward"], '"data add" needs one more argument'],
    [["rm"], '"data rm" needs one more argument'],
    [["slake", "pmc_vqa"], "expected one data set, found slake and pmc_vqa"],
  ] as const
) {
  Deno.test(`./lab data ${args.join(" ")} is refused, and nothing is read`, async () => {
    const nowhere = { manifests: "/nowhere", local: "/nowhere" };
    await assertRejects(() => run([...args], nowhere), UsageError, expected);
  });
}

Deno.test("./lab data add shows and registers a set, lists it, and rm forgets it alone", async () => {
  const dir = await Deno.makeTempDir(), local = `${dir}/local`, manifests = `${dir}/manifests`;
  const said: string[] = [], log = console.log;
  console.log = (text: string) => void said.push(text);
  const data = async (...args: string[]) => {
    said.length = 0;
    await run(args, { manifests, local });
    return said.join("\n");
  };
  try {
    await Deno.mkdir(manifests);
    await Deno.mkdir(`${dir}/ward`);
    await Deno.writeFile(
      `${dir}/ward/a.png`,
      await encodePng({ width: 8, height: 8, data: new Uint8Array(192) }),
    );
    await Deno.writeTextFile(`${dir}/ward/bad.png`, "no picture");
    await Deno.writeTextFile(
      `${dir}/ward/train.csv`,
      "image,question,answer\na.png,Is there a mass?,TRUE\na.png,,yes\nb.png,Where?,left\nbad.png,Where?,left\n",
    );
    const added = await data("add", `${dir}/ward`, "--name", "ward");
    for (
      const part of [
        "Is there a mass? -> yes",
        "Rows: 4 read, 3 dropped, 1 kept",
        "dropped 1: empty question",
        "dropped 1: the image file is missing",
        "Images that cannot be decoded: 1\n  bad.png cannot be decoded: it is not a PNG",
        "Registered as ward.",
      ]
    ) assertEquals(added.includes(part), true, `${part}\n${added}`);
    assertEquals((await data()).includes(`ward  your own  ${dir}/ward`), true);
    await data("rm", "ward");
    assertEquals((await data()).includes("ward"), false);
    assertEquals((await Deno.stat(`${dir}/ward/train.csv`)).isFile, true);
  } finally {
    console.log = log;
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("./lab data add says when an image is in two splits, and that --resplit mends it", async () => {
  const dir = await Deno.makeTempDir(), said: string[] = [], log = console.log;
  console.log = (text: string) => void said.push(text);
  try {
    const png = await encodePng({ width: 8, height: 8, data: new Uint8Array(192) });
    await Deno.writeFile(`${dir}/a.png`, png);
    await Deno.writeFile(`${dir}/copy.png`, png);
    await Deno.writeTextFile(
      `${dir}/t.csv`,
      "image,question,answer,split\na.png,Q?,x,train\ncopy.png,Q?,x,test\n",
    );
    const folders = { manifests: dir, local: `${dir}/local` };
    await run(["add", dir, "--name", "ward"], folders);
    assertEquals(said.join("\n").includes("1 images or cases are in several splits"), true);
    assertEquals(said.join("\n").includes("refuses: add --resplit."), true);
  } finally {
    console.log = log;
    await Deno.remove(dir, { recursive: true });
  }
});
