"""Executes a notebook headless and says how it went.

usage: run_notebook.py SOURCE.ipynb TARGET.ipynb [KEY=VALUE ...]

KEY=VALUE become environment variables of the kernel. The executed copy is written whole, also after a failure. Exit code
1: a cell failed, or the kernel swallowed an error. The last line of standard output is JSON: {"seconds", "ok", "check"}.
"""

import asyncio
import json
import os
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, DeadKernelError

CHECK = "application/vnd.radvqa.check+json"  # what `check` of lib/jupyter displays
AFTER_IDLE_S = 0.1
GUARD = (
    "await new Promise((resolve) => setTimeout(resolve, 50));\n"
    "if (globalThis.__labErrors?.length) throw new Error('swallowed: ' + globalThis.__labErrors.join('; '));"
)


class PatientClient(NotebookClient):
    """Keeps reading for a moment after a cell's idle message, since output may come later."""

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        done = False
        while True:
            try:
                message = self.kc.iopub_channel.get_msg(timeout=None)
                msg = await asyncio.wait_for(message, AFTER_IDLE_S if done else None)
            except asyncio.TimeoutError:
                return
            if msg["parent_header"].get("msg_id") == parent_msg_id:
                try:
                    self.process_message(msg, cell, cell_index)
                except CellExecutionComplete:
                    done = True


def closing_check(notebook):
    """The last check that a cell displayed: {"ok", "text"}, or None."""
    found = None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found = output.get("data", {}).get(CHECK, found)
    return found


def main():
    source, target, *environment = sys.argv[1:]
    os.environ.update(pair.split("=", 1) for pair in environment)
    notebook = nbformat.read(source, as_version=4)
    started = time.time()
    folder = os.path.dirname(os.path.abspath(source))
    client = PatientClient(notebook, kernel_name="deno", timeout=None, coalesce_streams=True,
                           resources={"metadata": {"path": folder}})
    notebook.cells.append(nbformat.v4.new_code_cell(GUARD))
    error = None
    try:
        client.execute()
    except (CellExecutionError, DeadKernelError) as e:
        error = str(e)
    finally:
        notebook.cells.pop()
        notebook.metadata.get("language_info", {}).pop("version", None)
        os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
        nbformat.write(notebook, target + ".tmp")
        os.replace(target + ".tmp", target)
    check = closing_check(notebook)
    if error is None and check is None:
        error = "the notebook ended without a closing check"
    if error:
        print(error, file=sys.stderr)
    print(json.dumps({"seconds": round(time.time() - started, 1), "ok": error is None, "check": check and check["text"]}))
    return 1 if error else 0


if __name__ == "__main__":
    sys.exit(main())
