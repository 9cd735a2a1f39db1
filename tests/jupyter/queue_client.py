"""Sends cells to a Deno kernel as JupyterLab's Run All does, all at once, and prints as JSON what came back.

usage: queue_client.py CELLS.json [SECONDS]    CELLS.json: a list of sources; after SECONDS the kernel is interrupted
"""

import json
import queue
import sys
import time

from jupyter_client.manager import KernelManager

cells = json.load(open(sys.argv[1]))
interrupt_after = float(sys.argv[2]) if len(sys.argv) > 2 else None
manager = KernelManager(kernel_name="deno")
manager.start_kernel()
client = manager.client()
client.start_channels()
try:
    client.wait_for_ready(timeout=60)
    ids = [client.execute(source) for source in cells]
    outputs = {i: [] for i in ids}
    idle, interrupted, started = set(), False, time.monotonic()
    while len(idle) < len(ids) and time.monotonic() - started < 90:
        if interrupt_after is not None and not interrupted and time.monotonic() - started > interrupt_after:
            manager.interrupt_kernel()
            interrupted = True
        try:
            message = client.get_iopub_msg(timeout=0.2)
        except queue.Empty:
            continue
        parent, content = message["parent_header"].get("msg_id"), message["content"]
        if parent not in outputs:
            continue
        if message["msg_type"] == "status":
            if content["execution_state"] == "idle":
                idle.add(parent)
        elif parent in idle:
            outputs[parent].append("AFTER IDLE")
        if message["msg_type"] == "stream":
            outputs[parent].append(content["text"])
        elif message["msg_type"] in ("display_data", "execute_result"):
            outputs[parent].append(content["data"].get("text/plain", ""))
    replies = {}
    while len(replies) < len(ids):
        reply = client.get_shell_msg(timeout=10)
        if reply["parent_header"]["msg_id"] in ids:  # and not a late answer to wait_for_ready
            replies[reply["parent_header"]["msg_id"]] = reply["content"]
    after = client.execute_interactive("1 + 1", timeout=20, output_hook=lambda message: None)
    print(json.dumps({
        "outputs": ["".join(outputs[i]) for i in ids],
        "replies": [[replies[i]["status"], replies[i].get("evalue", "")] for i in ids],
        "alive": after["content"]["status"] == "ok",
    }))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
