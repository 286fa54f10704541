#!/usr/bin/env python3
"""What a provider over HTTP is held to, against a scripted peer: certificates,
answers that are none, hostile names, and what the environment says."""
import base64
import json
import os
import sqlite3
import subprocess
import threading

import rig
from rig import check

TOKEN = "hvs.TEST-DATA-token-0001"
PLAIN = "vault:v1:"
folder = rig.Folder()
authority = rig.Authority()
rig.secrets.append(TOKEN)


def transit(handler, body):
    """A transit engine that "encrypts" by base64: TEST DATA."""
    items = json.loads(body)["batch_input"]
    if "/encrypt/" in handler.path:
        results = [{"ciphertext": PLAIN + item["plaintext"]}
                   for item in items]
    else:
        results = [{"plaintext": item["ciphertext"][len(PLAIN):]}
                   for item in items]
    return handler.send(200, {"data": {"batch_results": results}})


def provider(peer, **more):
    return {"type": "vault-transit", "key": "ring", "address": peer.address,
            "ca_file": ca_file, "timeout_seconds": 30,
            "auth": {"method": "token", "token_file": token_file}, **more}


def ring(peer, **more):
    peer.answer = transit
    home = rig.Home(providers={"vault": provider(peer, **more)})
    home.expect("init", 0, "init", "--provider", "vault")
    peer.reset()
    return home


# ---- certificates -----------------------------------------------------------

def certificates():
    other = rig.Authority("another authority")
    rows = (
        ("right", authority.issue(), 0, {}),
        ("wrong host", authority.issue(hosts=("vault.example",)), 15, {}),
        ("expired", authority.issue(days=(-30, -1)), 15, {}),
        ("not yet valid", authority.issue(days=(5, 30)), 15, {}),
        ("self-signed", authority.issue(alone=True), 15, {}),
        ("wrong authority", other.issue(), 15, {}),
        ("no ca_file: the system's do not know it", authority.issue(), 15,
         {"ca_file": None}),
        ("a client's certificate", authority.issue(client=True), 15, {}),
    )
    for what, cert, code, more in rows:
        peer = rig.Peer(folder, cert, answer=transit)
        description = {k: v for k, v in {**provider(peer), **more}.items()
                       if v is not None}
        home = rig.Home(providers={"vault": description})
        home.expect(what, code, "init", "--provider", "vault",
                    says="certificate" if code else None)
        check(what + ": nothing was sent", code == 0 or peer.log == [],
              peer.log)
        # What OpenSSL takes for its own settings changes nothing.
        if code:
            home.expect(what + ", SSL_CERT_FILE", code, "init", "--provider",
                        "vault", env={"SSL_CERT_FILE": ca_file, "CURL_CA_BUNDLE":
                                      ca_file} if "ca_file" not in more
                        else {})
        home.close()
        peer.close()
    plain = rig.Peer(folder, answer=transit)
    home = rig.Home(providers={"vault": provider(
        plain, address=plain.address.replace("http:", "https:"))})
    home.expect("no TLS there", 15, "init", "--provider", "vault")
    home.close()
    plain.close()


# ---- addresses and the environment ------------------------------------------

def addresses(peer):
    rows = (("http://192.0.2.1:8200", 14), ("http://vault.example", 14),
            ("http://127.0.0.1.example", 14), ("http://[::2]", 14),
            ("http://169.254.169.254", 14), ("ftp://127.0.0.1", 2),
            ("file:///etc/passwd", 2), ("127.0.0.1:8200", 2), ("https://", 2),
            ("https://u:p@127.0.0.1", 2), ("https://127.0.0.1?x=1", 2),
            ("https://127.0.0.1#x", 2), ("https://127.0.0.1/ x", 2),
            ("https://127.0.0.1\r\nX: y", 2), ("https://" + "a" * 300, 15))
    for address, code in rows:
        home = rig.Home(providers={"vault": provider(
            peer, address=address, timeout_seconds=1)})
        home.expect("address %.30r" % address, code, "init", "--provider",
                    "vault")
        home.close()
    plain = rig.Peer(folder, answer=transit)
    for host in ("127.0.0.1", "localhost", "127.1.2.3"):
        home = rig.Home(providers={"vault": provider(
            plain, address="http://%s:%d" % (host, plain.port))})
        home.run("init", "--provider", "vault")
        check("plain http to " + host, host == "127.1.2.3" or
              home.ring.exists())
        home.close()
    plain.close()


def environment(peer):
    home = ring(peer)
    proxy = rig.Peer(folder, answer=lambda h, b: h.send(200, {}))
    (home.folder.path / "home/.netrc").write_text(
        "machine 127.0.0.1 login u password p\n")
    surprises = {name: proxy.address for name in
                 ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY",
                  "all_proxy")}
    home.expect("proxies are not used", 0, "key", "list", env=surprises)
    check("the proxy saw nothing", proxy.log == [], proxy.log)
    check("no login of .netrc", "Authorization" not in peer.headers[0],
          peer.headers)
    keylog = home.folder.path / "keys.log"
    home.expect("SSLKEYLOGFILE", 14, "key", "list",
                env={"SSLKEYLOGFILE": str(keylog)}, says="SSLKEYLOGFILE")
    check("no keys are written", not keylog.exists())
    proxy.close()
    home.close()


# ---- answers ----------------------------------------------------------------

def good_item(body):
    return {"plaintext": json.loads(body)["batch_input"][0]["ciphertext"]
            [len(PLAIN):]}


def answers(peer):
    elsewhere = rig.Peer(folder, authority.issue(), answer=transit)
    sent = {"bytes": 0}

    def huge(handler, _):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/"
                            b"json\r\nTransfer-Encoding: chunked\r\n\r\n")
        block = b"10000\r\n" + b" " * 65536 + b"\r\n"
        try:
            for _ in range(16384): # 1 GiB
                handler.wfile.write(block)
                handler.wfile.flush()
                sent["bytes"] += 65536
        except OSError:
            pass
        handler.close_connection = True
        return True

    def slow(handler, _):
        stop.wait(20)
        return handler.raw(b"")

    def drip(handler, _):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(100):
            if stop.wait(0.2):
                break
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                break
        handler.close_connection = True
        return True

    def batch(results):
        return lambda h, b: h.send(200, {"data": {"batch_results": results(b)
                                                  }})

    def text(data, type="application/json", code=200, headers=()):
        return lambda h, b: h.send(code, data, type, headers)

    b32 = base64.b64encode(bytes(32)).decode()
    stop = threading.Event()
    rows = (
        ("garbage", lambda h, b: h.raw(b"\x00\xff" * 999), 15, None),
        ("nothing", lambda h, b: h.raw(b""), 15, None),
        ("no JSON", text(b"<html>hello"), 15, "not understood"),
        ("JSON cut short", text(b'{"data":{"batch_results":[{"plain'), 15,
         "not understood"),
        ("bytes behind it", lambda h, b: h.send(200, json.dumps(
            {"data": {"batch_results": [good_item(b)]}}).encode() + b"x"), 15,
         "not understood"),
        ("a member twice", lambda h, b: h.send(200, json.dumps(
            {"data": {"batch_results": [good_item(b)]}}).encode()[:-1] +
            b',"data":{}}'), 15, "not understood"),
        ("HTML", lambda h, b: h.send(200, {"data": {"batch_results":
                                     [good_item(b)]}}, "text/html"), 15,
         "content type"),
        ("no content type", lambda h, b: h.send(200, {"data": {
            "batch_results": [good_item(b)]}}, None), 15, "content type"),
        ("a body cut short", lambda h, b: h.raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9999\r\n\r\n{"), 15, None),
        ("a redirect", text(b"", None, 307, [("Location", elsewhere.address +
                            "/v1/transit/decrypt/ring")]), 15, "redirect"),
        ("a permanent one", text(b"", None, 301, [("Location",
                                 elsewhere.address)]), 15, "redirect"),
        ("1 GiB", huge, 15, "too long"),
        ("1 GiB announced", lambda h, b: h.raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1073741824\r\n\r\n"), 15, "too long"),
        ("endless headers", lambda h, b: h.raw(
            b"HTTP/1.1 200 OK\r\n" + b"X: yyyyyyyyyyyyyyy\r\n" * 9000), 15,
         None),
        ("slow", slow, 15, "in time"),
        ("a byte now and then", drip, 15, None),
        ("429", text({"errors": []}, code=429), 15, "too often"),
        ("500", text({"errors": []}, code=500), 15, "500"),
        ("503", text({"errors": ["Vault is sealed"]}, code=503), 15,
         "sealed"),
        ("400", text({"errors": ["x"]}, code=400), 15, "refuses"),
        ("404", text({"errors": []}, code=404), 15, "404"),
        ("403", text({"errors": ["permission denied"]}, code=403), 15,
         "denies"),
        ("no results", batch(lambda b: []), 15, "not understood"),
        ("too many", batch(lambda b: [good_item(b)] * 2), 15,
         "not understood"),
        ("neither", batch(lambda b: [{}]), 15, "not understood"),
        ("a number", batch(lambda b: [{"plaintext": 7}]), 12, None),
        ("31 bytes", batch(lambda b: [{"plaintext": base64.b64encode(
            bytes(31)).decode()}]), 12, None),
        ("33 bytes", batch(lambda b: [{"plaintext": base64.b64encode(
            bytes(33)).decode()}]), 12, None),
        ("no base64", batch(lambda b: [{"plaintext": "!" * 44}]), 12, None),
        ("other bytes", batch(lambda b: [{"plaintext": b32}]), 18, None),
        ("an error for it", batch(lambda b: [{"error": "invalid"}]), 12,
         None),
    )
    # These are asked again until the time is over: it is short then, and on
    # a busy machine it may be over before the answer is there.
    until = ("nothing", "a body cut short", "slow", "a byte now and then",
             "429", "500", "503")
    home = ring(peer)
    for what, answer, code, says in rows:
        home.config(providers={"vault": provider(
            peer, timeout_seconds=2 if what in until else 30)})
        peer.reset()
        peer.answer = answer
        result = home.expect(what, code, "key", "list")
        check("%s: says %r" % (what, says), says is None or
              says in result.err or (what in until and "in time" in
                                     result.err), result)
        if what in ("400", "404", "a redirect", "HTML", "no JSON"):
            check(what + ": not asked again", len(peer.log) == 1, peer.log)
        peer.answer = transit
    stop.set()
    check("1 GiB is cut early", sent["bytes"] < 64 << 20, sent)
    check("no redirect is followed", elsewhere.log == [], elsewhere.log)
    elsewhere.close()
    home.expect("after all that", 0, "key", "list")

    home.config(providers={"vault": provider(peer)})
    # What may pass is tried again.
    for what, answer in (("429", rows[16][1]), ("503", rows[18][1]),
                         ("nothing", rows[1][1]),
                         ("cut short", rows[8][1])):
        state = {"left": 2}

        def flaky(handler, body, answer=answer, state=state):
            state["left"] -= 1
            return answer(handler, body) if state["left"] >= 0 else \
                transit(handler, body)

        peer.reset()
        peer.answer = flaky
        home.expect("twice " + what, 0, "key", "list")
        check("asked three times", len(peer.log) == 3, peer.log)
    home.close()

    # An init that fails leaves no ring.
    peer.answer = batch(lambda b: [{"ciphertext": PLAIN + b32}])
    home = rig.Home(providers={"vault": provider(peer)})
    home.expect("a provider that does not open what it made", 15, "init",
                "--provider", "vault")
    check("no ring is left", not home.ring.exists())
    peer.answer = transit
    home.close()


def nobody_there(peer):
    home = ring(peer)
    home.config(providers={"vault": provider(
        peer, address="https://127.0.0.1:%d" % rig.free_port(),
        timeout_seconds=1)})
    home.expect("nobody there", 15, "key", "list", says="nothing accepts")
    doctor = home.expect("doctor", 4, "doctor")
    check("doctor says what is wrong", b"nothing accepts" in doctor.out,
          doctor)
    home.close()


# ---- names ------------------------------------------------------------------

NASTY = ("a\r\nX-Evil: 1", "a\nb", 'a"b', "a'b", "a\\b", "a?b=c", "a#b",
         "a%2e%2e", "k" * 300, "\u00e4\u6f22", "a b", "..", "a/../b", "{}",
         "a\tb", "\x7f")


def names(peer):
    for member in ("key", "mount", "namespace"):
        for name in NASTY:
            peer.reset()
            peer.answer = transit
            home = rig.Home(providers={"vault": provider(peer,
                                                         **{member: name})})
            result = home.run("init", "--provider", "vault")
            what = "%s %.12r" % (member, name)
            check(what + ": works, or is refused", result.code in (0, 2, 15),
                  result)
            for line, headers in zip(peer.log, peer.headers):
                check(what + ": one line of a request",
                      "X-Evil" not in headers and
                      line.count("/") == 4 + (name.count("/")
                                              if member == "mount" else 0)
                      and line.startswith("POST /v1/") and
                      ".." not in line.replace("%2e", "") and
                      "?" not in line, (line, headers))
            home.close()
    # U+0000 is refused where the configuration is read.
    home = rig.Home()
    home.folder.write("xdg_config_home/envelope/config.json",
                      '{"providers":{"vault":{"type":"vault-transit",'
                      '"address":"https://127.0.0.1","key":"a\\u0000b",'
                      '"auth":{"method":"token","token_file":"/x"}}}}')
    home.expect("a NUL", 2, "init", "--provider", "vault")
    home.close()


def credentials(peer):
    for token in ("a\r\nX-Evil: 1", "a\x00b", "a\x01", "a\x7fb"):
        peer.reset()
        home = ring(peer)
        home.config(providers={"vault": provider(peer, auth={
            "method": "token",
            "token_file": folder.write("bad-token", token)})})
        result = home.expect("token %r" % token, 2, "key", "list",
                             says="control character")
        check("it was not sent", peer.log == [], peer.log)
        check("nor shown", "Evil" not in result.err, result)
        home.close()
    seen = []

    def login(handler, body):
        if "login" in handler.path:
            seen.append(json.loads(body))
            return handler.send(200, {"auth": {"client_token": "t",
                                               "lease_duration": 60}})
        return transit(handler, body)

    for value in NASTY + ("\u2028", "s" * 4000):
        peer.answer = login
        home = rig.Home(providers={"vault": provider(peer, auth={
            "method": "approle", "role_id": value,
            "secret_id_file": folder.write("nasty", value)})})
        home.expect("role %.12r" % value, 0, "init", "--provider", "vault")
        check("arrives as it is", seen[-1] == {"role_id": value,
                                               "secret_id": value}, seen[-1])
        home.close()
    peer.answer = transit


def settings(peer):
    good = provider(peer)
    rows = (
        ({"key": None}, "key"), ({"address": None}, "address"),
        ({"auth": None}, "auth.method"), ({"auth": 1}, "auth"),
        ({"auth": {"method": "magic"}}, "auth.method"),
        ({"auth": {"method": "token"}}, "auth.token_file"),
        ({"auth": {"method": "token", "token_file": "x"}}, "token_file"),
        ({"auth": {"method": "token", "token_file": token_file,
                   "token": TOKEN}}, "auth.token is not known"),
        ({"auth": {"method": "approle", "role_id": "x"}}, "secret_id_file"),
        ({"auth": {"method": "approle", "secret_id_file": "/x"}}, "role_id"),
        ({"auth": {"method": "cert"}}, "cert_file"),
        ({"batch": 0}, "batch"), ({"batch": 1001}, "batch"),
        ({"batch": "x"}, "batch"), ({"kye": "x"}, "kye is not known"),
        ({"cert_file": "/x"}, "go together"),
        ({"cache": {"seconds": -1}}, "cache.seconds"),
        ({"namespace": 5}, "namespace"), ({"key": "k" * 5000}, "key"),
    )
    for change, says in rows:
        home = rig.Home(providers={"vault": {k: v for k, v in {
            **good, **change}.items() if v is not None}})
        result = home.expect("settings %.40r" % change, 2, "init",
                             "--provider", "vault", says=says)
        check("a value is not repeated", TOKEN not in result.err, result)
        home.close()
    for name, code in (("A", 2), ("a_b", 2), ("", 2), ("x" * 64, 2),
                       ("x" * 63, 0)):
        home = rig.Home(providers={name: good})
        home.expect("name %.8r" % name, code, "init", "--provider", name)
        home.close()
    home = rig.Home(providers={"v": {"type": "nothing"}})
    home.expect("a type that is none", 2, "key", "list", says="no type")
    home.config(providers={"v%d" % i: good for i in range(17)})
    home.expect("17 providers", 2, "key", "list", says="more than 16")
    home.close()


# ---- what a ring lives through ----------------------------------------------

def a_life(peer):
    """Backup, a backup tried, a rollback noticed, a new ring key: with no
    entry but one that asks for the pin."""
    home = ring(peer)
    backup = str(home.folder.path / "backup.json")
    args = ("key", "list")
    home.expect("backup", 0, "key", "backup", "--out", backup)
    home.expect("try it", 0, "key", "backup", "--verify", backup)
    home.expect("a second key", 0, "key", "add", "--kid", "k2", "--activate")
    home.expect("try the old backup", 4, "key", "backup", "--verify", backup)
    now = home.ring.read_text()
    home.ring.write_text(open(backup).read())
    home.expect("an old ring", 18, *args)
    home.expect("accepted", 0, *args, "--accept-ring", home.line()["id"])
    home.ring.write_text(now)
    home.expect("the new one", 0, *args)
    first = home.line()["keys"][0]["kid"]
    home.expect("disable", 0, "key", "disable", first)
    home.expect("destroy: a new ring key", 0, "key", "destroy", first,
                "--yes=" + first)
    home.expect("it opens", 0, *args)
    # A ring of the same id under another ring key: somebody else's entry.
    other = ring(peer)
    line, mac = other.ring.read_text().split("\n")[:2]
    forged = line.replace(other.line()["id"], home.line()["id"])
    home.ring.write_text(forged + "\n" + mac + "\n")
    home.expect("another's ring", 18, *args)
    home.expect("also when it is accepted", 18, *args, "--accept-ring",
                home.line()["id"])
    other.close()
    home.close()


# ---- what is left in memory -------------------------------------------------

def scan(pid, needles):
    """How often each is in what the process can read."""
    seen = {name: 0 for name in needles}
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            where, rights = line.split()[:2]
            low, high = (int(part, 16) for part in where.split("-"))
            if "r" not in rights or "[v" in line:
                continue
            memory.seek(low)
            try:
                data = memory.read(high - low)
            except OSError:
                continue
            for name, needle in needles.items():
                seen[name] += data.count(needle)
    return seen


def memory(peer):
    """Bodies, headers and what libcurl held are wiped: after the ring is open
    the token is in its one guarded place, and the answer is nowhere."""
    sealed = {}

    def reversing(handler, body):
        items = json.loads(body)["batch_input"]
        if "/encrypt/" in handler.path:
            results = []
            for item in items:
                sealed["plain"] = item["plaintext"]
                results.append({"ciphertext": PLAIN + base64.b64encode(
                    item["plaintext"][::-1].encode()).decode()})
        else:
            results = [{"plaintext": base64.b64decode(
                item["ciphertext"][len(PLAIN):]).decode()[::-1]}
                for item in items]
        return handler.send(200, {"data": {"batch_results": results}})

    peer.answer = reversing
    home = rig.Home(providers={"vault": provider(peer)})
    home.expect("init", 0, "init", "--provider", "vault")
    plain = sealed["plain"].encode()
    needles = {"token": TOKEN.encode(), "answer": plain,
               "ring key": base64.b64decode(plain)}
    peer.reset()
    process = subprocess.Popen([rig.ENVELOPE, "seal"], env=home.env,
                               stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL)
    try:
        rig.wait_for("the ring to be asked for", lambda: peer.log)
        seen = {}

        def wiped():
            seen.update(scan(process.pid, needles))
            return seen["ring key"] == 1 and seen["token"] == 1 and \
                seen["answer"] == 0

        try:
            rig.wait_for("wiped memory", wiped, 20)
        except RuntimeError:
            pass
        except PermissionError:
            rig.skip("memory", "only root may read that of the command")
            return
        check("token and ring key are in one guarded place each, the answer "
              "in none", wiped(), seen)
        # That the scan finds what is there: a page of this process.
        here = bytearray(needles["answer"][::-1])[::-1]
        check("the scan bites", scan(os.getpid(), {
            "answer": bytes(here)})["answer"] >= 1)
    finally:
        process.stdin.close()
        process.wait(60)
        peer.answer = transit
        home.close()


# ---- a sweep ----------------------------------------------------------------

def a_sweep_is_gone_on_with(peer):
    """The provider fails in the middle, in each of these ways; nothing is
    sealed that does not open, and a rerun finishes."""
    home = ring(peer)
    home.run("key", "add", "--kid", "w", "--use", "wrap", "--provider", "w")
    home.close()
    home = rig.Home(providers={"w": provider(peer, batch=10)})
    home.expect("init", 0, "init")
    home.expect("wrapping key", 0, "key", "add", "--kid", "w1", "--use",
                "wrap", "--provider", "w", "--activate")
    path = str(home.folder.path / "t.db")
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT)")
    db.executemany("INSERT INTO t VALUES(?,?)",
                   [(i, "secret number %d" % i) for i in range(300)])
    db.commit()
    db.close()
    job = home.folder.write("job.json", json.dumps({
        "envelope_job": 1, "name": "wrapped", "kid": "w1",
        "source": {"driver": "sqlite", "path": path},
        "targets": [{"table": "t", "key": ["id"],
                     "fields": [{"column": "s"}]}]}))
    for what, broken in (
            ("503", lambda h, b: h.send(503, {"errors": []})),
            ("garbage", lambda h, b: h.send(200, b"{")),
            ("403", lambda h, b: h.send(403, {"errors": []}))):
        state = {"calls": 0}

        def failing(handler, body, broken=broken, state=state):
            state["calls"] += 1
            return (broken if state["calls"] > 4 else transit)(handler, body)

        peer.answer = failing
        home.expect("the provider goes: " + what, 15, "migrate", job,
                    "--execute")
    peer.answer = transit
    home.expect("it is back", 0, "migrate", job, "--execute")
    done = home.expect("verify", 0, "verify", job)
    check("all 300", b"300" in done.out, done)
    audit = (home.folder.path / "xdg_state_home/envelope/audit.jsonl")
    check("no token in the log", TOKEN not in audit.read_text())
    home.close()


def main():
    peer = rig.Peer(folder, authority.issue(), answer=transit)
    try:
        certificates()
        addresses(peer)
        environment(peer)
        answers(peer)
        nobody_there(peer)
        names(peer)
        credentials(peer)
        settings(peer)
        a_life(peer)
        memory(peer)
        a_sweep_is_gone_on_with(peer)
    finally:
        peer.close()
    rig.finish("peer")


ca_file = folder.write("ca.crt", authority.pem())
token_file = folder.write("token", TOKEN)
try:
    main()
finally:
    folder.remove()
