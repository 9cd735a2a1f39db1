/** A process of this machine; its number and the moment it began tell it from any later one. */
export interface Process {
  pid: number;
  parent: number;
  /** In the system's ticks since it started. */
  began: number;
  /** Its command line. */
  command: string;
}

/** All processes that have not ended, by number; none where there is no /proc. */
function processes(): Map<number, Process> {
  const found = new Map<number, Process>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`); // "12 (a name) S 1 ...": see proc(5)
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z") continue; // it waits to be asked how it ended
      const command = Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " ");
      found.set(+name, { pid: +name, parent: +fields[1], began: +fields[19], command });
    } catch { /* it has ended */ }
  }
  return found;
}

/** A process and all that ever came below it, whoever adopted them since. */
export type Family = Map<number, Process>;

/** The family of a running process, to be kept up to date by {@link living}. */
export function familyOf(pid: number): Family {
  const root = processes().get(pid);
  return new Map(root && [[pid, root]]);
}

/** The members that have not ended; whatever they started meanwhile has joined the family. */
export function living(family: Family): Process[] {
  const all = processes(), isMember = (one?: Process) => one && family.get(one.pid)?.began === one.began;
  for (let before = -1; before !== family.size;) {
    before = family.size;
    for (const one of all.values()) {
      if (isMember(one) || isMember(all.get(one.parent))) family.set(one.pid, one);
    }
  }
  return [...all.values()].filter(isMember);
}
