#!/bin/sh
# pg_cluster.sh - a private PostgreSQL cluster for tests and the demo.
#
#   pg_cluster.sh check                   exit 0, or say why there can be none
#   pg_cluster.sh start DIR [NAME=VALUE]  make it in DIR (empty), and start it
#   pg_cluster.sh standby DIR OF          a streaming standby of the one in OF
#   pg_cluster.sh again DIR               start it once more after a stop
#   pg_cluster.sh stop DIR [fast|immediate]
#
# It listens on the socket DIR/s only (superuser "postgres", no password: the
# folder is closed to others), unless a NAME=VALUE of postgresql.conf says
# otherwise.  fsync stays on.  PostgreSQL refuses to run as root: root gives
# DIR to the user "postgres", or to "nobody", and starts it as that user.
# PG_BINDIR names the binaries; without it PATH and Debian's folders are tried.
set -eu

die() {
    echo "pg_cluster.sh: $*" >&2
    exit 1
}

# The newest folder that holds initdb.
find_bindir() {
    if [ -n "${PG_BINDIR:-}" ]; then
        echo "$PG_BINDIR"
        return
    fi
    if command -v initdb >/dev/null 2>&1; then
        dirname "$(readlink -f "$(command -v initdb)")"
        return
    fi
    for d in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
        [ -x "$d/initdb" ] && echo "$d"
    done | sort -V | tail -n 1
}

find_user() {
    for u in postgres nobody; do
        if id "$u" >/dev/null 2>&1; then
            echo "$u"
            return
        fi
    done
}

# Run a program as the owner of the cluster.
as_owner() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    elif command -v runuser >/dev/null 2>&1; then
        runuser -u "$owner" -- "$@"
    else
        setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups \
            "$@"
    fi
}

# The server inherits no descriptor of ours, so that nobody waits for it.
run_server() {
    if ! (cd "$dir" && as_owner "$bindir/pg_ctl" -D "$dir/data" -w -t 60 \
        -l "$dir/log" start >"$dir/start.out" 2>&1 </dev/null); then
        cat "$dir/start.out" "$dir/log" >&2
        die "the server did not start"
    fi
}

# fast and immediate are signals to its process, by the id it wrote itself.
stop_server() {
    [ -f "$dir/data/postmaster.pid" ] || return 0
    pid=$(head -n 1 "$dir/data/postmaster.pid")
    # A file left behind by a crash may name somebody else by now.
    if [ -r "/proc/$pid/cmdline" ] &&
        ! tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$dir/data"; then
        return 0
    fi
    case "$1" in
    fast) kill -INT "$pid" 2>/dev/null || return 0 ;;
    immediate) kill -QUIT "$pid" 2>/dev/null || return 0 ;;
    *) die "stop fast or immediate, not $1" ;;
    esac
    n=0
    while kill -0 "$pid" 2>/dev/null; do
        n=$((n + 1))
        [ "$n" -lt 600 ] || die "process $pid does not stop"
        sleep 0.05
    done
}

check() {
    [ -n "$bindir" ] && [ -x "$bindir/initdb" ] ||
        die "skipped: no PostgreSQL server is installed (initdb)"
    [ "$(id -u)" != 0 ] || [ -n "$owner" ] ||
        die "skipped: root needs a user \"postgres\" or \"nobody\""
}

start() {
    mkdir -p "$dir/s"
    chmod 700 "$dir" "$dir/s"
    [ "$(id -u)" != 0 ] || chown -R "$owner" "$dir"
    (cd "$dir" && as_owner "$bindir/initdb" -D "$dir/data" -U postgres \
        --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync >"$dir/initdb.out" 2>&1) || {
        cat "$dir/initdb.out" >&2
        die "initdb failed"
    }
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$dir/s'"
        echo "fsync = on"
        for setting in "$@"; do
            printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"
        done
    } >>"$dir/data/postgresql.conf"
    run_server
}

# A copy of the cluster in OF that follows it, on a socket of its own.
standby() {
    mkdir -p "$dir/s"
    chmod 700 "$dir" "$dir/s"
    [ "$(id -u)" != 0 ] || chown -R "$owner" "$dir"
    (cd "$dir" && as_owner "$bindir/pg_basebackup" -D "$dir/data" -h "$1/s" \
        -U postgres -R -X stream -c fast --no-sync >"$dir/backup.out" 2>&1) || {
        cat "$dir/backup.out" >&2
        die "pg_basebackup failed"
    }
    echo "unix_socket_directories = '$dir/s'" >>"$dir/data/postgresql.conf"
    run_server
}

[ $# -ge 1 ] || die "check, start DIR, standby DIR OF, again DIR, or stop DIR"
verb=$1
shift
bindir=$(find_bindir)
owner=$(find_user)
if [ "$verb" != check ]; then
    [ $# -ge 1 ] && [ -n "$1" ] || die "$verb: which folder?"
    dir=$1
    shift
fi
case "$verb" in
check) check ;;
start) check && start "$@" ;;
standby) standby "$1" ;;
again) run_server ;;
stop) stop_server "${1:-fast}" ;;
*) die "no such verb: $verb" ;;
esac
