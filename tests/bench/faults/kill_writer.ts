/**
 * Writes runs of all stages one after another, over and over, until it is killed: the process that `./lab bench faults
 * kills` starts. What each stage writes are files of the kinds and names that its notebook writes, but small.
 *
 * usage: kill_writer.ts GENERATION; prints `ready`, then `STAGE GENERATION` after each finished run
 */
import { startRun } from "@lib/artifacts/mod.ts";
import { loadConfig, writeFileAtomicSync } from "@lib/config/mod.ts";

/** What a stage reads and writes. */
interface StageFiles {
  stage: string;
  inputs: string[];
  outputs: string[];
}

const adapters = Array.from({ length: 8 }, (_, i) => `adapters/cell${i}/adapter_model.safetensors`);

/** The course's stages. */
export const STAGES: readonly StageFiles[] = [
  { stage: "00_start_here", inputs: [], outputs: ["accuracy.json", "figures/figure1.png"] },
  { stage: "01_data", inputs: [], outputs: ["records_slake.arrow", "counts.arrow", "accounts.json"] },
  { stage: "02_synthesis", inputs: ["01_data"], outputs: ["pairs.arrow", "teacher.json", "review.html"] },
  { stage: "03_annealing", inputs: ["01_data", "02_synthesis"], outputs: ["pairs.arrow", "schedule.arrow"] },
  { stage: "04_stage1", inputs: ["03_annealing"], outputs: ["curve.arrow", "projector.safetensors"] },
  { stage: "05_stage2", inputs: ["03_annealing", "04_stage1"], outputs: ["curves.arrow", ...adapters] },
  {
    stage: "06_evaluation",
    inputs: ["05_stage2"],
    outputs: ["predictions.arrow", "table1.json", "table1.md"],
  },
  {
    stage: "07_saliency",
    inputs: ["06_evaluation"],
    outputs: ["pointing_game.json", "figures/figure7a.png"],
  },
  { stage: "08_paper", inputs: ["07_saliency"], outputs: ["figure_map.arrow", "figure_map.md"] },
];

/** Writes a run of one stage; its table or JSON says the generation. */
export async function writeStage({ stage, inputs, outputs }: StageFiles, generation: number): Promise<void> {
  const run = await startRun(stage, loadConfig({}), { inputs, outputs });
  for (const output of outputs) {
    const [, name, extension] = /^(.*)\.(\w+)$/.exec(output)!;
    if (extension === "arrow") {
      await run.writeTable(name, Array.from({ length: 50 }, (_, i) => ({ i, generation })));
    } else if (extension === "json") await run.writeJson(name, { generation });
    else if (extension === "md" || extension === "html") await run.writeText(output, `${generation}\n`);
    else {
      const path = run.file(output);
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      writeFileAtomicSync(path, new Uint8Array(20_000).fill(generation % 256));
    }
  }
  await run.finish({ generation });
}

if (import.meta.main) {
  const generation = Number(Deno.args[0]);
  const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  say("ready");
  for (let round = 0;; round++) {
    for (const files of STAGES) {
      await writeStage(files, generation + round);
      say(`${files.stage} ${generation + round}`);
    }
  }
}
