#!/usr/bin/env bash
# Goal of this test: every verb and sub-verb has --help with options and
# examples, every topic exists, what is not there yet is unknown, and the
# completion scripts know all of it.
. "$(dirname "$0")/lib.sh"
exits "help" 0 e help
for verb in init key unlock encrypt decrypt seal open inspect rewrap rotate \
    plan migrate status pause resume set verify guard audit manifest doctor selftest bench completion help version; do
    prints "lists $verb" "^  $verb "
    e "$verb" --help >"$tmp/h" 2>&1
    is "$verb --help" "0 usage: envelope $verb" "$? $(head -1 "$tmp/h" | cut -d' ' -f1-3)"
    ok "80 columns at most: $verb" awk 'length($0) > 80 { bad = 1 } END { exit bad }' "$tmp/h"
    e help >"$out"
done
for sub in "key list" "key add" "key activate" "key retire" "key disable" \
    "key enable" "key destroy" "key backup" "key restore" "unlock list" \
    "unlock add" "unlock change" "unlock remove" "audit show" "audit verify"; do
    exits "$sub --help" 0 e $sub --help
    prints "$sub has examples" '^examples:'
    prints "$sub has the common options" '--keyring FILE'
    exits "help $sub" 0 e help $sub
done
exits "key --help" 0 e key --help
prints "lists its sub-verbs" '^  key activate '
for topic in exit-codes environment files providers context formats; do
    exits "help $topic" 0 e help $topic
done
exits "an unknown topic" 2 e help exit-cods
says "did you mean" 'envelope help exit-codes'
exits "-h" 0 e encrypt -h
exits "--help before anything else" 0 e --help
exits "--version" 0 e --version
prints "the version" '^envelope [0-9]+\.[0-9]+\.[0-9]+$'
exits "options before the verb" 10 e --keyring none.json -q key list
says "are options" 'none\.json'
exits "an unknown option before the verb" 2 e --frob key list

for verb in contract rollback residue report; do
    exits "$verb is not there yet" 2 e $verb
    says "$verb is unknown" "unknown command: $verb"
    e help >"$out"
    not "$verb is not listed" grep -qE "^  $verb " "$out"
done
exits "audit seal wants to know with what" 2 e audit seal

exits "completion without a shell" 2 e completion
exits "completion for an unknown shell" 2 e completion bsh
says "did you mean" 'did you mean bash'
e completion bash >complete.bash
ok "the bash script parses" bash -n complete.bash
complete() {
    bash -c '. ./complete.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _envelope; printf "%s " "${COMPREPLY[@]}"' _ "$@"
}
is "verbs" "encrypt " "$(complete envelope enc)"
is "sub-verbs" "activate add " "$(complete envelope key a | tr ' ' '\n' | sort | grep . | tr '\n' ' ')"
is "options" "--encoding " "$(complete envelope encrypt --enc)"
is "options of a sub-verb" "--import " "$(complete envelope key add --im)"
is "choices" "text object binary " "$(complete envelope encrypt --encoding '')"
ok "the zsh script begins as one" sh -c "'$envelope' completion zsh | head -1 | grep -qx '#compdef envelope'"
for shell in zsh fish; do
    e completion $shell >complete.$shell
    if command -v $shell >/dev/null; then
        ok "the $shell script parses" $shell -n complete.$shell
    else
        skip "the $shell script parses" "no $shell"
    fi
done
is "every verb is in the fish script" "$(e help | awk '/^  [a-z]/ { print $1 }' | sort | tr '\n' ' ')" \
    "$(sed -n 's/^complete -c envelope -n __fish_use_subcommand -a \([a-z]*\) .*/\1/p' complete.fish | sort | tr '\n' ' ')"
finish
