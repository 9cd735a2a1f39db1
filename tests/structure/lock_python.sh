#!/bin/sh
# Writes requirements*.lock: every Python package of set-up with the hashes of its files, for Python 3.10 to 3.13.
# Needs uv (pip install uv). After a change of requirements*.txt: tests/structure/lock_python.sh
set -eu
cd "$(dirname "$0")/../.."

# compile LOCK ARGUMENTS...: the requirements come from standard input.
compile() {
  lock=$1
  shift
  uv pip compile - --quiet --universal --python-version 3.10 --generate-hashes --no-annotate --no-header \
    --no-config --no-emit-index-url "$@" -o "$lock.part"
  mv "$lock.part" "$lock"
}

compile requirements.lock <requirements.txt
grep -v '^tensorflow-cpu' requirements.txt | cat - requirements-gpu.txt | compile requirements-gpu.lock
compile requirements-models.lock --no-deps <requirements-models.txt
