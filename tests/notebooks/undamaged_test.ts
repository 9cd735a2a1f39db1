/** The control: what is only copied is not noticed, so it is the damage that the other tests see. */
import { undamagedTest } from "./damage.ts";

for (const notebook of ["03", "08"]) undamagedTest(notebook);
