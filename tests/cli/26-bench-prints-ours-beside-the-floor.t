#!/usr/bin/env bash
# Goal of this test: bench measures ours and the floor in one run and prints
# both; whether the ratio is good enough is not decided on a busy machine.
. "$(dirname "$0")/lib.sh"
exits "bench" 0 e bench --json
is "lines" "7 7" "$(python3 -c '
import json,sys
d = json.load(open(sys.argv[1]))["lines"]
print(len(d), sum(1 for l in d if l["ours"] > 0 and (l["times"] is None or 0.2 < l["times"] < 20)))' "$out")"
exits "--seconds x" 2 e bench --seconds x
exits "no keyring is needed or made" 10 e key list
finish
