#!/usr/bin/env python3
"""Vault providers on a real server, with exactly the policies that
docs/providers.md shows."""
import base64
import json
import re
import sqlite3
import sys
import threading

import bao
import rig
from rig import check

folder = rig.Folder()
authority = rig.Authority()


def set_up(server):
    server.call("POST", "sys/mounts/transit", {"type": "transit"})
    for key in ("envelope-ring", "envelope-values"):
        server.call("POST", "transit/keys/" + key, {})
    server.call("POST", "sys/mounts/secret",
                {"type": "kv", "options": {"version": "2"}})
    put_kv(server)
    for name in ("vault-transit", "vault-wrap", "vault-kv"):
        server.write_policy(name, bao.policy(name))


def put_kv(server):
    server.call("POST", "secret/data/envelope/shop",
                {"data": {"key": bao.secret32()}})


def token_auth(server, policy, file):
    token = server.token(policy)
    rig.secrets.append(token)
    return {"method": "token", "token_file": folder.write(file, token)}


def transit(server, relay=None, key="envelope-ring", **more):
    return {"type": "vault-transit", "key": key,
            "address": (relay or server).address, "ca_file": ca_file,
            "auth": token_auth(server, "vault-wrap" if "values" in key
                               else "vault-transit", key + ".token"), **more}


def kv(server, relay=None, **more):
    return {"type": "vault-kv", "path": "envelope/shop", "ca_file": ca_file,
            "address": (relay or server).address,
            "auth": token_auth(server, "vault-kv", "kv.token"), **more}


# ---- as its section says ----------------------------------------------------

def transit_as_documented(server, relay):
    home = rig.Home(providers={"vault": transit(server, relay)})
    init = home.expect("init", 0, "init", "--provider", "vault", "--json")
    check("an encrypt, and a decrypt as proof, and to open it",
          [line.split("/")[-2] for line in relay.log] ==
          ["encrypt", "decrypt", "decrypt"], relay.log)
    sealed = home.expect("seal", 0, "encrypt", "--context", "id=1",
                         input=b"value").out
    relay.reset()
    opened = home.expect("another process", 0, "decrypt", "--context",
                         "id=1", input=sealed)
    check("the value", opened.out == b"value", opened)
    check("one call to open a ring", relay.log ==
          ["POST /v1/transit/decrypt/envelope-ring"], relay.log)
    check("no associated data, no context", set(json.loads(
        relay.bodies[0])["batch_input"][0]) == {"ciphertext"})
    relay.reset()
    lines = b"".join(b'{"value":"v%d","context":{"id":"%d"}}\n' % (i, i)
                     for i in range(3000))
    many = home.expect("3000 values", 0, "seal", input=lines)
    check("are sealed", many.out.count(b'"envelope"') == 3000)
    check("no call for a value in mode derived", len(relay.log) == 1,
          relay.log)
    again = [home.run("decrypt", "--context", "id=1", input=sealed)
             for _ in range(5)]
    print("open by transit, whole process: %.0f ms (least of 5)" %
          (1000 * min(r.seconds for r in again)))

    # Rotate its root.
    server.call("POST", "transit/keys/envelope-ring/rotate")
    home.expect("still opens", 0, "decrypt", "--context", "id=1",
                input=sealed)
    before = home.line()["keys"]
    home.expect("change", 0, "unlock", "change", "vault", "--new-provider")
    check("under the new version", base64.urlsafe_b64decode(
        home.line()["unlock"][0]["wrapped"] + "==").startswith(b"vault:v2:"))
    check("no key is touched", home.line()["keys"] == before)
    server.call("POST", "transit/keys/envelope-ring/config",
                {"min_decryption_version": 2})
    home.expect("the old version is gone", 0, "decrypt", "--context", "id=1",
                input=sealed)
    return home, init, sealed


def an_old_version_that_is_no_longer_allowed(server):
    home = rig.Home(providers={"vault": transit(server)})
    home.expect("init", 0, "init", "--provider", "vault")
    server.call("POST", "transit/keys/envelope-ring/rotate")
    server.call("POST", "transit/keys/envelope-ring/config",
                {"min_decryption_version": 3})
    home.expect("too old a version", 12, "key", "list",
                says="min_decryption_version")
    server.call("POST", "transit/keys/envelope-ring/config",
                {"min_decryption_version": 2})
    home.expect("given back", 0, "key", "list")
    home.close()


def it_goes_and_comes_back(server, home, sealed):
    args = ("decrypt", "--context", "id=1")
    server.seal()
    home.expect("sealed", 15, *args, input=sealed, says="503")
    doctor = home.expect("doctor, sealed", 4, "doctor")
    check("doctor says so", b"503" in doctor.out, doctor)
    server.unseal()
    home.expect("unsealed", 0, *args, input=sealed)
    server.call("POST", "auth/token/revoke", {"token": (
        folder.path / "envelope-ring.token").read_text()})
    home.expect("a revoked token", 15, *args, input=sealed, says="403")
    (folder.path / "envelope-ring.token").unlink()
    home.expect("no token file", 13, *args, input=sealed, says="token file")
    folder.write("envelope-ring.token", "", 0o600)
    home.expect("an empty one", 13, *args, input=sealed)
    folder.write("envelope-ring.token", "x", 0o644)
    home.expect("one that others read", 14, *args, input=sealed)
    token_auth(server, "vault-transit", "envelope-ring.token")
    home.expect("a new token", 0, *args, input=sealed)
    # The policy of the docs is the least: without a line it fails.
    server.write_policy("vault-transit",
                        bao.policy("vault-transit").split("\n")[0])
    home.expect("a policy without decrypt", 15, *args, input=sealed,
                says="denies")
    server.write_policy("vault-transit", bao.policy("vault-transit"))
    home.expect("with it", 0, *args, input=sealed)


def another_machine_asks_for_the_pin(home, init, sealed):
    other = rig.Home()
    other.folder.write("xdg_config_home/envelope/config.json",
                       (home.folder.path / "xdg_config_home/envelope"
                        "/config.json").read_text())
    (other.folder.path / "xdg_data_home/envelope").mkdir(mode=0o700)
    other.folder.write("xdg_data_home/envelope/keyring.json",
                       home.ring.read_text())
    args = ("decrypt", "--context", "id=1")
    other.expect("no pin", 14, *args, input=sealed, says="needs its pin")
    other.expect("a wrong pin", 18, *args, input=sealed,
                 env={"ENVELOPE_PIN": "00" * 16})
    other.expect("the pin", 0, *args, input=sealed,
                 env={"ENVELOPE_PIN": home.pin(init)})
    other.expect("it is remembered", 0, *args, input=sealed)
    other.close()


def three_entries_open_one_ring(server, relay):
    home = rig.Home()
    home.expect("init by key file", 0, "init")
    sealed = home.run("encrypt", input=b"value").out
    home.config(providers={"vault": transit(server, relay),
                           "kv": kv(server, relay)})
    home.expect("add transit", 0, "unlock", "add", "vault", "--new-provider")
    home.expect("add kv", 0, "unlock", "add", "kv", "--new-provider")
    home.expect("not described", 10, "unlock", "add", "x", "--new-provider",
                says="no configuration describes")
    relay.reset()
    home.expect("by key file", 0, "decrypt", input=sealed)
    check("a key file is tried first", relay.log == [], relay.log)
    for name, path in (("vault", "POST /v1/transit/decrypt/envelope-ring"),
                       ("kv", "GET /v1/secret/data/envelope/shop")):
        relay.reset()
        home.expect("by " + name, 0, "decrypt", "--unlock", name,
                    input=sealed)
        check("one call", relay.log == [path], relay.log)
    home.expect("no such entry", 10, "decrypt", "--unlock", "x",
                input=sealed)
    doctor = home.expect("doctor", 0, "doctor")
    for name in ("main", "vault", "kv"):
        check("doctor opens by " + name, re.search(
            r"\[ ok \]  unlock entry %s \([a-z-]+\) opens it" % name,
            doctor.out.decode()), doctor)
    home.run("unlock", "remove", "main", "--yes=main")
    (home.folder.path / "xdg_data_home/envelope/keyring.key").unlink()
    home.expect("without the key file", 0, "decrypt", input=sealed)

    # Rotate the root of kv: the version before opens until it is changed.
    put_kv(server)
    home.expect("before the change", 0, "decrypt", "--unlock", "kv",
                input=sealed)
    home.expect("change kv", 0, "unlock", "change", "kv", "--new-provider")
    server.call("POST", "secret/destroy/envelope/shop", {"versions": [1]})
    home.expect("after it", 0, "decrypt", "--unlock", "kv", input=sealed)
    # A provider that gives no answer loses its entry to nobody's mistake.
    folder.write("kv.token", "")
    home.expect("remove with kv away", 13, "unlock", "remove", "vault",
                "--yes=vault")
    check("both are there", len(home.line()["unlock"]) == 2)
    home.expect("remove the one that is away", 0, "unlock", "remove", "kv",
                "--yes=kv")
    home.expect("opens", 0, "decrypt", "--unlock", "vault", input=sealed)
    home.close()


# ---- ways to log in ---------------------------------------------------------

def opens_by(server, what, auth, relay=None, code=0, **more):
    ring = transit(server, relay)
    ring.update(auth=auth, **more)
    home = rig.Home(providers={"vault": ring})
    home.expect(what, code, "init", "--provider", "vault")
    return home


def app_role(server, relay):
    server.call("POST", "sys/auth/approle", {"type": "approle"})
    server.call("POST", "auth/approle/role/envelope",
                {"token_policies": "vault-transit", "token_ttl": "10m"})
    role = server.call("GET", "auth/approle/role/envelope/role-id")
    role = role["data"]["role_id"]
    secret = server.call("POST", "auth/approle/role/envelope/secret-id")
    secret = secret["data"]["secret_id"]
    rig.secrets.append(secret)
    auth = {"method": "approle", "role_id": role,
            "secret_id_file": folder.write("secret-id", secret + "\n")}
    relay.reset()
    home = opens_by(server, "approle", auth, relay)
    check("one login, then the calls", [line.split("/v1/")[1]
          for line in relay.log][:2] == ["auth/approle/login",
          "transit/encrypt/envelope-ring"] and
          sum("login" in line for line in relay.log) == 1, relay.log)
    home.close()
    auth["role_id_file"] = folder.write("role-id", role)
    del auth["role_id"]
    opens_by(server, "role_id_file", auth).close()
    folder.write("secret-id", "00000000-0000-0000-0000-000000000000")
    opens_by(server, "a wrong secret_id", auth, code=15).close()

    def wrap(path):
        import urllib.request
        request = urllib.request.Request(
            server.address + "/v1/" + path, method="POST", data=b"{}",
            headers={"X-Vault-Token": server.root,
                     "X-Vault-Wrap-TTL": "5m"})
        with urllib.request.urlopen(request, context=server.tls) as answer:
            return json.load(answer)["wrap_info"]["token"]

    token = wrap("auth/approle/role/envelope/secret-id")
    rig.secrets.append(token)
    auth = {"method": "approle", "role_id": role, "wrapped_secret_id_file":
            folder.write("wrapped", token)}
    home = opens_by(server, "a wrapped secret_id", auth)
    home.expect("a second time", 15, "key", "list", says="used already")
    folder.write("wrapped", wrap("auth/token/create"))
    home.expect("wrapped by somebody else", 15, "key", "list",
                says="not made by the AppRole")
    home.close()


def client_certificate(server):
    server.call("POST", "sys/auth/cert", {"type": "cert"})
    server.call("POST", "auth/cert/certs/envelope", {
        "certificate": authority.pem().decode(),
        "allowed_common_names": "shop", "token_policies": "vault-transit"})
    cert, key = authority.issue("shop", hosts=(), client=True)
    files = {"cert_file": folder.write("shop.crt", cert),
             "key_file": folder.write("shop.key", key)}
    auth = {"method": "cert", "role": "envelope"}
    opens_by(server, "client certificate", auth, **files).close()
    folder.write("shop.key", key, 0o644)
    opens_by(server, "a key that others read", auth, code=14, **files).close()
    folder.write("shop.key", authority.issue("shop")[1])
    opens_by(server, "another key", auth, code=15, **files).close()
    cert, key = authority.issue("pub", hosts=(), client=True)
    folder.write("shop.crt", cert)
    folder.write("shop.key", key)
    opens_by(server, "another name", auth, code=15, **files).close()
    opens_by(server, "no certificate", auth, code=2).close()


def kubernetes(server):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(
            b"=").decode()

    account = "system:serviceaccount:shops:envelope"
    jwt = ".".join((part({"alg": "RS256"}), part({
        "iss": "kubernetes/serviceaccount", "sub": account,
        "kubernetes.io/serviceaccount/namespace": "shops",
        "kubernetes.io/serviceaccount/service-account.name": "envelope",
        "kubernetes.io/serviceaccount/service-account.uid": "1"}),
        base64.urlsafe_b64encode(b"signature" * 8).decode()))
    rig.secrets.append(jwt)

    def review(handler, body):
        good = json.loads(body)["spec"]["token"] == jwt
        return handler.send(201, {
            "kind": "TokenReview", "status": {"authenticated": good, "user": {
                "username": account, "uid": "1",
                "groups": ["system:serviceaccounts"]}}})

    cluster = rig.Peer(folder, authority.issue(), answer=review)
    server.call("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
    server.call("POST", "auth/kubernetes/config", {
        "kubernetes_host": cluster.address, "disable_local_ca_jwt": True,
        "kubernetes_ca_cert": authority.pem().decode(),
        "token_reviewer_jwt": jwt, "disable_iss_validation": True})
    server.call("POST", "auth/kubernetes/role/shop", {
        "bound_service_account_names": "envelope",
        "bound_service_account_namespaces": "shops",
        "token_policies": "vault-transit"})
    auth = {"method": "kubernetes", "role": "shop",
            "jwt_file": folder.write("jwt", jwt)}
    opens_by(server, "kubernetes", auth).close()
    check("the cluster was asked", len(cluster.log) == 1, cluster.log)
    folder.write("jwt", jwt[:-4] + "AAAA")
    opens_by(server, "another JWT", auth, code=15).close()
    cluster.close()


def namespaces(server):
    server.call("POST", "sys/namespaces/team")
    server.call("POST", "team/sys/mounts/transit", {"type": "transit"})
    server.call("POST", "team/transit/keys/envelope-ring", {})
    ring = transit(server)
    folder.write("ns.token", server.root)
    ring.update(namespace="team", auth={"method": "token", "token_file":
                                        str(folder.path / "ns.token")})
    home = rig.Home(providers={"vault": ring})
    home.expect("in a namespace", 0, "init", "--provider", "vault")
    ring["namespace"] = "other"
    home.config(providers={"vault": ring})
    home.expect("in another", 15, "key", "list")
    home.close()


def tokens_are_renewed(server, relay):
    token = server.token("vault-transit", ttl="3s", renewable=True,
                         policies=["vault-transit", "default"])
    ring = transit(server, relay)
    ring["auth"] = {"method": "token", "renew": True,
                    "token_file": folder.write("short.token", token)}
    home = rig.Home(providers={"vault": ring})
    relay.reset()
    home.expect("a token of 3 s", 0, "init", "--provider", "vault")
    check("renewed", "POST /v1/auth/token/renew-self" in relay.log,
          relay.log)
    home.close()


# ---- values in mode wrapped -------------------------------------------------

def make_table(home, rows):
    path = str(home.folder.path / "t.db")
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT)")
    db.executemany("INSERT INTO t VALUES(?,?)",
                   [(i, "secret number %d" % i) for i in range(rows)])
    db.commit()
    db.close()
    return home.folder.write("job.json", json.dumps({
        "envelope_job": 1, "name": "wrapped", "kid": "w1",
        "source": {"driver": "sqlite", "path": path},
        "targets": [{"table": "t", "key": ["id"],
                     "fields": [{"column": "s"}]}]}))


def wrapping_ring(server, relay, **more):
    home = rig.Home(providers={
        "wrap": transit(server, relay, "envelope-values", **more)})
    home.expect("init", 0, "init")
    relay.reset()
    home.expect("a wrapping key", 0, "key", "add", "--kid", "w1", "--use",
                "wrap", "--provider", "wrap", "--activate")
    check("it was proven first", [line.split("/")[-2] for line in relay.log]
          [-2:] == ["encrypt", "decrypt"], relay.log)
    relay.reset()
    return home


def sweeps_batch(server, relay):
    rows, seen = 200, {}
    for batch in (250, 1):
        home = wrapping_ring(server, relay, batch=batch)
        job = make_table(home, rows)
        done = home.expect("sweep, batch %d" % batch, 0, "migrate", job,
                           "--execute", timeout=300)
        calls = sum("encrypt" in line for line in relay.log)
        seen[batch] = calls, len(relay.log), done.seconds
        verified = home.expect("verify, batch %d" % batch, 0, "verify", job,
                               timeout=300)
        check("all are there", b"%d" % rows in verified.out, verified)
        home.close()
    (few, all_few, fast), (many, _, slow) = seen[250], seen[1]
    print("sweep of %d values in mode wrapped: %d requests (%d encrypt), "
          "%.2f s; a call per value: %d encrypt, %.2f s: %.0f x fewer" %
          (rows, all_few, few, fast, many, slow, many / few))
    check("at least 20 x a call per value", many >= 20 * few, seen)


def a_token_dies_in_the_middle(server, relay):
    home = wrapping_ring(server, relay, batch=20)
    job = make_table(home, 400)
    state = {"calls": 0}

    def revoke(handler, body):
        if "/encrypt/" in handler.path:
            state["calls"] += 1
            if state["calls"] == 5:
                server.call("POST", "auth/token/revoke",
                            {"token": handler.headers["X-Vault-Token"]})
        return False

    relay.answer = revoke
    home.expect("the token dies", 15, "migrate", job, "--execute",
                says="denies", timeout=300)
    relay.answer = None
    token_auth(server, "vault-wrap", "envelope-values.token")
    home.expect("the sweep goes on", 0, "migrate", job, "--execute",
                timeout=300)
    home.expect("all of it opens", 0, "verify", job, timeout=300)
    home.close()

    # With a login of its own, nobody notices.
    server.call("POST", "auth/approle/role/wrap",
                {"token_policies": "vault-wrap", "token_ttl": "10m"})
    role = server.call("GET", "auth/approle/role/wrap/role-id")
    secret = server.call("POST", "auth/approle/role/wrap/secret-id")
    home = wrapping_ring(server, relay, batch=20, auth={
        "method": "approle", "role_id": role["data"]["role_id"],
        "secret_id_file": folder.write("wrap-secret",
                                       secret["data"]["secret_id"])})
    job = make_table(home, 400)
    state["calls"] = 0
    relay.answer = revoke
    home.expect("a new login", 0, "migrate", job, "--execute", timeout=300)
    relay.answer = None
    check("there were two", sum("login" in line for line in relay.log) == 2,
          [line for line in relay.log if "login" in line])
    home.close()


def a_cache_saves_requests(server, relay):
    for cache, most in (({}, 60), ({"cache": {"seconds": 600}}, 1),
                        ({"cache": {"seconds": 600, "uses": 10}}, 6)):
        home = wrapping_ring(server, relay, **cache)
        one = home.run("encrypt", "--mode", "wrapped", "--encoding", "text",
                       input=b"value")
        check("sealed", one.code == 0, one)
        line = json.dumps({"envelope": one.out.decode().strip(),
                           "context": {}}) + "\n"
        relay.reset()
        opened = home.expect("60 times one envelope", 0, "open",
                             input=(line * 60).encode())
        check("are opened", opened.out.count(b'"value":"value"') == 60, opened)
        check("at most %d requests" % most, len(relay.log) <= most,
              relay.log)
        home.close()


def wrapped_values_that_are_not_ours(server, relay):
    home = wrapping_ring(server, relay)
    one = home.run("encrypt", "--mode", "wrapped", "--encoding", "object",
                   input=b"value").out
    doc = json.loads(one)
    good = base64.urlsafe_b64decode(doc["wrapped"] + "==")
    crafted = [b"", b"x", b'vault:v1:","plaintext":"AA', b"vault:v1:\x00",
               b"vault:v1:" + b"A" * 300, b"vault:v99999999:" + good[9:],
               good[:-3] + b"A==", good[:-8], b"vault:v1:\r\nX: y",
               b"vault:v1:" + b"A" * 4000]
    lines = b""
    for blob in crafted:
        doc["wrapped"] = base64.urlsafe_b64encode(blob).decode().rstrip("=")
        lines += json.dumps({"envelope": doc, "context": {}}).encode() + b"\n"
    doc["wrapped"] = base64.urlsafe_b64encode(good).decode().rstrip("=")
    lines += json.dumps({"envelope": doc, "context": {}}).encode() + b"\n"
    opened = home.run("open", input=lines)
    answers = [json.loads(line) for line in opened.out.splitlines()]
    check("each has its answer", len(answers) == len(crafted) + 1, opened)
    check("the good one among them opens", answers[-1].get("value") ==
          "value", answers)
    check("the others are auth, or format",
          {a.get("error") for a in answers[:-1]} <= {"auth", "format"},
          answers)
    home.close()


def values_move_to_a_key_that_stays_there(server, relay):
    home = wrapping_ring(server, relay)
    home.expect("a local wrapping key", 0, "key", "add", "--kid", "w0",
                "--use", "wrap", "--activate")
    one = home.expect("sealed under it", 0, "encrypt", "--mode", "wrapped",
                      "--context", "id=1", input=b"value").out
    relay.reset()
    home.expect("the other is active again", 0, "key", "activate", "w1")
    moved = home.expect("rewrap", 0, "rewrap", "--context", "id=1",
                        input=one).out
    check("under the provider's key", moved.startswith(b"env1:w1:"), moved)
    before, after = (base64.urlsafe_b64decode(
        text.strip().split(b":")[2] + b"==") for text in (one, moved))
    check("its payload is untouched", before[3 + 40:] ==
          after[-len(before[3 + 40:]):], moved)
    opened = home.expect("it opens", 0, "decrypt", "--context", "id=1",
                         input=moved)
    check("to the value", opened.out == b"value", opened)
    home.close()


def main():
    try:
        server = bao.Bao(folder, authority)
    except LookupError as why:
        rig.skip("Vault on a real server", why)
        rig.finish("vault")
    relay = rig.Peer(folder, authority.issue(), upstream=server.address,
                     upstream_ca=server.ca)
    try:
        set_up(server)
        home, init, sealed = transit_as_documented(server, relay)
        it_goes_and_comes_back(server, home, sealed)
        another_machine_asks_for_the_pin(home, init, sealed)
        home.close()
        an_old_version_that_is_no_longer_allowed(server)
        three_entries_open_one_ring(server, relay)
        app_role(server, relay)
        client_certificate(server)
        kubernetes(server)
        namespaces(server)
        tokens_are_renewed(server, relay)
        sweeps_batch(server, relay)
        a_token_dies_in_the_middle(server, relay)
        a_cache_saves_requests(server, relay)
        wrapped_values_that_are_not_ours(server, relay)
        values_move_to_a_key_that_stays_there(server, relay)
    finally:
        relay.close()
        server.stop()
    rig.finish("vault")


ca_file = folder.write("ca.crt", authority.pem())
try:
    main()
finally:
    folder.remove()
