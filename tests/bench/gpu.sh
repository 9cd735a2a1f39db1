#!/usr/bin/env bash
# gpu.sh OUT [MODEL]: the first table of results/bench/gpu.md in one go, ours and transformers', most important first; each case in
# a process of its own with a limit of its own, one line of JSON in OUT/rows.jsonl or its error in OUT/errors.txt. Python's
# imports are done beside the case before. About five minutes on an H200. MODEL is 3b if not said otherwise; nano and 50m rehearse
# it on any machine. DENO names Deno with the flags it needs (default: deno run -A), PYTHON a Python with torch, transformers
# and PEFT, SLOWER a factor of the limits.
set -u
out=$1 model=${2:-3b} deno=${DENO:-deno run -A} python=${PYTHON:-python3} slower=${SLOWER:-1} at=tests/bench
mkdir -p "$out"; : >"$out/rows.jsonl"; : >"$out/errors.txt"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader >"$out/card.txt" 2>&1

jsonText() { printf '"%s"' "${1//\"/\\\"}"; }
note() { # NAME LIMIT COMMAND: its last line as a row
  local name=$1 limit=$2 start=$SECONDS; shift 2
  if timeout -k 10 $((limit * slower)) bash -c "$*" >"$out/.said" 2>"$out/.wrong"; then
    printf '{"case":%s,"wall":%d,"measured":%s}\n' "$(jsonText "$name")" $((SECONDS - start)) "$(tail -n 1 "$out/.said")" >>"$out/rows.jsonl"
    echo "$name: $((SECONDS - start)) s: $(tail -n 1 "$out/.said" | cut -c1-260)"
  else
    { echo "== $name: exit $? after $((SECONDS - start)) s"; tail -n 5 "$out/.wrong"; } >>"$out/errors.txt"
    echo "$name: failed after $((SECONDS - start)) s: $(tail -n 3 "$out/.wrong" | cut -c1-300)"
  fi
}
step() { note "ours, $1, $2" "$3" "$deno $at/step_case.ts '{\"model\":\"$model\",\"stage\":\"$1\",\"mode\":\"$2\"}'"; }
answers() { note "ours, $2, $1" "$3" "$deno $at/generate_case.ts '{\"model\":\"$model\",\"way\":\"$1\"}' '$2'"; }
peer() { # SCRIPT: imports at once, waits for its input
  rm -f "$out/.go"; mkfifo "$out/.go"
  "$python" "$at/$1" <"$out/.go" >"$out/.peer" 2>"$out/.wrongPeer" & them=$!
  exec 3>"$out/.go"
}
theirs() { # NAME LIMIT INPUT: what the waiting peer measures
  note "transformers, $1" "$2" "$deno $at/peer_input.ts $model '$3' >&3
    tail --pid=$them -f /dev/null; cat '$out/.wrongPeer' >&2; cat '$out/.peer'; [ -s '$out/.peer' ]"
  exec 3>&-; kill "$them" 2>/dev/null; wait "$them" 2>/dev/null
}

many='{"items":16,"samples":5,"tokens":32,"timed":2}' one='{"items":1,"samples":1,"tokens":64,"timed":3}'
peer step.py
step "stage 2, recompute" xla 80
theirs "stage 2, recompute" 40 '"stage 2, recompute"'
peer step.py
step "stage 1, features kept" xla 70
theirs "stage 1" 40 '"stage 1"'
peer generate.py
answers xla "$one" 60
theirs "$one" 40 "$one"
peer generate.py
answers xla "$many" 70
theirs "$many" 40 "$many"
step "stage 1" xla 80
