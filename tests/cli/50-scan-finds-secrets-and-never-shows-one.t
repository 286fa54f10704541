#!/usr/bin/env bash
# Goal of this test: scan says where plaintext secrets are in files, why and
# how sure it is, keeps to a baseline, writes SARIF, and never shows a value.
. "$(dirname "$0")/lib.sh"
# TEST DATA, made of chance: nothing here opens anything.
drawn() { head -c 400 /dev/urandom | base64 -w0 | tr -d '+/=' | head -c "$1"; }
canary=Zz9$(drawn 20)aB3
mkdir -p src/conf src/.git
printf 'key = "sk_live_%s"\n' "$canary" >src/a.py
printf 'services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: postgres\n' >src/conf/compose.yml
printf 'DB_PASSWORD=%s\nPORT=5432\n' "$canary" >src/.env
printf 'token_%s' "$canary" >src/.git/config
printf 'a\0b password=%s' "$canary" >src/binary
printf 'openapi: 3.0.0\ncomponents:\n  schemas:\n    U:\n      properties:\n        api_key:\n          type: string\n' >src/api.yaml
printf 'password=env1:k1:%s\n' "$canary" >src/sealed.env
ln -s /etc/passwd src/link
mkfifo src/pipe

exits "secrets are findings" 4 e scan src
prints "a token by its form" 'src/a.py:1:8 +key +high +stripe-key'
prints "a default password" 'src/conf/compose.yml:4:26 +POSTGRES_PASSWORD +medium +default-password'
prints "a named value" 'src/.env:1:13 +DB_PASSWORD +high +named-secret'
prints "a contract" 'src/api.yaml:6:9 +api_key +medium +contract-secret'
is "four of them" 4 "$(grep -c '^src/' "$out")"
says "the remedy" 'reissue each secret'
is "no value anywhere" 0 "$(cat "$out" "$err" | grep -c "$canary")"

exits "as JSON" 4 e scan --json src
is "schema" 1 "$(json '["schema"]' <"$out")"
is "found" 4 "$(json '["found"]' <"$out")"
is "what was not looked into" "binary link pipe" \
    "$(python3 -c 'import json,sys,os; print(*sorted(os.path.basename(s["path"]) for s in json.load(sys.stdin)["skipped"]))' <"$out")"
is "no value in it" 0 "$(grep -c "$canary" "$out")"

exits "only what is sure" 4 e scan --least high --json src
is "two" 2 "$(json '["found"]' <"$out")"

exits "a baseline is written" 0 e scan --write-baseline base.json src
is "it holds no value" 0 "$(grep -c "$canary" base.json)"
exits "what is in it is no finding" 0 e scan --baseline base.json src
prints "and is counted" '4 more are in the baseline'
printf 'other = "ghp_%s"\n' "$canary$(drawn 20)" >>src/a.py
exits "what is new is one" 4 e scan --baseline base.json --json src
is "one" 1 "$(json '["found"]' <"$out")"
is "the new one" '"github-token"' "$(json '["findings"][0]["rule"]' <"$out")"
sed -i 1d src/a.py
exits "what has gone is said" 4 e scan --baseline base.json src
says "so" '1 entries of the baseline were not found'
printf 'key = "sk_live_%s"\n' "$(drawn 30)x9Y8z7" >src/a.py
exits "another secret in a known place is a finding" 4 \
    e scan --baseline base.json --json src
is "it" '"stripe-key"' "$(json '["findings"][0]["rule"]' <"$out")"

cp base.json .envelope-baseline.json
printf 'key = 1\n' >src/a.py
exits "--ci finds the baseline by itself" 0 e scan --ci src
exits "SARIF" 4 e scan --sarif - src
is "its version" '"2.1.0"' "$(json '["version"]' <"$out")"
is "its results" 3 "$(python3 -c 'import json,sys; print(len(json.load(sys.stdin)["runs"][0]["results"]))' <"$out")"
is "no value in it" 0 "$(grep -c "$canary" "$out")"

exits_in "standard input" 4 e scan - <src/.env
exits "nothing to find" 0 e scan src/sealed.env
exits "no such path" 10 e scan none
echo '{}' >base.json
exits "no baseline" 19 e scan --baseline base.json src
says "the remedy" 'write a new one'
exits "no path" 2 e scan
finish
