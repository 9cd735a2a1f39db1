"""Executes a notebook headless in a fresh kernel and prints its name, the time and its closing checks.

usage: run_notebook.py SOURCE.ipynb TARGET.ipynb [KEY=VALUE ...]

KEY=VALUE become environment variables of the kernel. On success the executed copy is TARGET; otherwise it is
TARGET with .failed.ipynb, beside an older TARGET, whose results are still there. Exit code 1: a cell failed, the kernel died or swallowed an
error, or there was no closing check. On a terminal the running cell is shown, elsewhere a line every 30 seconds. A cell
that seems to wait for nothing is told of.
"""

import asyncio
import contextlib
import errno
import os
import pathlib
import re
import shutil
import signal
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, DeadKernelError

CHECK = "application/vnd.radvqa.check+json"  # what `check` of lib/jupyter displays
AFTER_IDLE_S = 0.1  # output may still come for so long after a cell's idle message
REPORT_S = 30
STILL_S = 180  # a cell that has neither computed nor shown anything for so long is told of
IDLE = 0.01  # processors that an idle kernel and an idle language model use at most
CAUSES = {  # as lib/config/atomic.ts says it
    errno.ENOSPC: "the disk is full: make room",
    errno.EDQUOT: "your share of the disk is used up: make room",
    errno.EROFS: "the disk is read-only: use another folder, or mount it for writing",
    errno.EACCES: "this user may not write there: change the folder's owner or permissions",
    errno.EPERM: "this user may not write there: change the folder's owner or permissions",
    errno.EIO: "the disk reports an error: check it, or use another",
    errno.EFBIG: "this disk takes no file so large: use another",
    errno.ENOTDIR: "there is a file where its folder should be: use another place",
}
# Runs after the last cell: an un-awaited rejection is collected by lib/jupyter/kernel.ts, not shown as an error.
GUARD = (
    "await new Promise((resolve) => setTimeout(resolve, 50));\n"
    "if (globalThis.__labErrors?.length) throw new Error(globalThis.__labErrors.join('\\n'));"
)


class Status:
    """The line that says where a running notebook is."""

    def __init__(self, name, cells):
        self.name, self.cells, self.cell, self.note = name, cells, 0, ""
        self.live = sys.stdout.isatty()
        self.started = self.reported = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.started

    def update(self, cell=None, note=""):
        self.cell, self.note = (self.cell if cell is None else cell), note
        self.show()

    def show(self):
        due = time.monotonic() - self.reported >= REPORT_S
        if not (self.live or due):
            return
        self.reported = time.monotonic()
        text = f"  {self.name}  cell {self.cell}/{self.cells}  {self.seconds():.0f} s  {self.note}"
        self.clear()
        if self.live and len(text) > self.width():
            text = text[:self.width() - 1] + "…"
        print(text, end="" if self.live else "\n", flush=True)

    def tell_still(self, minutes):
        if minutes is None:
            return
        self.clear()
        print(f"cell {self.cell} of {self.name} has waited for {minutes:.0f} minutes without using the processor. It may wait "
              "for the network or a server; if there is none to wait for, end it with Ctrl-C and run it again: finished "
              "work is kept.", file=sys.stderr, flush=True)

    def width(self):
        """Of a line that the terminal does not break, which could not be written over."""
        return max(2, shutil.get_terminal_size((100, 24)).columns - 1)

    def clear(self):
        if self.live:
            print("\r" + " " * self.width(), end="\r")

    def finish(self, text):
        self.clear()
        print(text, flush=True)


def processor_seconds(root):
    """What a process and all below it have used of the processors; 0 where there is no /proc."""
    used, children = {}, {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()  # "12 (a name) S 1 ...": see proc(5)
        except OSError:  # it has ended
            continue
        pid = int(path.parent.name)
        used[pid] = sum(map(int, fields[11:15]))  # its own and that of children which have ended
        children.setdefault(int(fields[1]), []).append(pid)
    ticks, family = 0, [root]
    while family:
        pid = family.pop()
        ticks += used.get(pid, 0)
        family += children.get(pid, ())
    return ticks / os.sysconf("SC_CLK_TCK")


class Stillness:
    """Notices a cell that waits: its kernel and what that has started hardly compute, and it shows nothing."""

    def __init__(self, pid):
        self.pid, self.looked = pid, 0.0
        self.moved()

    def moved(self):
        self.since, self.due, self.used = time.monotonic(), STILL_S, None

    def look(self):
        """Minutes of stillness, when it is time to tell of them, each time after twice as many; else None."""
        now = time.monotonic()
        if now - self.looked < STILL_S / 10:  # a machine may have thousands of processes to read of
            return None
        used, self.looked = processor_seconds(self.pid), now
        if self.used is None:
            self.used = used
        if used == 0 or used - self.used > IDLE * STILL_S:
            self.moved()
        still = now - self.since
        if still < self.due:
            return None
        self.due *= 2
        return still / 60


class Client(NotebookClient):
    """Keeps reading for a moment after a cell's idle message, reports progress, and tells of a cell that seems to hang."""

    status = None
    stillness = None
    exit_code = None  # of a kernel that died
    ended = None  # the kernel is being ended: at the end, or by a signal to the runner, after which the end comes too

    async def async_start_new_kernel(self, **kwargs):
        await super().async_start_new_kernel(**kwargs)
        self.process = self.km.provisioner.process
        self.stillness = Stillness(self.process.pid)

    async def _async_cleanup_kernel(self):
        if self.ended is None:
            self.ended = asyncio.ensure_future(super()._async_cleanup_kernel())
        await self.ended

    async def _async_check_alive(self):
        if self.ended is not None:  # by a signal: the cell need not be waited for
            raise DeadKernelError("ended")
        self.exit_code = self.process.poll()
        await super()._async_check_alive()

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        self.stillness.moved()
        done = False
        while True:
            wait = AFTER_IDLE_S if done else 1
            try:
                msg = await asyncio.wait_for(self.kc.iopub_channel.get_msg(timeout=None), wait)
            except asyncio.TimeoutError:
                if done:
                    return
                self.status.show()
                self.status.tell_still(self.stillness.look())
                continue
            self.stillness.moved()
            if msg["parent_header"].get("msg_id") != parent_msg_id:
                continue
            if msg["msg_type"] in ("display_data", "update_display_data"):
                lines = msg["content"]["data"].get("text/plain", "").strip().splitlines()
                self.status.update(note=lines[-1] if lines else "")
            try:
                self.process_message(msg, cell, cell_index)
            except CellExecutionComplete:
                done = True


def ooms():
    """How often Linux has ended a process for want of memory since it started, in any group; 0 where it does not say."""
    try:
        fields = dict(line.split() for line in pathlib.Path("/proc/vmstat").read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(fields.get("oom_kill", 0))


def ending(code, ooms_meanwhile):
    """Why a kernel ended, from its exit code (128 + signal, as the shim gives it, or -signal)."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number == signal.SIGKILL and ooms_meanwhile:
        return "it was killed, and the system was out of memory: close other programs or take a smaller batch"
    if number:
        try:
            return f"it got {signal.Signals(number).name}"
        except ValueError:
            pass
    return f"its exit code was {code}"


def closing_checks(notebook):
    """The checks that its cells displayed, as lines of text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"][CHECK]["text"] for output in outputs if CHECK in output.get("data", {})]


def execute(notebook, folder, status):
    """Runs all cells and the guard; returns the error as text, or None."""
    client = Client(notebook, kernel_name="deno", timeout=None, startup_timeout=120, coalesce_streams=True,
                    record_timing=False, resources={"metadata": {"path": str(folder)}})
    client.status, ooms_before = status, ooms()
    client.on_cell_start = lambda cell, cell_index: status.update(cell=cell_index + 1)
    notebook.cells.append(nbformat.v4.new_code_cell(GUARD))
    try:
        client.execute()
    except CellExecutionError as error:
        where = status.cell if status.cell <= status.cells else "after the last"
        if error.ename == "Stopped":  # of lib/jupyter/kernel.ts: by a signal to the runner, with which the kernel ends
            return f"cell {where}: stopped"
        return f"cell {where}: {error.ename}: {error.evalue}\n{error.traceback}"
    except DeadKernelError:
        if client.exit_code is None:
            return f"cell {status.cell}: stopped"
        return f"cell {status.cell}: the kernel ended: {ending(client.exit_code, ooms() - ooms_before)}"
    except RuntimeError as error:
        return f"cell {status.cell}: the kernel did not start: {error}"
    finally:
        notebook.cells.pop()
        notebook.metadata.get("language_info", {}).pop("version", None)
    return None


class DiskError(Exception):
    """One sentence about a file that cannot be written."""


def write(notebook, path):
    """Writes an executed copy whole or not at all."""
    partial = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with open(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            nbformat.write(notebook, file)  # answers about patients' images may be in it
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        cause = CAUSES.get(error.errno)
        if cause is None:
            raise
        raise DiskError(f"{os.path.relpath(path)} cannot be written: {cause} and run again.") from error


def main():
    source, target = map(pathlib.Path, sys.argv[1:3])
    os.environ.update(pair.split("=", 1) for pair in sys.argv[3:])
    notebook = nbformat.read(source, as_version=4)
    failed_copy = target.with_suffix(".failed.ipynb")
    status = Status(source.stem, len(notebook.cells))
    error = execute(notebook, source.resolve().parent, status)
    checks = closing_checks(notebook)
    if error is None and not checks:
        error = "it ended without a closing check (see check in lib/jupyter)"
    name = f"{source.stem:<24} {status.seconds():7.1f} s"
    if error is None:
        try:
            write(notebook, target)
        except DiskError as full:
            error = str(full)
        else:
            with contextlib.suppress(OSError):
                failed_copy.unlink(missing_ok=True)
            status.finish(f"{name}  " + f"\n{'':{len(name)}}  ".join(checks))
            return 0
    status.finish(f"{name}  FAILED")
    print(re.sub(r"\x1b\[[0-9;]*m", "", error).strip(), file=sys.stderr)
    try:
        write(notebook, failed_copy)
        print(f"The notebook as far as it ran: {os.path.relpath(failed_copy)}", file=sys.stderr)
    except DiskError as full:
        print(full, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
