#!/usr/bin/env python3
"""AWS KMS: a ring and wrapping keys on moto's server, each call judged as the
key policy of docs/providers.md would judge it."""
import datetime
import json
import os
import re
import subprocess

import bao
import rig
import sigv4
from rig import check

ACCESS, SECRET = "AKIATESTDATA00000001", "test/data+secret0000000000000000000000001"
folder = rig.Folder()
authority = rig.Authority()
rig.secrets += [SECRET, "session-token-of-a-test"]


class Moto:
    def __init__(self, python):
        self.port = rig.free_port()
        self.process = subprocess.Popen(
            [python, "-m", "moto.server", "-H", "127.0.0.1", "-p",
             str(self.port)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(folder.path / "moto.log", "wb"),
            env={"PATH": os.environ["PATH"], "HOME": str(folder.path)})
        self.address = "http://127.0.0.1:%d" % self.port
        rig.wait_for("moto", self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError((folder.path / "moto.log").read_text())
        try:
            self.call("ListKeys", {})
            return True
        except OSError:
            return False

    def call(self, action, body):
        import urllib.request
        request = urllib.request.Request(
            self.address, data=json.dumps(body).encode(), headers={
                "X-Amz-Target": "TrentService." + action,
                "Content-Type": "application/x-amz-json-1.1",
                "Authorization": "AWS4-HMAC-SHA256 Credential=%s/20260101/"
                "eu-central-1/kms/aws4_request, SignedHeaders=host, "
                "Signature=0" % ACCESS})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Gate(rig.Peer):
    """What stands between the command and moto: every request is judged, and
    its answer may be another."""

    def __init__(self, upstream):
        self.wrong, self.calls, self.say = [], [], None
        self.keys = {ACCESS: SECRET}
        super().__init__(folder, authority.issue(), answer=self.judge,
                         upstream=upstream)
        self.retype = "application/x-amz-json-1.1"

    def judge(self, handler, body):
        headers = dict(handler.headers)
        access = re.search("Credential=([^/]+)/",
                           headers.get("Authorization", "Credential=-/"))[1]
        wrong = sigv4.signed("POST", handler.path, headers, body,
                             self.keys.get(access, ""))
        if wrong:
            self.wrong.append(wrong)
            return self.error(handler, "InvalidSignatureException")
        action = headers["X-Amz-Target"].split(".")[1]
        sent = json.loads(body)
        self.calls.append((action, sent))
        if self.say is not None:
            say, self.say = self.say, None
            return self.error(handler, say)
        return False

    def error(self, handler, kind, code=400):
        return handler.send(code, {"__type": "x#" + kind, "message": "SECRET"},
                            type="application/x-amz-json-1.1")

    def reset(self):
        super().reset()
        self.calls, self.wrong = [], []


def policy_allows(calls):
    """The conditions of the documented key policy, on each call."""
    policy = json.loads(bao.policy("aws-kms"))
    keys = policy["Condition"]["ForAllValues:StringEquals"][
        "kms:EncryptionContextKeys"]
    needed = [name.split(":")[-1] for name in
              policy["Condition"]["StringLike"]]
    return all("kms:" + action in policy["Action"] and
               set(sent["EncryptionContext"]) <= set(keys) and
               all(name in sent["EncryptionContext"] for name in needed)
               for action, sent in calls)


def provider(gate, key, **more):
    return {"type": "aws-kms", "region": "eu-central-1", "key": key,
            "endpoint": gate.address, "ca_file": ca_file, **more}


ENV = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET,
       "AWS_EC2_METADATA_DISABLED": "true"}


def as_documented(gate, key, other):
    home = rig.Home(providers={"kms": provider(gate, key)})
    home.env.update(ENV)
    init = home.expect("init", 0, "init", "--provider", "kms", "--json")
    ring = home.line()["id"]
    check("what was called", [c[0] for c in gate.calls] ==
          ["Encrypt", "Decrypt", "Decrypt"], gate.calls)
    check("each with KeyId and the ring's id",
          all(c[1]["KeyId"] == key and c[1]["EncryptionContext"] ==
              {"envelope-ring": ring} for c in gate.calls), gate.calls)
    check("the documented policy allows them", policy_allows(gate.calls))
    check("every signature is right", gate.wrong == [], gate.wrong)
    sealed = home.run("encrypt", input=b"value").out
    gate.reset()
    opened = home.expect("another process", 0, "decrypt", input=sealed)
    check("the value", opened.out == b"value")
    check("one Decrypt", [c[0] for c in gate.calls] == ["Decrypt"],
          gate.calls)
    check("it names the key", gate.calls[0][1]["KeyId"] == key)

    # Its root moves to another key: a second entry, then the first goes.
    home.config(providers={"kms": provider(gate, key),
                           "kms2": provider(gate, other)})
    home.expect("add", 0, "unlock", "add", "kms2", "--new-provider")
    home.expect("remove", 0, "unlock", "remove", "kms", "--yes=kms")
    home.config(providers={"kms2": provider(gate, other)})
    home.expect("the other key opens", 0, "decrypt", input=sealed)
    home.config(providers={"kms2": provider(gate, key)})
    # AWS says IncorrectKeyException (below), moto AccessDeniedException.
    home.expect("the first no longer", 15, "decrypt", input=sealed)
    home.config(providers={"kms2": provider(gate, other)})

    # The wrong ring: its id is part of what is authenticated.
    text = home.ring.read_text()
    home.ring.write_text(text.replace(ring, ring[:-1] + (
        "0" if ring[-1] != "0" else "1")))
    home.expect("the entry of another ring", 12, "decrypt", "--accept-ring",
                json.loads(home.ring.read_text().split("\n")[0])["id"],
                input=sealed)
    home.ring.write_text(text)
    home.expect("put back", 0, "decrypt", input=sealed)
    return home, sealed, init


def what_kms_says(gate, home, sealed):
    rows = (("AccessDeniedException", 15, "denies"),
            ("NotFoundException", 15, "no such key"),
            ("DisabledException", 15, "disabled"),
            ("KMSInvalidStateException", 15, "disabled"),
            ("InvalidCiphertextException", 12, "does not open"),
            ("IncorrectKeyException", 12, "does not open"),
            ("SomethingNew", 15, "refuses"))
    for kind, code, says in rows:
        gate.say = kind
        result = home.expect(kind, code, "decrypt", input=sealed, says=says)
        check("its own words are not repeated", "SECRET" not in result.err)
    for kind in ("ThrottlingException", "LimitExceededException",
                 "ExpiredTokenException", "KMSInternalException"):
        gate.reset()
        gate.say = kind
        home.expect("once " + kind, 0, "decrypt", input=sealed)
        check("asked twice", len(gate.calls) == 2, gate.calls)


def credentials(gate, home, sealed):
    clean = {k: "" for k in ENV}
    home.env.pop("AWS_ACCESS_KEY_ID")
    home.env.pop("AWS_SECRET_ACCESS_KEY")
    home.expect("none", 13, "decrypt", input=sealed, says="no AWS credentials")
    home.env.update(AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY="wrong")
    home.expect("a wrong secret", 15, "decrypt", input=sealed,
                says="signature")
    del clean, home.env["AWS_ACCESS_KEY_ID"], \
        home.env["AWS_SECRET_ACCESS_KEY"]

    # The shared file.
    text = ("# comment\n[other]\naws_access_key_id = X\n\n[default]\n"
            "aws_access_key_id=%s\n aws_secret_access_key = %s \n"
            "aws_session_token = session-token-of-a-test\n[half]\n"
            "aws_access_key_id=%s\n" % (ACCESS, SECRET, ACCESS))
    path = home.folder.write("home/.aws/credentials", text)
    gate.reset()
    home.expect("~/.aws/credentials", 0, "decrypt", input=sealed)
    check("with the session token", gate.headers[0].get(
        "X-Amz-Security-Token") == "session-token-of-a-test", gate.headers)
    check("signed", gate.wrong == [], gate.wrong)
    home.expect("a profile with half a pair", 13, "decrypt", input=sealed,
                env={"AWS_PROFILE": "half"})
    os.chmod(path, 0o644)
    home.expect("one that others read", 14, "decrypt", input=sealed)
    os.unlink(path)
    moved = folder.write("creds", text.replace("[default]", "[shop]"))
    home.expect("by the environment's names", 0, "decrypt", input=sealed,
                env={"AWS_SHARED_CREDENTIALS_FILE": moved,
                     "AWS_PROFILE": "shop"})

    # A container, with a token; and an instance, IMDSv2 alone.
    soon = datetime.datetime.utcnow() + datetime.timedelta(hours=1)
    answer = {"AccessKeyId": ACCESS, "SecretAccessKey": SECRET,
              "Token": "session-token-of-a-test",
              "Expiration": soon.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def container(handler, _):
        if handler.headers.get("Authorization") != "token of the container":
            return handler.send(401, {})
        return handler.send(200, answer)

    peer = rig.Peer(folder, answer=container)
    uri = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": peer.address + "/v2/creds",
           "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE":
           folder.write("container-token", "token of the container\n")}
    home.expect("a container", 0, "decrypt", input=sealed, env=uri)
    check("its path", peer.log == ["GET /v2/creds"], peer.log)
    home.expect("a container that says no", 13, "decrypt", input=sealed,
                env={**uri, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE":
                     folder.write("container-token2", "other")})
    home.expect("a container elsewhere, in clear", 14, "decrypt",
                input=sealed, env={"AWS_CONTAINER_CREDENTIALS_FULL_URI":
                                   "http://192.0.2.1/creds"})
    peer.close()

    def instance(handler, _):
        role = "/latest/meta-data/iam/security-credentials/"
        if handler.command == "PUT":
            ttl = handler.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
            return handler.send(200 if ttl else 400, b"metadata-token",
                                type="text/plain")
        if handler.headers.get("X-aws-ec2-metadata-token") != \
                "metadata-token":
            return handler.send(401, b"", type="text/plain")
        if handler.path == role:
            return handler.send(200, b"shop-role\n", type="text/plain")
        return handler.send(200 if handler.path == role + "shop-role"
                            else 404, answer, type="text/plain")

    peer = rig.Peer(folder, answer=instance)
    on = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": peer.address,
          "AWS_EC2_METADATA_DISABLED": "false"}
    home.expect("an instance", 0, "decrypt", input=sealed, env=on)
    check("version 2 alone", [line.split()[0] for line in peer.log] ==
          ["PUT", "GET", "GET"], peer.log)
    peer.close()
    home.env.update(ENV)


def wrapping(gate, key, other):
    home = rig.Home(providers={"kms": provider(gate, key),
                               "values": provider(gate, other)})
    home.env.update(ENV)
    home.expect("init", 0, "init", "--provider", "kms")
    ring = home.line()["id"]
    gate.reset()
    home.expect("a wrapping key", 0, "key", "add", "--kid", "w1", "--use",
                "wrap", "--provider", "values", "--activate")
    one = home.expect("seal in mode wrapped", 0, "encrypt", "--mode",
                      "wrapped", input=b"value").out
    opened = home.expect("open", 0, "decrypt", input=one)
    check("the value", opened.out == b"value")
    mine = [c for c in gate.calls if c[1]["KeyId"] == other]
    check("bound to the ring, too", mine and all(
        c[1]["EncryptionContext"] == {"envelope-ring": ring} for c in mine),
        gate.calls)
    check("the documented policy allows them", policy_allows(gate.calls))
    check("only Encrypt and Decrypt", {c[0] for c in gate.calls} ==
          {"Encrypt", "Decrypt"})
    gate.say = "ThrottlingException"
    home.expect("through throttling", 0, "decrypt", input=one)
    home.close()


def bad_settings(gate, key):
    home = rig.Home()
    home.env.update(ENV)
    good = provider(gate, key)
    for change, says in (
            ({"region": "eu/../x"}, "region"), ({"region": None}, "region"),
            ({"region": "a" * 300}, "region"), ({"key": ""}, "key"),
            ({"credentials": {"source": "magic"}}, "credentials.source"),
            ({"wrong": 1}, "wrong"), ({"timeout_seconds": 0}, "timeout")):
        home.config(providers={"kms": {k: v for k, v in {
            **good, **change}.items() if v is not None}})
        home.expect("bad %r" % change, 2, "init", "--provider", "kms",
                    says=says)
    home.config(providers={"kms": {**good, "endpoint": "http://192.0.2.1"}})
    home.expect("in clear", 14, "init", "--provider", "kms")
    gate.reset()
    for name in ('a"b', "a\r\nX: y", "a'b", "k" * 300, "\u00e4", "a\\b"):
        home.config(providers={"kms": {**good, "key": name}})
        home.expect("key %r" % name[:9], 15, "init", "--provider", "kms")
    check("arrived as they are", [c[1]["KeyId"] for c in gate.calls] ==
          ['a"b', "a\r\nX: y", "a'b", "k" * 300, "\u00e4", "a\\b"],
          gate.calls)
    home.close()


def main():
    python, why = rig.venv("aws")
    if python is None:
        rig.skip("AWS KMS on moto", why)
        rig.finish("aws")
    moto = Moto(python)
    gate = Gate(moto.address)
    try:
        key, other = (moto.call("CreateKey", {})["KeyMetadata"]["Arn"]
                      for _ in range(2))
        home, sealed, _ = as_documented(gate, key, other)
        what_kms_says(gate, home, sealed)
        credentials(gate, home, sealed)
        home.close()
        wrapping(gate, key, other)
        bad_settings(gate, key)
    finally:
        gate.close()
        moto.stop()
    rig.finish("aws")


ca_file = folder.write("ca.crt", authority.pem())
try:
    main()
finally:
    folder.remove()
