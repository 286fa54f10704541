# Shared by tests/cli/*.t: a home of its own, and assertions that count.
#
#   . "$(dirname "$0")/lib.sh"
#   exits DESCRIPTION CODE COMMAND...   the exit code; output in $out and $err
#   says DESCRIPTION PATTERN            the last command's standard error
#   prints DESCRIPTION PATTERN          the last command's standard output
#   is DESCRIPTION WANT GOT
#   ok DESCRIPTION COMMAND...
#   skip DESCRIPTION REASON
#   finish                              prints the count; the last line
set -u
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
envelope=${ENVELOPE:-$repo/build/release/envelope}
case $envelope in /*) ;; *) envelope=$PWD/$envelope ;; esac
[ -x "$envelope" ] || { echo "not ok: no command at $envelope"; exit 1; }

tmp=$(mktemp -d "${TMPDIR:-/tmp}/envl-cli.XXXXXX")
trap 'cleanup' EXIT
cleanup() {
    type on_exit >/dev/null 2>&1 && on_exit
    chmod -R u+rwx "$tmp" 2>/dev/null
    rm -rf "$tmp"
}
export HOME=$tmp/home XDG_DATA_HOME=$tmp/data XDG_STATE_HOME=$tmp/state \
    XDG_CONFIG_HOME=$tmp/config LC_ALL=C
unset ENVELOPE_KEYRING ENVELOPE_KEY_FILE ENVELOPE_PASSPHRASE_FILE \
    ENVELOPE_AUDIT ENVELOPE_PIN ENVELOPE_UNLOCK CREDENTIALS_DIRECTORY NO_COLOR
mkdir -m 700 "$HOME"
cd "$tmp" || exit 1
ring=$XDG_DATA_HOME/envelope/keyring.json
key=$XDG_DATA_HOME/envelope/keyring.key
out=$tmp/.out err=$tmp/.err
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); }
fail() {
    failed=$((failed + 1))
    echo "not ok $1"
    shift
    for line; do printf '    %s\n' "$line"; done
}

e() { "$envelope" "$@"; }

exits() {
    desc=$1 want=$2
    shift 2
    "$@" >"$out" 2>"$err" </dev/null
    got=$?
    if [ $got -eq "$want" ]; then pass
    else fail "$desc: exit $want wanted, $got given" "$(head -3 "$err")"; fi
}
# The same with standard input as it is.
exits_in() {
    desc=$1 want=$2
    shift 2
    "$@" >"$out" 2>"$err"
    got=$?
    if [ $got -eq "$want" ]; then pass
    else fail "$desc: exit $want wanted, $got given" "$(head -3 "$err")"; fi
}
says() {
    if grep -qE -e "$2" "$err"; then pass
    else fail "$1: no '$2' on standard error" "$(head -3 "$err")"; fi
}
says_not() {
    if grep -qE -e "$2" "$err"; then
        fail "$1: '$2' on standard error" "$(head -3 "$err")"
    else pass; fi
}
prints() {
    if grep -qE -e "$2" "$out"; then pass
    else fail "$1: no '$2' on standard output" "$(head -3 "$out")"; fi
}
is() {
    if [ "$2" = "$3" ]; then pass
    else fail "$1" "wanted: $2" "given:  $3"; fi
}
ok() {
    desc=$1
    shift
    if "$@" >"$tmp/.ok" 2>&1 </dev/null; then pass
    else fail "$desc (exit $?)" "$(head -3 "$tmp/.ok")"; fi
}
not() {
    desc=$1
    shift
    if "$@" >/dev/null 2>&1 </dev/null; then fail "$desc"; else pass; fi
}
skip() {
    skipped=$((skipped + 1))
    echo "skip: $1: $2"
}
finish() {
    echo "$(basename "$0"): $passed passed, $failed failed, $skipped skipped"
    [ $failed -eq 0 ]
    exit
}
mode_of() { stat -c %a "$1"; }
# A member of a JSON document on standard input: json '.["kid"]' or '["a"][0]'
json() { python3 -c "import json,sys; d=json.load(sys.stdin); print(json.dumps(d$1))"; }
init() { "$envelope" init --kid k1 -q "$@" >/dev/null 2>&1; }
