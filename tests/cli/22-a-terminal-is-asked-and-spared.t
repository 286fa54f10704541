#!/usr/bin/env bash
# Goal of this test: on a terminal, secrets are asked for without echo, binary
# output and streams are refused, and names are typed to confirm.
. "$(dirname "$0")/lib.sh"
init
printf 'hunter2' | e encrypt >t.env
printf '\001\002' | e encrypt >b.env
printf 'ab\033[31mcd' | e encrypt >esc.env
e key add --kid k2 -q >/dev/null
e key disable k2 -q >/dev/null
cat >on_pty.py <<'P'
# on_pty.py COMMAND...: run it on a terminal of its own.  On standard input:
# lines `wait TEXT` and `type TEXT`.  Prints what was shown, then the exit code.
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown = b""
def more(seconds):
    global shown
    if not select.select([fd], [], [], seconds)[0]:
        return False
    try:
        d = os.read(fd, 65536)
    except OSError:
        return False
    shown += d
    return bool(d)
seen = 0
for line in sys.stdin:
    verb, _, text = line.rstrip("\n").partition(" ")
    if verb == "wait":
        end = time.time() + 20
        while text.encode() not in shown[seen:] and time.time() < end and more(1):
            pass
        seen = len(shown)
    else:
        time.sleep(0.1)
        os.write(fd, text.encode() + b"\n")
while more(20):
    pass
rc = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(shown.decode("latin-1").replace("\r", "") + "exit %d\n" % rc)
P
on_pty() { python3 on_pty.py "$envelope" "$@" >shown; }

printf 'wait Value\ntype s3cret\n' | on_pty encrypt -o typed.env
is "one line is asked for" "exit 0" "$(tail -1 shown)"
not "it is not shown" grep -q s3cret shown
is "and sealed" s3cret "$(e decrypt typed.env)"
on_pty decrypt t.env </dev/null
ok "text is shown" grep -q hunter2 shown
on_pty decrypt b.env </dev/null
is "bytes are not" "exit 2" "$(tail -1 shown)"
ok "with a hint" grep -q 'hint: -o FILE' shown
on_pty decrypt esc.env </dev/null
is "nor what would draw" "exit 2" "$(tail -1 shown)"
on_pty encrypt --encoding binary t.env --allow-nested </dev/null
is "a binary envelope is refused" "exit 2" "$(tail -1 shown)"
ok "with a hint" grep -q 'hint: -o FILE' shown
on_pty seal </dev/null
is "seal is for programs" "exit 2" "$(tail -1 shown)"
ok "with a hint" grep -q 'envelope encrypt' shown
on_pty open </dev/null
ok "open, too" grep -q 'envelope decrypt' shown

printf 'wait Type k2\ntype k2\n' | on_pty key destroy k2
is "the name is typed" "exit 0" "$(tail -1 shown)"
e key add --kid k3 -q >/dev/null
e key disable k3 -q >/dev/null
printf 'wait Type k3\ntype yes\n' | on_pty key destroy k3
is "another word is not the name" "exit 14" "$(tail -1 shown)"

printf 'wait Passphrase\ntype correct horse\nwait Again\ntype correct horse\n' | on_pty init --keyring p.json --passphrase
is "init asks twice" "exit 0" "$(tail -1 shown)"
not "nothing is shown" grep -q horse shown
printf 'wait Passphrase\ntype correct horse\n' | on_pty key list --keyring p.json
is "and opens with what is typed" "exit 0" "$(tail -1 shown)"
printf 'wait Passphrase\ntype wrong\n' | on_pty key list --keyring p.json
is "not with anything else" "exit 12" "$(tail -1 shown)"
printf 'wait Passphrase\ntype a\nwait Again\ntype b\n' | on_pty init --keyring q.json --passphrase
is "the two must agree" "exit 2" "$(tail -1 shown)"
not "nothing was made" test -e q.json
exits "without a terminal it says what to give" 2 setsid -w "$envelope" key list --keyring p.json
says "says what to give" 'passphrase-file'
on_pty key list </dev/null
not "a ring with a key file asks nothing" grep -q Passphrase shown
# No colour, no cursor movement in a plain command.
not "no escape sequences" grep -q "$(printf '\033')" shown
finish
