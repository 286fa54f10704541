#!/bin/sh
# venv.sh NAME - a Python environment for tests, under build/venv/NAME, with
# what tests/support/requirements-NAME.txt pins by version and hash.
#
# Prints the path of its interpreter.  If it is there already and up to date
# nothing is fetched.  If the package index cannot be reached, it says
# "skipped: ..." and exits 1.  What Debian's python3-* packages have can be
# imported in it too.  pip is used as this machine has it set up.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build/venv

die() {
    echo "venv.sh: $*" >&2
    exit 1
}

case "${1:-}" in
'' | *[!a-z0-9-]*) die "which environment?  venv.sh NAME" ;;
esac
name=$1
wanted=$here/requirements-$name.txt
[ -f "$wanted" ] || die "there is no requirements-$name.txt"
venv=$build/$name

if cmp -s "$wanted" "$venv/installed.txt"; then
    echo "$venv/bin/python"
    exit 0
fi
mkdir -p "$build"
# Two tests may come here at once.
exec 9>"$build/$name.lock"
flock 9
if ! cmp -s "$wanted" "$venv/installed.txt"; then
    rm -rf "$venv"
    /usr/bin/python3 -m venv --system-site-packages "$venv" \
        >"$build/$name.log" 2>&1 9>&- ||
        die "skipped: python3 cannot make a venv ($build/$name.log)"
    timeout 600 "$venv/bin/python" -m pip install --require-hashes \
        --only-binary :all: --no-input --quiet -r "$wanted" \
        >>"$build/$name.log" 2>&1 </dev/null 9>&- ||
        die "skipped: pip cannot install requirements-$name.txt ($build/$name.log)"
    cp "$wanted" "$venv/installed.txt"
fi
echo "$venv/bin/python"
