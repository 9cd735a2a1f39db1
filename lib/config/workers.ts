/** Which of several processes this one is. */
export interface WorkerPlace {
  /** From 0. */
  rank: number;
  /** Where each process listens, as host:port, in the order of ranks. */
  addresses: readonly string[];
}

const ADDRESSES = "LAB_WORKERS";
/** As launchers tell a process its number: torchrun and its like, Slurm, Open MPI, MPICH, indexed jobs of Kubernetes. */
const RANKS = ["RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "JOB_COMPLETION_INDEX"];
/** And how many there are; Kubernetes does not. */
const SIZES = ["WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

/** Whether the environment says that this process is one of several. */
export const isWorker = (): boolean => Boolean(Deno.env.get(ADDRESSES));

/**
 * The place that the environment gives this process: LAB_WORKERS lists all addresses (a launcher's own variables alone
 * do not make a worker, since batch systems set them for single processes too); the rank is told by the launcher.
 *
 * @returns null where LAB_WORKERS is not set
 * @throws if the variables do not fit each other
 */
export function workerPlace(): WorkerPlace | null {
  const list = Deno.env.get(ADDRESSES);
  if (!list) return null;
  const addresses = list.split(",").map((address) => address.trim());
  const wrong = addresses.find((address, i) =>
    !(Number(/^[^\s:/]+:([1-9]\d{0,4})$/.exec(address)?.[1]) <= 65_535) || addresses.indexOf(address) !== i
  );
  if (wrong !== undefined) {
    throw new Error(
      `${ADDRESSES} has "${wrong}"; expected different addresses host:port with commas between them, in the order of ranks.`,
    );
  }
  const told = (names: readonly string[]) =>
    names.map((name) => ({ name, value: Deno.env.get(name) })).find(({ value }) => value);
  const size = told(SIZES),
    own = told(RANKS),
    rank = /^\d+$/.test(own?.value ?? "") ? Number(own!.value) : NaN;
  if (size && Number(size.value) !== addresses.length) {
    throw new Error(
      `${ADDRESSES} has ${addresses.length} addresses, but ${size.name} is ${size.value}: name one for each process.`,
    );
  }
  if (!own) {
    throw new Error(
      `${ADDRESSES} is set, but none of ${RANKS.join(", ")} tells which of them this process is: set RANK.`,
    );
  }
  if (!Number.isInteger(rank) || rank < 0 || rank >= addresses.length) {
    throw new Error(
      `${own.name} is ${own.value}; expected 0 to ${
        addresses.length - 1
      }, since ${ADDRESSES} has ${addresses.length} ` +
        "addresses.",
    );
  }
  return { rank, addresses };
}
