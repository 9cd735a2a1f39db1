#!/usr/bin/env bash
# gpu.sh OUT [MODEL]: every row of results/bench/h100.md in one go, ours and transformers', most important first; each case in
# a process of its own with a limit of its own (22 minutes together), one line of JSON in OUT/rows.jsonl or its error in
# OUT/errors.txt. MODEL is 3b if not said otherwise, and has not been run on a GPU yet; nano and 50m rehearse it on any machine. DENO names Deno with the flags it
# needs (default: deno run -A; with the GPU kit .venv/bin/deno run --no-lock --cached-only -A), PYTHON a Python with torch, transformers and PEFT, SLOWER a factor of the limits.
set -u
out=$1 model=${2:-3b} deno=${DENO:-deno run -A} python=${PYTHON:-python3} slower=${SLOWER:-1} at=lib/cli/support
mkdir -p "$out"; : >"$out/rows.jsonl"; : >"$out/errors.txt"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader >"$out/card.txt" 2>&1

jsonText() { printf '"%s"' "${1//\"/\\\"}"; }
note() { # NAME LIMIT COMMAND: its last line as a row
  local name=$1 limit=$2 start=$SECONDS; shift 2
  if timeout -k 10 $((limit * slower)) bash -c "$*" >"$out/.said" 2>"$out/.wrong"; then
    printf '{"case":%s,"wall":%d,"measured":%s}\n' "$(jsonText "$name")" $((SECONDS - start)) "$(tail -n 1 "$out/.said")" >>"$out/rows.jsonl"
    echo "$name: $((SECONDS - start)) s"
  else
    { echo "== $name: exit $? after $((SECONDS - start)) s"; tail -n 5 "$out/.wrong"; } >>"$out/errors.txt"
    echo "$name: failed after $((SECONDS - start)) s"
  fi
}
step() { note "ours, $1, $2" "$3" "$deno $at/bench_case.ts '{\"model\":\"$model\",\"stage\":\"$1\",\"mode\":\"$2\"}'"; }
answers() { note "ours, $2, $1" "$3" "$deno $at/bench_generate_case.ts '{\"model\":\"$model\",\"way\":\"$1\"}' '$2'"; }
their_step() { note "transformers, $1" "$2" "$deno tests/bench/peer_input.ts $model '\"$1\"' | $python $at/bench_step.py"; }
their_answers() { note "transformers, $1" "$2" "$deno tests/bench/peer_input.ts $model '$1' | $python $at/bench_generate.py"; }

many='{"items":16,"samples":5,"tokens":32,"timed":2}' one='{"items":1,"samples":1,"tokens":64,"timed":3}'
step "stage 2, recompute" xla 100
step "stage 2, recompute" graph 100
their_step "stage 2, recompute" 60
step "stage 1, features kept" graph 60
step "stage 1" graph 60
their_step "stage 1" 60
answers xla "$one" 90
answers graph "$one" 60
their_answers "$one" 60
answers xla "$many" 120
answers graph "$many" 60
their_answers "$many" 60
answers "graph, a call a token" "$many" 60
step "stage 2" graph 90
their_step "stage 2" 60
step "stage 1, features kept" xla 90
step "stage 2" xla 120
