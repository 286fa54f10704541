#!/bin/sh
# Install what is missing, by package name, on Debian 12.
#   deps.sh build|demo|check     each includes the one before
set -eu

build="gcc libc6-dev make pkg-config libssl-dev libsodium-dev libjansson-dev
       libpq-dev libsqlite3-dev libmongoc-dev libcurl4-openssl-dev
       libp11-kit-dev"
demo="sqlite3 postgresql-15 postgresql-client-15"
check="g++ clang libclang-rt-14-dev llvm-14 libcmocka-dev valgrind strace
       patch python3 python3-cryptography python3-psycopg2 python3-venv procps
       util-linux mandoc faketime softhsm2 opensc zsh fish libbson-dev maven
       openjdk-17-jdk-headless"

case "${1:-check}" in
build) want="$build" ;;
demo)  want="$build $demo" ;;
check) want="$build $demo $check" ;;
*) echo "deps: unknown set '$1' (build, demo or check)" >&2; exit 2 ;;
esac

# What comes from elsewhere than Debian: Python packages pinned by hash, and a
# server for the MongoDB tests.  A machine that cannot have them skips those.
fetch_others() {
    [ "${1:-check}" = check ] || return 0
    here=$(dirname "$0")
    for wanted in "$here"/requirements-*.txt; do
        name=${wanted##*/requirements-}
        sh "$here/venv.sh" "${name%.txt}" >/dev/null || :
    done
    sh "$here/mongo_server.sh" fetch || :
}

missing=
for package in $want; do
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null |
        grep -q '^install ok installed' || missing="$missing $package"
done
if [ -z "$missing" ]; then
    fetch_others "$@"
    exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "deps: missing:$missing" >&2
        echo "deps: run as root, or with sudo installed" >&2
        exit 1
    }
    as_root=sudo
fi

# A database package would start its own server: nothing of ours needs it.
rc=/usr/sbin/policy-rc.d
if [ ! -e "$rc" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$rc" >/dev/null
    $as_root chmod 755 "$rc"
    trap '$as_root rm -f "$rc"' EXIT INT TERM
fi

echo "deps: installing$missing"
log=$(mktemp)
{
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
        --no-install-recommends $missing
} >"$log" 2>&1 || {
    tail -20 "$log" >&2
    echo "deps: the package installation failed" >&2
    rm -f "$log"
    exit 1
}
rm -f "$log"
fetch_others "$@"
