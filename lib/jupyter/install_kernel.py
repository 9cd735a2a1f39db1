"""Writes the Deno kernel (our shim) and JupyterLab's settings into the virtual environment that runs this."""

import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARE = pathlib.Path(sys.prefix) / "share" / "jupyter"
# What the kernel needs also where it is not started by ./lab (an editor, nbconvert).
KERNEL_ENV = ("DENO_DIR", "DENO_NO_UPDATE_CHECK", "JSR_URL", "TF_CPP_MIN_LOG_LEVEL")


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".tmp")
    partial.write_text(json.dumps(value, indent=1) + "\n")
    partial.replace(path)


def main():
    write_json(SHARE / "kernels" / "deno" / "kernel.json", {
        "argv": ["{prefix}/bin/python", str(ROOT / "lib" / "jupyter" / "deno_kernel.py"), "{connection_file}"],
        "display_name": "Deno",
        "language": "typescript",
        "interrupt_mode": "signal",
        "env": {"LAB_KERNEL_SHIM": "1"} | {name: os.environ[name] for name in KERNEL_ENV if name in os.environ},
    })
    write_json(SHARE / "lab" / "settings" / "overrides.json", {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    })


if __name__ == "__main__":
    main()
