#!/bin/sh
# mongo_server.sh - a server that speaks MongoDB's protocol, for tests, the
# demo and benchmarks.
#
#   mongo_server.sh check        exit 0, or say why there can be none
#   mongo_server.sh fetch        have ready what start needs, or say why not
#   mongo_server.sh start DIR    start it; DIR/uri says where, DIR/kind what
#   mongo_server.sh stop DIR
#
# It takes, in this order:
#   named    the server that MONGODB_URI names: it is neither started nor
#            stopped, and who uses it removes what he made
#   mongod   a mongod on PATH, standalone, with its data in DIR
#   java     mongo-java-server from Maven (support/mongo/pom.xml), in memory
# The last two listen on a free port of the loopback and need no password.  A
# URI can hold one: DIR is closed to others, and nothing of it is printed.
# Maven is used as this machine has it set up; what it brings goes to
# build/mongo, and every jar must have its sum in support/mongo/jars.sha256.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build/mongo
heap=${MONGO_JAVA_HEAP:-512m}

die() {
    echo "mongo_server.sh: $*" >&2
    exit 1
}

kind_of() {
    if [ -n "${MONGODB_URI:-}" ]; then
        echo named
    elif command -v mongod >/dev/null 2>&1; then
        echo mongod
    else
        echo java
    fi
}

# Exactly the jars of the list, each with its sum.
jars_are_good() {
    [ -d "$build/jars" ] &&
        [ "$(ls "$build/jars" | wc -l)" = "$(wc -l <"$here/mongo/jars.sha256")" ] &&
        (cd "$build/jars" && sha256sum --status -c "$here/mongo/jars.sha256")
}

fetch_jars() {
    jars_are_good && return 0
    for tool in mvn java javac; do
        command -v $tool >/dev/null 2>&1 ||
            die "skipped: no MONGODB_URI, no mongod, and no $tool to run mongo-java-server"
    done
    mkdir -p "$build"
    # Two tests may come here at once.
    exec 9>"$build/lock"
    flock 9
    jars_are_good && return 0
    rm -rf "$build/jars" "$build/classes"
    timeout 600 mvn -B -f "$here/mongo/pom.xml" \
        -Dmaven.repo.local="$build/m2" -DoutputDirectory="$build/jars" \
        dependency:copy-dependencies >"$build/mvn.log" 2>&1 </dev/null 9>&- ||
        die "skipped: Maven cannot fetch mongo-java-server ($build/mvn.log)"
    jars_are_good || {
        rm -rf "$build/jars"
        die "the jars that Maven fetched are not those of jars.sha256"
    }
}

compile() {
    [ "$build/classes/Server.class" -nt "$here/mongo/Server.java" ] && return
    exec 9>"$build/lock"
    flock 9
    javac -d "$build/classes" -cp "$build/jars/*" "$here/mongo/Server.java" \
        >"$build/javac.log" 2>&1 9>&- ||
        die "Server.java does not compile ($build/javac.log)"
}

fetch() {
    [ "$(kind_of)" = java ] || return 0
    fetch_jars
    compile
}

# wait_for PID FILE: until the file is there; its process must stay alive.
wait_for() {
    n=0
    until [ -s "$2" ]; do
        n=$((n + 1))
        if ! kill -0 "$1" 2>/dev/null || [ "$n" -gt 1200 ]; then
            tail -20 "$dir/log" >&2
            return 1
        fi
        sleep 0.05
    done
}

start_java() {
    java -Xmx"$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp \
        "$build/jars/*:$build/classes" Server "$dir" \
        >"$dir/log" 2>&1 </dev/null 9>&- &
    echo $! >"$dir/pid"
    wait_for $! "$dir/port" || die "mongo-java-server did not start"
}

# mongod cannot be told "any free port": ask for one, and try again if
# somebody was faster.
start_mongod() {
    mkdir -p "$dir/data"
    for attempt in 1 2 3 4 5; do
        port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        rm -f "$dir/ready"
        mongod --dbpath "$dir/data" --bind_ip 127.0.0.1 --port "$port" \
            --nounixsocket --wiredTigerCacheSizeGB 0.5 \
            >"$dir/log" 2>&1 </dev/null &
        echo $! >"$dir/pid"
        n=0
        while kill -0 "$(cat "$dir/pid")" 2>/dev/null && [ $n -lt 1200 ]; do
            if grep -q 'Waiting for connections' "$dir/log"; then
                echo "$port" >"$dir/port"
                return 0
            fi
            n=$((n + 1))
            sleep 0.05
        done
    done
    tail -20 "$dir/log" >&2
    die "mongod did not start"
}

start() {
    mkdir -p "$dir"
    chmod 700 "$dir"
    kind=$(kind_of)
    echo "$kind" >"$dir/kind"
    case $kind in
    named)
        (umask 077 && printf '%s\n' "$MONGODB_URI" >"$dir/uri")
        return 0
        ;;
    mongod) start_mongod ;;
    java)
        fetch
        start_java
        ;;
    esac
    echo "mongodb://127.0.0.1:$(cat "$dir/port")/" >"$dir/uri"
}

# By the id of the process that was started here, if it still is that one.
stop() {
    [ -f "$dir/pid" ] || return 0
    pid=$(cat "$dir/pid")
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$dir" ||
        return 0
    kill "$pid" 2>/dev/null || return 0
    n=0
    while kill -0 "$pid" 2>/dev/null; do
        n=$((n + 1))
        [ "$n" -lt 600 ] || die "process $pid does not stop"
        sleep 0.05
    done
}

[ $# -ge 1 ] || die "check, fetch, start DIR, or stop DIR"
verb=$1
case "$verb" in
check | fetch) fetch ;;
start | stop)
    [ $# -eq 2 ] && [ -n "$2" ] || die "$verb: which folder?"
    dir=$2
    $verb
    ;;
*) die "no such verb: $verb" ;;
esac
