#!/usr/bin/env bash
# Goal of this test: every change is in the audit log, the log can be checked
# by somebody who has only spec/audit-v1.md, goes on under a new ring key, and
# where it cannot be written nothing is done.
. "$(dirname "$0")/lib.sh"
export ENVELOPE_AUDIT=$tmp/log/audit.jsonl
mkdir -m 700 "$tmp/log"
init
ok "a second key" e key add --kid k2 --activate
ok "and a third" e key add --kid k3
exits "verify" 0 e audit verify --json
is "nothing broken" true "$(json '["ok"]' <"$out")"
before=$(json '["records"]' <"$out")

# ---- from the spec alone: the chain ----------------------------------------
cat >check.py <<'PY'
import hashlib, json, sys
MEMBERS = ["audit", "number", "time", "actor", "verb", "object", "outcome",
           "counts", "ring", "pin", "previous_hash", "record_hash", "mac"]
text = open(sys.argv[1], "rb").read()
assert text.endswith(b"\n")                              # spec: AUD-1
previous, pins = "0" * 64, []
for number, line in enumerate(text.split(b"\n")[:-1], 1):
    record = json.loads(line)
    assert list(record) == MEMBERS, list(record)         # spec: AUD-10
    covered = line[:line.rindex(b',"record_hash"')]      # spec: AUD-11
    assert hashlib.sha256(covered).hexdigest() == record["record_hash"]
    assert record["previous_hash"] == previous           # spec: AUD-13
    assert record["number"] == number
    assert (record["ring"] is None) == (record["mac"] is None)
    previous = record["record_hash"]
    if record["pin"] and record["pin"] not in pins:
        pins.append(record["pin"])
print(previous, len(pins))                               # spec: AUD-32
PY
is "the head, from the spec alone" \
    "$(json '["head"]' <"$out" | tr -d '"') 1" \
    "$(python3 check.py "$ENVELOPE_AUDIT")"

# ---- each change has a beginning and an end --------------------------------
# spec: AUD-15
for verb in "init" "key add"; do
    is "$verb: as many ends as beginnings" \
        "$(grep -c "\"verb\":\"$verb\".*\"outcome\":\"begin\"" "$ENVELOPE_AUDIT")" \
        "$(grep -c "\"verb\":\"$verb\".*\"outcome\":\"ok\"" "$ENVELOPE_AUDIT")"
done
exits "a refused change" 14 e key add --kid k2
is "is recorded, too" 1 "$(grep -c '"outcome":"policy"' "$ENVELOPE_AUDIT")"

# ---- a new ring key --------------------------------------------------------
# spec: KEY-47, AUD-20
ok "disable a key" e key disable k3
ok "destroy it" e key destroy k3 --yes=k3
is "closed under the one, opened under the other" \
    '"closed" "opened"' \
    "$(grep '"verb":"ring key changed"' "$ENVELOPE_AUDIT" |
        grep -o '"closed"\|"opened"' | xargs -d '\n')"
exits "verify" 0 e audit verify --json
is "nothing broken" true "$(json '["ok"]' <"$out")"
is "what was written before is held by the chain alone" true \
    "$(json '["unauthenticated"] >= '"$before" <"$out")"
is "two pins, one chain" 2 "$(python3 check.py "$ENVELOPE_AUDIT" | cut -d' ' -f2)"

# ---- no record, no change --------------------------------------------------
cp "$ring" ring.before
printf '{"audit":1' >>"$ENVELOPE_AUDIT"
exits "after a torn line" 17 e key add --kid k4
exits "is named" 18 e audit verify
says "the line" 'cut short'
chmod 644 "$ENVELOPE_AUDIT"
exits "a log that others can read" 17 e key add --kid k4
rm "$ENVELOPE_AUDIT"
mkfifo "$ENVELOPE_AUDIT"
exits "a log that is a pipe" 17 e key add --kid k4
rm "$ENVELOPE_AUDIT"
: >"$tmp/log/envl-migrator-x.so"
exits "a folder of plugins" 17 e key add --kid k4
rm "$tmp/log/envl-migrator-x.so"
chmod 777 "$tmp/log"
exits "a folder that others can write" 17 e key add --kid k4
chmod 700 "$tmp/log"
ENVELOPE_AUDIT=/dev/full
exits "a device" 17 e key add --kid k4
ok "the ring is as it was" cmp "$ring" ring.before
finish
