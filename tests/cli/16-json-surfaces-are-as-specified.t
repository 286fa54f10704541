#!/usr/bin/env bash
# Goal of this test: every --json document of product.md section 7 has exactly
# the members it promises, in one line, with nothing else on standard output.
. "$(dirname "$0")/lib.sh"
shape() { # replace what differs from run to run
    sed -E 's/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/ID/g
            s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/DATE/g; s/[0-9a-f]{64}/HASH/g
            s/"pin":"[0-9a-f]{32}"/"pin":"PIN"/; s#'"$tmp"'#TMP#g'
}
golden() { is "$1" "$2" "$(shape <"$out")"; }

exits "init" 0 e init --kid k1 --json
golden "init" '{"schema":1,"keyring":"ID","path":"TMP/data/envelope/keyring.json","generation":1,"kid":"k1","pin":"PIN","key_file":"TMP/data/envelope/keyring.key"}'
is "warnings are JSON lines, too" 0 "$(grep -cv '^{"type":"[a-z]*","message":".*"}$' "$err")"
exits "key add" 0 e key add --kid k2 --json --quiet
golden "key add" '{"schema":1,"keyring":"ID","generation":2,"pin":"PIN","key":{"kid":"k2","use":"seal","scope":"default","state":"pre-active","created":"DATE","activated":null,"expires":null}}'
is "quiet says nothing" 0 "$(stat -c %s "$err")"
exits "key list" 0 e key list --json
golden "key list" '{"schema":1,"keyring":"ID","generation":2,"keys":[{"kid":"k1","use":"seal","scope":"default","state":"active","created":"DATE","activated":"DATE","expires":null},{"kid":"k2","use":"seal","scope":"default","state":"pre-active","created":"DATE","activated":null,"expires":null}]}'
exits "unlock list" 0 e unlock list --json
golden "unlock list" '{"schema":1,"keyring":"ID","generation":2,"unlock":[{"name":"main","type":"keyfile"}]}'
exits "key backup" 0 e key backup --out b.json --json
golden "key backup" '{"schema":1,"keyring":"ID","generation":2,"file":"b.json"}'
printf v | e encrypt >v.env
exits "inspect" 0 e inspect --json v.env
golden "inspect" '{"schema":1,"version":1,"mode":"derived","kid":"k1","encoding":"text","bytes":112}'
exits "rotate" 0 e rotate --kid k2 --json v.env
golden "rotate" '{"schema":1,"kid":"k2","former":"k1","generation":3,"rotated":1,"skipped":0,"failed":0,"former_may_be_disabled":true}'
exits "audit verify" 0 e audit verify --json
golden "audit verify" '{"schema":1,"ok":true,"records":8,"unauthenticated":1,"head":"HASH","broken_line":null,"reason":""}'
exits "audit show" 0 e audit show --json --tail 1
is "a record as it is stored" "$(tail -1 "$XDG_STATE_HOME/envelope/audit.jsonl")" "$(cat "$out")"
exits "version" 0 e version --json
is "version" '["jansson", "libcrypto", "libsodium", "schema", "version"]' "$(json '.keys()' <"$out" 2>/dev/null || python3 -c 'import json,sys; print(json.dumps(sorted(json.load(open(sys.argv[1])))))' "$out")"
exits "selftest" 0 e selftest --json
is "selftest" 'true' "$(json '["ok"]' <"$out")"
exits "doctor" 0 e doctor --json
is "doctor" '["failures", "ok", "schema", "sections", "warnings"]' "$(python3 -c 'import json,sys; print(json.dumps(sorted(json.load(open(sys.argv[1])))))' "$out")"

# Errors: one line on standard error, nothing on standard output.
exits "an error" 13 e key activate k9 --json
is "one line" '{"type":"error","code":13,"name":"nokey"' "$(cut -d, -f1-3 "$err")"
is "no output" 0 "$(stat -c %s "$out")"
printf 'x' >"$(printf 'na\nme')"
exits "a name with a newline" 19 e decrypt "$(printf 'na\nme')" --json
is "one line" 1 "$(wc -l <"$err")"
exits "the same as text" 19 e decrypt "$(printf 'na\nme')"
is "two lines" 2 "$(wc -l <"$err")"
printf x >"$(printf 'a\033[31mb\377')"
exits "a name that draws on the terminal" 19 e decrypt "$(printf 'a\033[31mb\377')"
not "no escape gets through" grep -q "$(printf '\033')" "$err"
exits "the same as JSON" 19 e decrypt --json "$(printf 'a\033[31mb\377')"
ok "is valid JSON" python3 -c 'import json,sys; json.load(open(sys.argv[1]))' "$err"
finish
