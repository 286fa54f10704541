#!/usr/bin/env bash
# Goal of this test: seal and open answer every line in order and in its place,
# whatever is wrong with some of them, and as soon as input pauses.
. "$(dirname "$0")/lib.sh"
init

cat >lines <<'J'
{"value":"hunter2","context":{"field":"users.pw","id":"42"}}
nonsense
{"value":"é\n\"","type":"text"}
{"value_b64":"AAH/","context":{}}
{"value":"a","value_b64":"YQ=="}
{"type":"text"}
{"value":"a","vlaue":"b"}
{"value":"a","value":"b"}
{"value":"{\"a\":1.0e3}","type":"json"}
{"value":"{","type":"json"}
{"value":1}
{"value":"a","context":{"n":1}}
{"value":"a","context":{"":"v"}}
{"value":"a","context":{"n":"1","n":"2"}}
{"value":"a","type":"blob"}
{"value_b64":"AAH"}
{"value_b64":"AAH_"}
{"value":"\ud800"}
 { "value" : "spaced" , "context" : { "a" : "\u00e9" } } 
["value"]
{"value":"a"} {"value":"b"}
{"value":"a"
J
printf '{"value":"\377"}\n\n{"value":"last, without a newline"}' >>lines
exits_in "seal" 3 e seal <lines
cp "$out" sealed
is "one answer a line" "$(python3 -c 'print(open("lines","rb").read().count(b"\n") + 1)')" "$(wc -l <sealed)"
python3 - >verdict <<'P'
import json
ok = {0, 2, 3, 8, 18, 24}
for i, l in enumerate(open("sealed")):
    d = json.loads(l)
    want = {"envelope"} if i in ok else {"error", "code"}
    if set(d) != want:
        print("line", i, d)
    if "code" in d and (d["error"], d["code"]) != ("usage", 2):
        print("line", i, d)
P
is "each in its place" "" "$(cat verdict)"
says "how many failed" '19 of 25 lines'

python3 - <<'P'
import json
src = [l for l in open("lines", "rb").read().split(b"\n")]
with open("to-open", "w") as f:
    for i, l in enumerate(open("sealed")):
        d = json.loads(l)
        if "envelope" not in d:
            continue
        c = json.loads(src[i]).get("context", {})
        f.write(json.dumps({"envelope": d["envelope"], "context": c}) + "\n")
    f.write('{"envelope":"env1:k1:AAAA"}\n')
    f.write('{"envelope":"plain text"}\n')
    f.write('{"envelope":"env2:k1:AAAA"}\n')
    f.write('{"envelope":"%s"}\n' % d["envelope"].replace(":k1:", ":k9:"))
    f.write('{"envelope":"%s","context":{"a":"b"}}\n' % d["envelope"])
    f.write('{"envelope":{"env":1,"kid":"k1"}}\n')
    f.write('{"envelope":"%s","contxt":{}}\n' % d["envelope"])
P
exits_in "open" 3 e open <to-open
cat >want <<'J'
{"value":"hunter2","type":"text"}
{"value":"é\n\"","type":"text"}
{"value_b64":"AAH/","type":"bytes"}
{"value":"{\"a\":1.0e3}","type":"json"}
{"value":"spaced","type":"text"}
{"value":"last, without a newline","type":"text"}
{"error":"format","code":19}
{"error":"notenv","code":19}
{"error":"version","code":19}
{"error":"nokey","code":13}
{"error":"auth","code":12}
{"error":"notenv","code":19}
{"error":"usage","code":2}
J
is "what came back" "$(cat want)" "$(cat "$out")"

# Objects and wrapped mode.
e key add --kid w1 --use wrap --activate -q >/dev/null
printf '{"value":"v"}\n' | e seal --encoding object --mode wrapped >obj
is "an object is a member" '"wrapped"' "$(json '["envelope"]["mode"]' <obj)"
is "and opens" '{"value":"v","type":"text"}' "$(e open <obj)"
exits_in "binary is no JSON" 2 e seal --encoding binary <lines
exits_in "no key that seals is said once" 13 e seal --kid k9 <lines
is "nothing on standard output" 0 "$(stat -c %s "$out")"
exits_in "a wrong keyring" 10 e seal --keyring none.json <lines
exits_in "no input" 0 e seal </dev/null
is "no output" 0 "$(stat -c %s "$out")"
printf '{"value":"env1:k1:AAAA"}\n' >nest
exits_in "an envelope as value" 3 e seal <nest
prints "is policy" '"error":"policy","code":14'

# A line that is too long is skipped, the next one is answered.
{ printf '{"value":"'; head -c 17000000 /dev/zero | tr '\0' a; printf '"}\n{"value":"next"}\n'; } >long
exits_in "a line of 17 MB" 3 e seal <long
is "limit, then an envelope" "1 1" "$(sed -n 1p "$out" | grep -c '"limit","code":2') $(sed -n 2p "$out" | grep -c env1)"
{ printf '{"value":"'; head -c 10000000 /dev/zero | tr '\0' a; printf '"}\n'; } >long
exits_in "a line of 10 MB" 0 e seal <long
# Many lines, over batches and reads of any size.
python3 -c '
for i in range(20000): print("{\"value\":\"v%d\",\"context\":{\"id\":\"%d\"}}" % (i, i))' >many
e seal <many >many.env
python3 - <<'P'
import json
with open("many.open", "w") as f:
    for i, l in enumerate(open("many.env")):
        f.write(json.dumps({"envelope": json.loads(l)["envelope"], "context": {"id": str(i)}}) + "\n")
P
python3 -c '
import subprocess, sys, random
p = subprocess.Popen([sys.argv[1], "open"], stdin=subprocess.PIPE, stdout=open("many.back", "wb"))
d = open("many.open", "rb").read()
random.seed(1)
while d:
    n = random.choice([1, 7, 100, 5000, 70000])
    p.stdin.write(d[:n]); p.stdin.flush(); d = d[n:]
p.stdin.close(); sys.exit(p.wait())' "$envelope"
is "in any pieces" 0 $?
is "20000 in order" "" "$(python3 -c '
import json
for i, l in enumerate(open("many.back")):
    if json.loads(l) != {"value": "v%d" % i, "type": "text"}: print(i); break
else:
    if i != 19999: print("only", i)')"

# The answer comes before more input is awaited.
python3 - "$envelope" >verdict <<'P'
import subprocess, sys, select
p = subprocess.Popen([sys.argv[1], "seal"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
for i in range(5):
    p.stdin.write(b'{"value":"v%d"}\n' % i)
    if not select.select([p.stdout], [], [], 10)[0]:
        print("no answer"); break
    if not p.stdout.readline().startswith(b'{"envelope"'):
        print("no envelope"); break
p.stdin.close()
print("exit", p.wait())
P
is "one at a time" "exit 0" "$(cat verdict)"
# A stream that lives long notices a rotation.
mkfifo lines.in
e seal <lines.in >lines.out 2>"$err" &
exec 8>lines.in
printf '{"value":"a"}\n' >&8
for _ in $(seq 100); do [ -s lines.out ] && break; sleep 0.05; done
e key add --kid k2 --activate -q >/dev/null
sleep 1.5
printf '{"value":"b"}\n' >&8
exec 8>&-
wait $!
is "before and after" "k1 k2" "$(cut -d: -f3 lines.out | tr '\n' ' ' | sed 's/ $//')"

# Base64 as PHP and others print it, each slash escaped, and a line so long that
# it fills the room for strings without their escapes; so for what comes before.
python3 - >slashes <<'P'
import base64
v = base64.b64encode(b"\xff" * 3 + b"A" * 200000).decode()
print('{"context":{"\\u0066":"\\u0076"},"value_b64":"%s"}'
      % v.replace("/", "\\/"))
P
exits_in "seal what has escaped slashes" 0 e seal <slashes
sed 's/}$/,"context":{"f":"v"}}/' "$out" >to-open
exits_in "open it in the same place" 0 e open <to-open
is "it is what it was" "$(sed 's/.*"value_b64":"//; s/"}$//; s/\\//g' slashes | cksum)" "$(sed 's/.*"value_b64":"//; s/".*//' "$out" | cksum)"
finish
