#!/usr/bin/env bash
# Goal of this test: a key is activated when enough readers have it, kept until
# its date, disabled for a reason that is recorded, and a backup is tried
# before it is needed.
. "$(dirname "$0")/lib.sh"
init
mkdir -m 700 reports -p "$XDG_CONFIG_HOME/envelope"
conf=$XDG_CONFIG_HOME/envelope/config.json
e key add --kid k2 -q >/dev/null

exits "a report without a folder" 2 e key report
exits "a reader reports" 0 e key report --reports reports --reader web-1
prints "its generation" 'web-1: generation 2'
exits "enough readers" 2 e key activate k2 --readers 2
exits "too few readers" 14 e key activate k2 --readers 2 --reports reports
says "so many of so many" '1 of 2 readers have reported generation 2'
e key add --kid k3 -q >/dev/null
e key report --reports reports --reader web-2 -q >/dev/null
exits "one is behind" 14 e key activate k2 --readers 2 --reports reports
says "it is named" 'web-1 \(generation 2\)'
exits "the list" 0 e key readers --reports reports
prints "current" '^web-2 +3 .* current$'
prints "behind" '^web-1 +2 .* behind$'
printf '{"mac":1}' >reports/web-3.json
exits "the list as JSON" 0 e key readers --reports reports --json
is "states" '["behind", "current", "unknown"]' "$(python3 -c '
import json,sys
print(json.dumps([r["state"] for r in json.load(open(sys.argv[1]))["readers"]]))' "$out")"
e key report --reports reports --reader web-1 -q >/dev/null
if command -v faketime >/dev/null; then
    exits "reports of two days ago" 14 faketime -f +2d "$envelope" key activate k2 --readers 2 --reports reports
    says "say when" 'last at 20'
    exits "within three days" 14 faketime -f +2d "$envelope" key activate k2 --readers 3 --reports reports --within 72
else
    skip "old reports" "no faketime"
fi
# The rule of the configuration: a flag asks for more, never for less.
printf '{"readers": 2, "reports": "%s/reports"}' "$tmp" >"$conf"
exits "no key that nobody has" 14 e key add --kid k4 --activate
exits "nor by a rotation" 14 e rotate --kid k4
exits "the rule holds without a flag" 0 e key activate k2
exits "and again: the generation is another" 14 e key activate k1 --readers 1
for r in web-1 web-2; do e key report --reader $r -q >/dev/null; done
printf v | e encrypt --context a=b >v.env
exits "a rotation to a key that readers have" 0 e rotate --kid k3 --context a=b v.env
exits "a report by the host's name" 0 e key report
prints "is well formed" '^[a-z0-9][a-z0-9.-]*: generation [0-9]+$'
for text in '{"readers": 0}' '{"readers": "2"}' '{"readers_hours": 9000}' '{"reports": "here"}'; do
    printf '%s' "$text" >"$conf"
    exits "$text" 2 e key list
done
rm "$conf"

# Retention: spec KEY-44.
exits "kept until a date" 0 e key retire k3 --retain-until 2999-01-01T00:00:00Z
exits "earlier is refused" 14 e key disable k3 --retain-until 2998-01-01T00:00:00Z
e key activate k2 -q >/dev/null
exits "disabled for a reason" 0 e key disable k3 --incident INC-42 --reason 'laptop stolen'
says "what to do next" 'rotate'
is "the reason is recorded before" "key disable, reason k3, incident INC-42: laptop stolen" "$(python3 -c '
import json
for line in open("'"$XDG_STATE_HOME"'/envelope/audit.jsonl"):
    r = json.loads(line)
    if "INC-42" in (r["object"] or ""): print(r["verb"], r["object"]); break')"
ok "the log holds" "$envelope" audit verify
exits "not destroyed" 14 e key destroy k3 --yes=k3
says "until then" '2999'
is "it is listed" '"2999-01-01T00:00:00Z"' "$(e key list --json | json '["keys"][2]["retain"]')"
if command -v faketime >/dev/null; then
    exits "after it" 0 faketime '2999-02-01 00:00:00' "$envelope" key destroy k3 --yes=k3 --quiet
else
    skip "destroyed after its date" "no faketime"
fi
exits "a reason of two lines" 2 e key disable k1 --reason $'a\nb'
exits "a date that is none" 2 e key add --kid k9 --retain-until tomorrow

# A backup that is tried: spec KEY-45's words on backups.
e key backup --out b1.json -q >/dev/null
exits "a good backup" 0 e key backup --verify b1.json
prints "a canary" '1 canaries'
e key add --kid k5 --activate -q >/dev/null
exits "a key is missing" 4 e key backup --verify b1.json
prints "it is named" 'key k5 is missing'
says "what to do" 'key backup --out'
e key backup --out b2.json -q >/dev/null
printf real | e encrypt --context field=x >real.env
exits "real data" 0 e key backup --verify b2.json --canary real.env --context field=x
prints "opens" 'real.env opens by the backup'
exits "in its place only" 12 e key backup --verify b2.json --canary real.env --context field=y
exits "not by the older one" 4 e key backup --verify b1.json --json
is "as JSON" '["k5"]' "$(json '["missing"]' <"$out")"
e init --keyring "$tmp/o.json" --key-file "$tmp/o.key" -q >/dev/null 2>&1
exits "of another keyring" 12 e key backup --verify o.json
e init --keyring "$tmp/p.json" --key-file "$key" -q >/dev/null 2>&1
exits "of another keyring with the same key file" 18 e key backup --verify p.json
sed -i 's/"k5"/"k6"/' b2.json
exits "a changed backup" 18 e key backup --verify b2.json
mv "$ring" away
exits "when the keyring is gone" 0 e key backup --verify b1.json
says "that is told" 'looked at alone'
exits "both at once" 2 e key backup --verify b1.json --out b3.json
exits "neither" 2 e key backup
finish
