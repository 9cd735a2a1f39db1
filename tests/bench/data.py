"""transformers' image processor over files: pixel values, seconds, peak memory, as one line of JSON.

usage: data.py < {"files": [...], "size": 448, "by": "one thread" | "threads" | "processes", "workers": 2, "passes": 3}

The first pass is not timed; it hashes every picture's values. In "processes" the values stay in the process that made
them: copying them to the one that trains is not counted.
"""

import concurrent.futures
import hashlib
import json
import sys
import time

import numpy
import PIL
import transformers
from PIL import Image
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

case = json.load(sys.stdin)
processor = SiglipImageProcessorPil(size={"height": case["size"], "width": case["size"]})


def values(path):
    return processor(Image.open(path), return_tensors="np")["pixel_values"]


def digest(path):
    return hashlib.sha256(numpy.ascontiguousarray(values(path), dtype="<f4")).hexdigest()


def process(path):
    """Seconds of a core that one picture took."""
    start = time.thread_time()
    values(path)
    return time.thread_time() - start


def peak_mib(_=None):
    time.sleep(0.2)  # so that every worker answers one of these
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def timed(apply):
    hashes = list(apply(digest, case["files"]))
    start = time.perf_counter()
    core = sum(sum(apply(process, case["files"])) for _ in range(case["passes"]))
    return {"hashes": hashes, "seconds": time.perf_counter() - start, "coreSeconds": core}


if __name__ == "__main__":
    peaks = []
    if case["by"] == "one thread":
        found = timed(map)
    elif case["by"] == "threads":
        with concurrent.futures.ThreadPoolExecutor(case["workers"]) as pool:
            found = timed(pool.map)
    else:
        # forked: the workers share what is imported already
        import multiprocessing

        with concurrent.futures.ProcessPoolExecutor(
            case["workers"], mp_context=multiprocessing.get_context("fork")
        ) as pool:
            found = timed(lambda f, files: pool.map(f, files, chunksize=4))
            peaks = list(pool.map(peak_mib, range(case["workers"])))
    versions = {"transformers": transformers.__version__, "pillow": PIL.__version__, "numpy": numpy.__version__}
    print(json.dumps(found | {"peakMiB": peak_mib() + sum(peaks), "versions": versions}))
