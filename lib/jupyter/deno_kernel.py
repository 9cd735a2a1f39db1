"""Jupyter kernel shim: runs `deno jupyter --kernel` behind a proxy that hands it one execute_request at a time.

Deno's own kernel sends console output after a cell's idle message, labels output with the newest queued request, so that
Run All shows it under the wrong cell, and goes on with queued cells after an error. The shim holds queued requests back,
passes idle on once the output channel has been quiet, and aborts the queue on an error.
"""

import ctypes
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time
import unicodedata
from collections import deque

import zmq
from jupyter_client.session import Session

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1,localhost,::1"
QUIET_S = 0.06  # an idle message is passed on after this much silence
START_S = 60  # Deno must answer for the first time within
STOP_S = 2  # a cell that still runs so long after Stop is told of
# Deno takes signals only while it runs something: one that came too late for a cell must not end the next.
TAKE_SIGNAL = "await new Promise((resolve) => setTimeout(resolve, 0))"
SURVIVE_SIGNAL = 'Deno.addSignalListener("SIGINT", () => {})'  # else the kernel ends, until lib/jupyter is imported
STOPPING = "Stop: this cell ends when its present step is done. Restart the kernel to end it at once.\n"
PR_SET_PDEATHSIG = 1
CHANNELS = ("shell", "control", "stdin", "iopub", "hb")
DELIMITER = b"<IDS|MSG>"
PRINTED = ("stream", "error", "execute_result", "execute_reply")
PORTS = range(20_000, 32_768)
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def free_ports(n):
    """n ports of the loopback interface that nobody listens on. Below those that Linux gives to outgoing connections:
    one of these could take a port between here and Deno's own bind."""
    sockets = []
    for port in random.sample(PORTS, len(PORTS)):
        if len(sockets) == n:
            break
        s = socket.socket()
        try:
            s.bind(("127.0.0.1", port))
            sockets.append(s)
        except OSError:
            s.close()
    free = len(sockets) == n
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    if not free:
        sys.exit(f"The kernel needs {n} free ports from {PORTS[0]} to {PORTS[-1]} on 127.0.0.1, {len(ports)} are: "
                 "end other kernels and servers, then start it again.")
    return ports


def parse(frames):
    """(identities, header, parent header, content) of a wire message."""
    i = frames.index(DELIMITER)
    return frames[:i], json.loads(frames[i + 2]), json.loads(frames[i + 3]), json.loads(frames[i + 5])


def end_with_parent(with_signal):
    """Linux sends this process the signal when its parent ends, however that happens."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, with_signal)


def begin_child():
    """Runs in Deno's process: in a group of its own it gets no signal that is meant for this process."""
    os.setpgid(0, 0)
    end_with_parent(signal.SIGKILL)


def visible(value):
    """Text of data, servers and errors in what a cell prints: control characters and characters that hide or turn text
    are shown as <U+001B>, as `visible` of text.ts shows them."""
    if isinstance(value, list):
        return [visible(one) for one in value]
    if isinstance(value, dict):
        return {key: visible(one) for key, one in value.items()}
    if not isinstance(value, str) or value.isascii() and value.isprintable():
        return value
    return "".join(f"<U+{ord(c):04X}>" if is_hidden(c) else c for c in value.replace("\r\n", "\n"))


def is_hidden(c):
    return unicodedata.category(c) in HIDDEN and c not in "\n\t" or ord(c) & 0xFFFE == 0xFFFE


class Shim:
    """Client sockets in front, Deno's behind; the names of the channels are Jupyter's."""

    def __init__(self, connection_file):
        with open(connection_file) as f:
            front = json.load(f)
        back = {**front, "ip": "127.0.0.1", "transport": "tcp"}
        back.update({f"{c}_port": p for c, p in zip(CHANNELS, free_ports(len(CHANNELS)))})
        self.back_file = connection_file + ".deno.json"
        with open(os.open(self.back_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
            json.dump(back, f)
        self.context = zmq.Context()
        kinds = dict(zip(CHANNELS, (zmq.ROUTER, zmq.ROUTER, zmq.ROUTER, zmq.PUB, zmq.REP)))
        self.front = {c: self.socket(kinds[c], front, c, bind=True) for c in CHANNELS}
        self.back = {c: self.socket(zmq.DEALER, back, c) for c in ("shell", "control", "stdin")}
        self.back["iopub"] = self.socket(zmq.SUB, back, "iopub")
        self.back["iopub"].subscribe(b"")
        self.session = Session(key=front["key"].encode())
        self.poller = zmq.Poller()
        for s in [self.front[c] for c in ("shell", "control", "stdin", "hb")] + list(self.back.values()):
            self.poller.register(s, zmq.POLLIN)
        self.routes = {}  # request id -> identities of the client that asked
        self.queue = deque()  # execute requests that wait
        self.running = None  # {"header", "stop_on_error"} of the one Deno works on
        self.replied = self.failed = False
        self.held_idle, self.quiet_at = None, 0.0
        self.stopped = False  # Stop was pressed
        self.own = set()  # ids of requests that are this shim's
        self.turning = False  # one of them is under way
        self.signalled = False  # Deno was interrupted in the running cell
        self.late_at = None  # when to say that the cell still runs
        self.parent = os.getppid()
        deno = os.path.join(sys.prefix, "bin", "deno")
        command = [deno, "jupyter", "--quiet", "--kernel", "--conn", self.back_file]
        os.environ["NO_COLOR"] = "1"  # so that every escape sequence in an output is foreign
        # Deno looks for deno.json, which names the rooms of lib, from its folder upwards.
        self.folder = pathlib.Path.cwd()
        start = self.folder if self.folder.is_relative_to(ROOT) else ROOT
        self.child = subprocess.Popen(command, preexec_fn=begin_child, cwd=start)

    def socket(self, kind, connection, channel, bind=False):
        s = self.context.socket(kind)
        s.linger = 500
        address = f"{connection['transport']}://{connection['ip']}:{connection[channel + '_port']}"
        (s.bind if bind else s.connect)(address)
        return s

    def shown(self, frames):
        """The message with its texts as a person may see them, signed anew."""
        _, header, _, content = parse(frames)
        clean = visible(content) if header["msg_type"] in PRINTED else content
        if clean == content:
            return frames
        i = frames.index(DELIMITER)
        body = [*frames[i + 2:i + 5], json.dumps(clean).encode()]
        return [*frames[:i + 1], self.session.sign(body), *body, *frames[i + 6:]]

    def to_deno(self, channel, frames):
        identities, header, _, _ = parse(frames)
        self.routes[header["msg_id"]] = identities
        self.back[channel].send_multipart(frames[len(identities):])

    def to_client(self, channel, frames):
        identities, header, parent, _ = parse(frames)
        route = self.routes.get(parent.get("msg_id"), [])
        if channel != "stdin":
            self.routes.pop(parent.get("msg_id"), None)
        self.front[channel].send_multipart(route + frames[len(identities):])

    def on_shell_request(self, frames):
        if parse(frames)[1]["msg_type"] == "execute_request":
            self.queue.append(frames)
        else:
            self.to_deno("shell", frames)

    def on_shell_reply(self, frames):
        frames = self.shown(frames)
        _, _, parent, content = parse(frames)
        if parent.get("msg_id") in self.own:
            self.turning = False
            return
        if self.running and parent.get("msg_id") == self.running["header"]["msg_id"]:
            self.replied = True
            self.failed = content.get("status") == "error" and self.running["stop_on_error"]
        self.to_client("shell", frames)

    def on_output(self, frames):
        frames = self.shown(frames)
        _, header, parent, content = parse(frames)
        if parent.get("msg_id") in self.own:
            return
        is_idle = header["msg_type"] == "status" and content["execution_state"] == "idle"
        if self.running and is_idle and parent.get("msg_id") == self.running["header"]["msg_id"]:
            self.held_idle = frames
        else:
            self.front["iopub"].send_multipart(frames)
        self.quiet_at = time.monotonic() + QUIET_S

    def await_deno(self):
        """Asks Deno until its output channel is heard, since a subscription takes effect only after a while."""
        end = time.monotonic() + START_S
        while self.child.poll() is None and time.monotonic() < end:
            self.session.send(self.back["shell"], "kernel_info_request", {})
            if self.back["iopub"].poll(100):
                break
        for channel in ("iopub", "shell"):  # the answers are nobody else's
            while self.back[channel].poll(QUIET_S * 1000):
                self.back[channel].recv_multipart()

    def finish_cell(self):
        self.front["iopub"].send_multipart(self.held_idle)
        self.held_idle = self.running = self.late_at = None
        if self.failed:
            self.abort_queue()
        self.failed = False
        if self.signalled:
            self.signalled = False
            self.run_own(TAKE_SIGNAL)

    def abort_queue(self):
        while self.queue:
            identities, header, _, _ = parse(self.queue.popleft())
            parent = {"header": header}
            status = {"execution_state": "busy"}
            self.session.send(self.front["iopub"], "status", status, parent=parent, ident=b"status")
            self.session.send(self.front["shell"], "execute_reply", {"status": "aborted"}, parent=parent, ident=identities)
            status = {"execution_state": "idle"}
            self.session.send(self.front["iopub"], "status", status, parent=parent, ident=b"status")

    def start_next(self):
        frames = self.queue.popleft()
        _, header, _, content = parse(frames)
        self.running = {"header": header, "stop_on_error": content.get("stop_on_error", True)}
        self.replied = False
        self.to_deno("shell", frames)

    def on_interrupt(self, *_):
        self.stopped = True

    def stop(self):
        """Deno gets the signal only while a cell runs, which `stopSignal` then ends; without one nothing is to be stopped."""
        self.stopped = False
        if self.running:
            self.abort_queue()
            self.child.send_signal(signal.SIGINT)
            self.signalled = True
            self.late_at = time.monotonic() + STOP_S

    def run_own(self, code):
        """Runs code that no client asked for, before any other cell."""
        request = {"code": code, "silent": True, "store_history": False, "allow_stdin": False}
        self.own.add(self.session.send(self.back["shell"], "execute_request", request)["header"]["msg_id"])
        self.turning = True

    def tell_late(self):
        self.late_at = None
        parent = {"header": self.running["header"]}
        stream = {"name": "stderr", "text": STOPPING}
        self.session.send(self.front["iopub"], "stream", stream, parent=parent, ident=b"stream")

    def run(self):
        self.await_deno()
        self.run_own(f"{SURVIVE_SIGNAL}; Deno.chdir({json.dumps(str(self.folder))})")
        while self.child.poll() is None and os.getppid() == self.parent:
            ready = dict(self.poller.poll(5 if self.held_idle else 200))
            if self.stopped:
                self.stop()
            for channel in ("control", "stdin"):
                if self.front[channel] in ready:
                    self.to_deno(channel, self.front[channel].recv_multipart())
                if self.back[channel] in ready:
                    self.to_client(channel, self.back[channel].recv_multipart())
            if self.front["hb"] in ready:
                self.front["hb"].send(self.front["hb"].recv())
            if self.front["shell"] in ready:
                self.on_shell_request(self.front["shell"].recv_multipart())
            if self.back["shell"] in ready:
                self.on_shell_reply(self.back["shell"].recv_multipart())
            while self.back["iopub"].poll(0):
                self.on_output(self.back["iopub"].recv_multipart())
            if self.held_idle and self.replied and time.monotonic() >= self.quiet_at:
                self.finish_cell()
            if self.late_at and time.monotonic() >= self.late_at:
                self.tell_late()
            if self.queue and not self.running and not self.turning:
                self.start_next()
        return self.child.returncode or 0

    def close(self):
        if self.child.poll() is None:
            self.child.terminate()
        if os.path.exists(self.back_file):
            os.remove(self.back_file)
        self.context.destroy(linger=500)


def main():
    end_with_parent(signal.SIGTERM)
    # Where no ./lab started this (an editor); in install_kernel's env it would come before a user's own.
    os.environ.setdefault("CUDA_CACHE_PATH", os.path.join(sys.prefix, "state", "cuda"))
    for name in ("NO_PROXY", "no_proxy"):  # servers on this machine are asked directly
        if "127.0.0.1" not in os.environ.get(name, ""):
            os.environ[name] = ",".join(filter(None, (os.environ.get(name), LOOPBACK)))
    shim = Shim(sys.argv[1])
    signal.signal(signal.SIGINT, shim.on_interrupt)

    def stop(*_):
        shim.close()
        os._exit(143)

    signal.signal(signal.SIGTERM, stop)
    try:
        code = shim.run()
    finally:
        shim.close()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
