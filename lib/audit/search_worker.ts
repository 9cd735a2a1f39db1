/** What a worker of findCopies does. */
import { serve } from "../config/mod.ts";
import { type FoundPair, perform, type SearchTask } from "./search.ts";

serve<SearchTask, FoundPair[]>((task) => Promise.resolve({ result: perform(task) }));
