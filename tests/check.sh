#!/usr/bin/env bash
# Run every test; each stage's log stays under build/check/.
#   check.sh              all stages
#   check.sh STAGE...     only these
# Prints each runner's closing line, and last `N passed, N failed, N skipped`.
set -u
cd "$(dirname "$0")/.." || exit 1
logs=$PWD/build/check
mkdir -p "$logs"
rm -f "$logs"/closing "$logs"/*.log
passed=0 failed=0 skipped=0
jobs=$(nproc)
# Of this run alone: what is left under it was left by this run.
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/envl-check.XXXXXX") || exit 1
export TMPDIR
chmod 711 "$TMPDIR"
trap 'rm -rf "$TMPDIR"' EXIT
export CMOCKA_MESSAGE_OUTPUT=STDOUT

# add LOG: take the closing lines of cmocka and of our own runners.
add() {
    local n
    n=$(awk '/^\[  PASSED  \] [0-9]+ test/ { n += $4 }
             match($0, /[0-9]+ passed, [0-9]+ failed/) {
                 split(substr($0, RSTART), f, " "); n += f[1] }
             END { print n + 0 }' "$1")
    passed=$((passed + n))
    n=$(awk '/^\[  FAILED  \] [0-9]+ test/ { n += $4 }
             match($0, /[0-9]+ passed, [0-9]+ failed/) {
                 split(substr($0, RSTART), f, " "); n += f[3] }
             END { print n + 0 }' "$1")
    failed=$((failed + n))
    n=$(awk '/^\[  SKIPPED \] [0-9]+ test/ { n += $4 }
             match($0, /, [0-9]+ skipped/) {
                 split(substr($0, RSTART), f, " "); n += f[2] }
             END { print n + 0 }' "$1")
    skipped=$((skipped + n))
    echo "$n" >/dev/null
}

# stage NAME COMMAND...: run it, show how it closed, and its tail if it failed.
stage() {
    local name=$1 log=$logs/$1.log start=$SECONDS before=$failed rc
    shift
    "$@" >"$log" 2>&1 </dev/null
    rc=$?
    add "$log"
    printf '== %-18s %4ds  ' "$name" $((SECONDS - start))
    if [ $rc -eq 0 ] && [ "$failed" -eq "$before" ]; then
        echo ok
        grep -hE '([0-9]+ passed, [0-9]+ failed)' "$log" | tail -3 |
            sed 's/^/     /'
        grep -hE '^(SKIP|skipped:|skip:)' "$log" | sort -u | head -20 |
            sed 's/^/     /'
    else
        echo "FAILED (exit $rc)"
        [ "$failed" -eq "$before" ] && failed=$((failed + 1))
        grep -hE '^(not ok|FAIL|\[  FAILED|.*: (error|Error):)' "$log" |
            head -40 | sed 's/^/     /'
        tail -40 "$log" | sed 's/^/     | /'
    fi
}

build() { make --no-print-directory -j"$jobs" "$@"; }

# Every unit test of a BUILD, two at a time; RUN may hold a wrapper.
units() {
    make --no-print-directory -j"$jobs" "$@" unit-build || return 1
    local out
    out=$(make --no-print-directory "$@" print-units)
    # shellcheck disable=SC2086
    printf '%s\n' $out | grep -vE "/test_(${SKIP:-none})$" | xargs -P "$jobs" -I{} bash -c '
        log=$(mktemp)
        ${RUN:-} "{}" >"$log" 2>&1; rc=$?
        cat "$log"
        [ $rc -eq 0 ] || { echo "FAIL {} exit $rc"; grep -m 9 -E "ERROR|!=" "$log"; }
        rm -f "$log"
        exit $((rc != 0))'
}

# Not under valgrind: tests that end children with _exit or a signal (their
# memory counts as lost), and those whose time valgrind multiplies; ASan or
# TSan runs them.
no_valgrind='keyring_(fault|race|watch|large)|threads|sweep_fault|steer|fork|child|exec'
valgrind_units() {
    echo "skip: under valgrind, by name: $no_valgrind"
    RUN="valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite" \
        SKIP="$no_valgrind" ENVL_TEST_QUICK=1 units BUILD=debug
}
asan_units() {
    ASAN_OPTIONS=detect_leaks=1 ENVL_TEST_QUICK=1 units BUILD=asan
}
# What many threads share: seal and open, the ring's views, a sweep's workers.
tsan_units() {
    local test status=0
    make --no-print-directory -j"$jobs" BUILD=tsan tsan-build || return 1
    for test in $(make --no-print-directory BUILD=tsan print-tsan); do
        ENVL_TEST_QUICK=1 "$test" || status=1
    done
    return $status
}
installed() { bash tests/install/test_install.sh; }
# Processes that this run started and nobody waits for: they know its TMPDIR,
# and are not below this script any more.
strays() {
    local at pid up
    for at in /proc/[0-9]*; do
        pid=${at#/proc/} up=${at#/proc/}
        tr '\0' '\n' 2>/dev/null <"$at/environ" | grep -qxF "TMPDIR=$TMPDIR" ||
            tr '\0' ' ' 2>/dev/null <"$at/cmdline" | grep -qF "$TMPDIR" ||
            continue
        while [ "${up:-0}" -gt 1 ] && [ "$up" != $$ ]; do
            up=$(awk '/^PPid:/ { print $2 }' "/proc/$up/status" 2>/dev/null)
        done
        [ "$up" = $$ ] || ps -o pid=,args= -p "$pid"
    done
}
leftovers() {
    local left
    left=$(git status --porcelain --untracked-files=all)
    [ -z "$left" ] || { echo "FAIL the tests left files in the tree:"; echo "$left"; return 1; }
    left=$(strays)
    [ -z "$left" ] || { echo "FAIL processes left:"; echo "$left"; return 1; }
    echo "leftovers: 2 passed, 0 failed, 0 skipped"
}

all="release clang lint symbols unit cli install interop sqlite postgres mongo sweep faults demo providers fuzz tsan asan valgrind leftovers"
for name in ${@:-$all}; do
    case $name in
    release)  stage release build all ;;
    clang)    stage clang build CC=clang all ;;
    lint)     stage lint sh tests/lint/run ;;
    symbols)  stage symbols build symbols ;;
    unit)     stage unit units ;;
    cli)      stage cli bash tests/cli/run ;;
    install)  stage install installed ;;
    interop)  stage interop /usr/bin/python3 tests/interop/test_interop.py build/release/envelope
              stage known-answers /usr/bin/python3 tests/interop/check_known_answers.py ;;
    sqlite)   stage sqlite build check-sqlite ;;
    postgres) stage postgres build check-postgres ;;
    mongo)    stage mongo build check-mongo
              stage mongo-sweep bash tests/mongo/run ;;
    sweep)    stage sweep bash tests/integration/run ;;
    faults)   stage faults bash tests/faults/run ;;
    demo)     stage quickstart bash tests/demo/quickstart.sh
              stage demo bash tests/demo/test_demo.sh ;;
    providers) stage providers bash tests/providers/run ;;
    fuzz)     stage fuzz build fuzz-replay ;;
    tsan)     stage tsan tsan_units ;;
    asan)     stage asan asan_units ;;
    valgrind) stage valgrind valgrind_units ;;
    soak)     stage soak bash tests/integration/soak ;;
    leftovers) stage leftovers leftovers ;;
    *) echo "check: no stage '$name'" >&2; exit 2 ;;
    esac
done

echo "$passed passed, $failed failed, $skipped skipped" | tee "$logs/closing"
[ "$failed" -eq 0 ]
