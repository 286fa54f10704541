#!/usr/bin/env bash
# Goal of this test: on a terminal a sweep draws one bar that fits, also when
# the terminal changes its width; NO_COLOR, dumb terminals and pipes get what
# they can show; --metrics-file is what Prometheus reads, whole at any time.
. "$(dirname "$0")/lib.sh"
if ! command -v sqlite3 >/dev/null || [ ! -e "$(dirname "$envelope")/envl-migrator-sqlite.so" ]; then
    skip "progress" "no sqlite3, or no plugin beside the command"
    finish
fi
init
rows() { # N
    sqlite3 shop.db "DROP TABLE IF EXISTS users; CREATE TABLE users(id INTEGER PRIMARY KEY, k TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${1:-600})
        INSERT INTO users SELECT i, 'sk-live-' || i FROM n"
}
job() { # MORE
    cat >job.json <<J
{ "envelope_job": 1, "name": "shop", "source": { "driver": "sqlite", "path": "shop.db" },$1
  "targets": [ { "table": "users", "key": ["id"], "fields": [ { "column": "k" } ] } ] }
J
}
cat >watch.py <<'P'
# watch.py WIDTH[,WIDTH] COMMAND...: run it on a terminal of its own that is
# WIDTH wide, and, after some bars were drawn, another.  Prints what was shown.
import fcntl, os, pty, select, struct, sys, termios
widths = [int(w) for w in sys.argv[1].split(",")]
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
def size(columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
size(widths[0])
shown = b""
while select.select([fd], [], [], 60)[0]:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    shown += data
    if len(widths) > 1 and shown.count(b"\x1b[J") >= 2:
        size(widths.pop())
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
cat >bars.py <<'P'
# bars.py: the bars in what was shown, one a line, without escapes; to
# standard error how wide the widest is.
import re, sys
shown = sys.stdin.buffer.read().decode("utf-8")
bars = [b for b in re.split(r"\x1b\[J|\r|\n", shown) if re.search(r"\d %", b)]
bars = [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", b) for b in bars]
print("\n".join(bars))
print(max(map(len, bars), default=0), file=sys.stderr)
P
on() { # WIDTHS: migrate on a terminal; the bars are in bars, all is in shown
    python3 watch.py "$1" "$envelope" migrate job.json --execute >shown
    code=$?
    python3 bars.py <shown >bars 2>widest
}
slow=' "pace": { "rows": [10, 10], "max_rows_per_s": 600 },'
job "$slow"
rows 2000
export TERM=xterm LC_ALL=C.UTF-8
on 100
is "it ends well" 0 $code
ok "several bars were drawn" test "$(wc -l <bars)" -ge 4
ok "none is wider than the terminal" test "$(cat widest)" -lt 100
ok "with blocks" grep -q '█' bars
ok "how far" grep -qE '^sweep [0-9.]+ % \[' bars
ok "how many of how many" grep -qE '[0-9,]+/2,000' bars
ok "how fast" grep -qE ' [0-9.]+k?/s' bars
ok "how large a batch" grep -qE 'batch 10 \([0-9]+ ms\)' bars
ok "how long" grep -qE 'ETA [0-9]+ s' bars
not "no ETA before 1 %" grep -qE '^sweep 0\.[0-9] .*ETA' bars
ok "in colour" grep -q "$(printf '\033')\[32m" shown
ok "the bar is gone at the end" python3 -c '
import sys
shown = open("shown", "rb").read()
sys.exit(b" % " in shown.split(b"\x1b[J")[-1])'
ok "and the result stands" grep -q 'shop: 2000 sealed' shown
rows
LC_ALL=C on 60
is "narrow" 0 $code
ok "fits" test "$(cat widest)" -lt 60
not "plain ASCII" grep -qP '[^\x00-\x7f]' bars
ok "with a bar" grep -q '\[#*-*\]' bars
rows 1500
on 120,50
is "the terminal becomes narrower" 0 $code
ok "the last bars fit" test "$(tail -1 bars | wc -m)" -le 50
ok "what wrapped is cleared" grep -q "$(printf '\033')\[[12]A" shown
rows
on 12
is "too narrow for anything" 0 $code
ok "fits" test "$(cat widest)" -lt 12
rows
NO_COLOR=1 on 100
not "NO_COLOR" grep -q "$(printf '\033')\[[0-9]*m" shown
ok "still draws" test "$(wc -l <bars)" -ge 4
rows
TERM=dumb on 100
is "a dumb terminal" 0 $code
not "gets no escapes" grep -q "$(printf '\033')" shown
rows
exits "a pipe" 0 e migrate job.json --execute
not "gets no escapes" grep -q "$(printf '\033')" "$err"
# What it waits for is in the bar.
touch stop
job ' "yield_to": { "flag_file": "stop" },'
rows
(sleep 2; rm stop) &
on 100
wait
is "a wait" 0 $code
ok "is in the bar" grep -qE 'waits [0-9]+ s: yielding: stop is there' bars

# Metrics.
rows
job "$slow"
"$envelope" migrate job.json --execute --metrics-file m.prom -q >"$out" 2>"$err" &
pid=$!
cat >promtext.py <<'P'
import re, sys
text = open(sys.argv[1]).read()
help_, seen = set(), {}
for line in text.splitlines():
    m = re.fullmatch(r"# (HELP|TYPE) (\w+) .+", line)
    if m:
        help_.add(m[2])
        continue
    m = re.fullmatch(r'(\w+)\{sweep="shop"(?:,(outcome|phase|reason|state)="([a-z_]+)")?\} (\S+)', line)
    assert m, line
    assert m[1] in help_, line
    assert (m[1], m[3]) not in seen, line
    seen[m[1], m[3]] = float(m[4])
assert text.endswith("\n") and seen
for want in sys.argv[2:]:
    name, value = want.rsplit("=", 1)
    name, _, word = name.partition(":")
    got = seen["envelope_sweep_" + name, word or None]
    assert got == float(value), (want, got)
P
whole=0
for _ in $(seq 300); do
    [ -e m.prom ] && { python3 promtext.py m.prom running=1 2>/dev/null && whole=1; break; }
    sleep 0.02
done
is "it is whole from the beginning" 1 "$whole"
wait $pid
ok "what it says at the end" python3 promtext.py m.prom running=0 exit_code=0 values:sealed=600 values:quarantined=0 phase:done=1 phase:sweep=0 waiting:paused=0 states:sealed_current=600 states:plaintext=0
is "others may read it" 644 "$(mode_of m.prom)"
not "names nothing of the database" grep -qE 'users|sk-live|k1|shop\.db' m.prom
is "leaves no other file" "" "$(ls -A | grep envelope-metrics)"
exits "a folder that is not there" 1 e migrate job.json --execute --metrics-file none/m.prom
says "says which" 'none/m.prom'
finish
