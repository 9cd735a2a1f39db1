/** Asks for more memory than its process may have, says what came of it, and goes on. */
import { allocTensor, tf } from "../../lib/tensor/mod.ts";

function ask(): void {
  try {
    allocTensor([1.75e9], "float32", () => {});
  } catch (error) {
    console.log((error as Error).message);
  }
}

ask(); // with little data allowed (ulimit -d), then with few addresses (ulimit -v)
const kilobytes = Number(/^VmSize:\s*(\d+) kB/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
const limits = ["--data=unlimited:", `--as=${1024 * kilobytes + 2 ** 32}:`];
const { success } = new Deno.Command("prlimit", { args: ["--pid", String(Deno.pid), ...limits] })
  .outputSync();
if (success) ask();
console.log(tf.add(tf.scalar(40), 2).dataSync()[0]);
