#!/usr/bin/env bash
# Goal of this test: inspect says what an envelope says of itself, without a
# keyring, in the exact form of product.md section 7.
. "$(dirname "$0")/lib.sh"
init
e key add --kid w1 --use wrap --activate -q >/dev/null
head -c 40 /dev/urandom >v
for encoding in text object binary; do
    for mode in derived wrapped; do
        e encrypt --encoding $encoding --mode $mode v >v.env
        kid=k1
        [ $mode = wrapped ] && kid=w1
        bytes=$(e encrypt --encoding binary --mode $mode v | wc -c)
        XDG_DATA_HOME=$tmp/none exits "$encoding $mode" 0 e inspect --json v.env
        is "the document" "{\"schema\":1,\"version\":1,\"mode\":\"$mode\",\"kid\":\"$kid\",\"encoding\":\"$encoding\",\"bytes\":$bytes}" "$(cat "$out")"
    done
done
e encrypt v | tr -d '\n' >v.env
exits_in "from standard input" 0 e inspect <v.env
prints "text" '^kid +k1$'
# The known answer of the specification.
printf 'env1:k2026-11:ANu0sCrE4QAHVdOZMgh5r67Ch1BsP1V2kb5xJxhzZrS9VKyxb4Ei7dpyRQmgwivMGmu-wyHteNB4p7cvHcXcx9UheqeV1NQaSe-gmS1JwG98BzPIj9H_k2WYq-m14vx8SEixGYJAPI33JQd8kzHyk2O1FUT6wZg7ryeKsadGQIbGXf21H6OynmE' >known
exits "the known answer" 0 e inspect --json known
is "its document" '{"schema":1,"version":1,"mode":"derived","kid":"k2026-11","encoding":"text","bytes":150}' "$(cat "$out")"
head -c 5000000 /dev/zero | e encrypt --encoding binary >big.env
exits "a large file" 0 e inspect --json big.env
is "bytes" "$(stat -c %s big.env)" "$(json '["bytes"]' <"$out")"
exits_in "plaintext" 19 e inspect < <(echo hello)
exits_in "another version" 19 e inspect < <(printf 'env9:k1:AA')
exits_in "broken" 19 e inspect < <(printf 'env1:K:AA')
exits "no such file" 10 e inspect none
exits "a folder" 1 e inspect "$tmp"
mkdir -m 777 -p "$XDG_CONFIG_HOME/envelope"
echo '{' >"$XDG_CONFIG_HOME/envelope/config.json"
exits "whatever the configuration" 0 e inspect v.env
finish
