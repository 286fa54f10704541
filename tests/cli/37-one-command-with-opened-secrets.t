#!/usr/bin/env bash
# Goal of this test: run opens the envelopes of an env file for one command, by
# variable or descriptor, each in its own place, and runs nothing if one does
# not open; the command gets nothing else of ours.
. "$(dirname "$0")/lib.sh"
umask 022
init
seal() { printf %s "$2" | e encrypt --context "field=$1" "${@:3}"; }
{
    echo '# an env file'
    echo
    echo "DB_PASSWORD=$(seal DB_PASSWORD 'pass word"$x')"
    echo "export API_KEY='$(seal API_KEY key-7)'"
    echo 'PLAIN="as it is $HOME"'
    printf 'CRLF=line\r\n'
} >app.env
chmod 600 app.env
r() { "$envelope" run --env-file app.env "$@"; }
export CANARY=canary ENVELOPE_PASSPHRASE_FILE=
exits "a command" 0 r -- printenv DB_PASSWORD API_KEY PLAIN CRLF
is "with what was sealed and what was not" 'pass word"$x
key-7
as it is $HOME
line' "$(cat "$out")"
exits "its exit code is ours" 7 r -- sh -c 'exit 7'
exits "its standard input is ours" 0 bash -c "echo through | '$envelope' run --env-file app.env -- cat"
prints "through" '^through$'
exits "a variable that is not listed" 1 r -- printenv CANARY
exits "one that is" 0 r --keep A,CANARY -- printenv CANARY
exits "or all" 0 r --keep all -- printenv CANARY
exits "none of ours" 1 env ENVELOPE_KEYRING="$ring" "$envelope" run --keep all --env-file app.env -- printenv ENVELOPE_KEYRING
exits "PATH is kept" 0 r -- printenv PATH
exits "no new privileges" 0 r -- grep 'NoNewPrivs.*1' /proc/self/status
exits "its mask is the caller's" 0 r -- sh -c umask
prints "022" '^0*022$'
exits "no descriptor of ours" 0 bash -c "exec 9<app.env; '$envelope' run --env-file app.env -- ls /proc/self/fd"
is "0 to 2, and the folder that is listed" "0 1 2 3" "$(xargs <"$out")"

# By descriptor.
exits "by descriptor" 0 r --by fd -- sh -c 'cat "$DB_PASSWORD_FILE"; echo; cat "$API_KEY_FILE"; echo; echo "${DB_PASSWORD-none}"; echo "$PLAIN"'
is "read from it" 'pass word"$x
key-7
none
as it is $HOME' "$(cat "$out")"
exits "it cannot be changed" 1 r --by fd -- bash -c 'echo x >"$API_KEY_FILE"'
printf 'a\0b' | e encrypt --context field=NUL | sed 's/^/NUL=/' >nul.env
exits "a NUL in a variable" 2 e run --env-file nul.env -- true
exits "a NUL in a descriptor" 0 e run --env-file nul.env --by fd -- sh -c 'wc -c <"$NUL_FILE"'
prints "all three bytes" '^ *3$'

# Nothing runs unless all opens.
sed 's/^DB_PASSWORD=/OTHER=/' app.env >moved.env
exits "moved to another name" 12 e run --env-file moved.env -- touch ran
says "the variable is named" 'OTHER'
says "the context is explained" 'field=OTHER'
sed "s/^\\(DB_PASSWORD=.*\\)...$/\\1AAA/" app.env >bad.env
exits "changed" 12 e run --env-file bad.env -- touch ran
not "nothing ran" test -e ran
exits "with further context" 12 r --context env=prod -- true
seal A_KEY v --context env=prod | sed 's/^/A_KEY=/' >prod.env
exits "that it was sealed with" 0 e run --env-file prod.env --context env=prod -- printenv A_KEY
seal other v | sed 's/^/A_KEY=/' >other.env
exits "another field, if it is said" 0 e run --env-file other.env --context field=other -- printenv A_KEY

# What may be run.
cp /bin/true mine
chmod 777 mine
exits "a command that others can write" 14 r -- "$tmp/mine"
chmod 755 mine
exits "by its absolute path" 0 r -- "$tmp/mine"
exits "not by a relative one" 10 r -- ./mine
exits "one that is not there" 10 r -- no-such-command
exits "no command" 2 r
printf '#!/bin/sh\necho "$0 $DB_PASSWORD"\n' >script
chmod 755 script
exits "a script" 0 r -- "$tmp/script"
prints "under its own name" "^$tmp/script pass word"

# The file.
chmod 666 app.env
exits "a file that others can write" 14 r -- true
chmod 600 app.env
for text in 'novalue' '1A=b' 'A B=c' '=x' 'A=1
A=2'; do
    printf '%s\n' "$text" >x.env
    exits "line '$text'" 2 e run --env-file x.env -- true
    says "named by its number" 'line [12]'
done
exits "no file" 10 e run --env-file none.env -- true
exits "none named" 2 e run -- true
: >empty.env
exits "an empty file needs the keyring all the same" 0 e run --env-file empty.env -- true
is "no secret in a file of ours" "" "$(grep -rl 'key-7' "$XDG_STATE_HOME" "$XDG_DATA_HOME" "$err")"
finish
