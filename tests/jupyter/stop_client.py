"""Runs cells in a Deno kernel one after another, presses Stop where told to, and prints as JSON what came of each.

usage: stop_client.py STEPS.json    STEPS.json: a list of {"source", "stop": null | "idle" | "running"}
"idle": Stop just before the cell is sent; "running": Stop as soon as the cell has printed "stop here"
"""

import json
import sys
import time

from jupyter_client.manager import KernelManager


def run(manager, client, step):
    output, stopped_at = [], None

    def on_message(message):
        nonlocal stopped_at
        content = message["content"]
        if message["msg_type"] not in ("stream", "error", "display_data", "update_display_data"):
            return
        plain = content.get("data", {}).get("text/plain")
        output.append(content.get("text") or plain or "\n".join(content.get("traceback", [])))
        if step["stop"] == "running" and stopped_at is None and "stop here" in "".join(output):
            stopped_at = time.monotonic()
            manager.interrupt_kernel()

    if step["stop"] == "idle":
        manager.interrupt_kernel()
    reply = client.execute_interactive(step["source"], timeout=60, output_hook=on_message)
    seconds = None if stopped_at is None else time.monotonic() - stopped_at
    content = reply["content"]
    return {
        "status": content["status"],
        "error": content.get("evalue", ""),
        "output": "".join(output),
        "seconds": seconds,
        "count": content.get("execution_count"),
    }


def main():
    with open(sys.argv[1]) as file:
        steps = json.load(file)
    manager = KernelManager(kernel_name="deno")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        print(json.dumps([run(manager, client, step) for step in steps]))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
