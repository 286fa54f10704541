"""What the provider tests share: a home for the command, certificates, a
scripted HTTPS peer that counts and misbehaves, and a closing line.

Keys, tokens and passwords in these tests are TEST DATA.
"""
import datetime
import http.client
import http.server
import ipaddress
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parent.parent
ENVELOPE = os.environ.get("ENVELOPE", str(REPO / "build/release/envelope"))
secrets = []  # must appear in no output of the command
counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(what, holds, seen=""):
    if holds:
        counts["passed"] += 1
    else:
        counts["failed"] += 1
        print("FAIL %s: %s" % (what, str(seen)[:600]), flush=True)


def skip(what, why):
    counts["skipped"] += 1
    print("skip: %s: %s" % (what, why), flush=True)


def finish(name):
    print("%s: %d passed, %d failed, %d skipped" %
          (name, counts["passed"], counts["failed"], counts["skipped"]))
    sys.exit(counts["failed"] > 0)


def venv(name):
    """The interpreter of a pinned environment, or None with the reason."""
    done = subprocess.run(["sh", str(REPO / "tests/support/venv.sh"), name],
                          capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout.strip(), None
    return None, done.stderr.strip()


def wait_for(what, holds, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.05)
    raise RuntimeError("waited in vain for " + what)


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Folder:
    """A temporary folder that goes when the test ends."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="envl-prov."))

    def write(self, name, data, mode=0o600):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists():
            path.unlink()
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        path.chmod(mode)
        return str(path)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


# ---- certificates -----------------------------------------------------------

class Authority:
    """A private certificate authority."""

    def __init__(self, name="test authority"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.cert = self._sign(self.name, self.key, self.name, self.key,
                               ca=True)

    @staticmethod
    def _sign(subject, key, issuer, issuer_key, ca=False, hosts=(),
              days=(-1, 30), client=False):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject)
                   .issuer_name(issuer).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now + datetime.timedelta(days=days[0]))
                   .not_valid_after(now + datetime.timedelta(days=days[1]))
                   .add_extension(x509.BasicConstraints(ca, None), True))
        names = []
        for host in hosts:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                names.append(x509.DNSName(host))
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), False)
        if not ca:
            use = (ExtendedKeyUsageOID.CLIENT_AUTH if client
                   else ExtendedKeyUsageOID.SERVER_AUTH)
            builder = builder.add_extension(x509.ExtendedKeyUsage([use]),
                                            False)
        return builder.sign(issuer_key, hashes.SHA256())

    def pem(self):
        return self.cert.public_bytes(serialization.Encoding.PEM)

    def issue(self, name="server", hosts=("127.0.0.1", "localhost"),
              days=(-1, 30), client=False, alone=False):
        """Certificate and key as PEM; alone: signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        cert = self._sign(subject, key, subject if alone else self.name,
                          key if alone else self.key, hosts=hosts, days=days,
                          client=client)
        return (cert.public_bytes(serialization.Encoding.PEM),
                key.private_bytes(serialization.Encoding.PEM,
                                  serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))


# ---- the command ------------------------------------------------------------

class Result:
    def __init__(self, done, seconds):
        self.code, self.out, self.err = (done.returncode, done.stdout,
                                         done.stderr.decode(errors="replace"))
        self.seconds = seconds

    def __repr__(self):
        return "exit %d: %s %r" % (self.code, self.err.strip(), self.out[:200])


class Home:
    """Homes of its own for the command, and its configuration."""

    def __init__(self, **config):
        self.folder = Folder()
        self.env = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        for name in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
                     "XDG_CONFIG_HOME"):
            path = self.folder.path / name.lower()
            path.mkdir(mode=0o700)
            self.env[name] = str(path)
        for name in ("TMPDIR", "ASAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.config(**config)

    def config(self, **members):
        self.folder.write("xdg_config_home/envelope/config.json",
                          json.dumps(members))

    def run(self, *args, input=b"", env=None, timeout=120):
        start = time.monotonic()
        done = subprocess.run([ENVELOPE, *args], input=input, timeout=timeout,
                              capture_output=True, env={**self.env,
                                                        **(env or {})})
        for secret in secrets:
            if secret.encode() in done.stderr:
                check("no secret in an error", False, args)
        return Result(done, time.monotonic() - start)

    def expect(self, what, code, *args, says=None, **more):
        result = self.run(*args, **more)
        check("%s: exit %d" % (what, code), result.code == code, result)
        if says is not None:
            check("%s: says %r" % (what, says), says in result.err, result)
        return result

    @property
    def ring(self):
        return self.folder.path / "xdg_data_home/envelope/keyring.json"

    def line(self):
        return json.loads(self.ring.read_text().split("\n")[0])

    def pin(self, init):
        return json.loads(init.out)["pin"]

    def close(self):
        self.folder.remove()


# ---- a peer -----------------------------------------------------------------

class Peer:
    """An HTTP(S) server on loopback.  ${answer}(handler, body) sends what it
    likes; without one, requests go on to ${upstream} ("https://host:port").
    Each is counted as "METHOD /path" in ${log}, and kept in ${bodies}."""

    def __init__(self, folder, cert=None, answer=None, upstream=None,
                 upstream_ca=None):
        self.log, self.bodies, self.headers = [], [], []
        self.answer, self.upstream = answer, upstream
        self.retype = None  # moto says text/html of everything
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536
            disable_nagle_algorithm = True

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                peer.log.append("%s %s" % (self.command, self.path))
                peer.bodies.append(body)
                peer.headers.append(dict(self.headers))
                if peer.answer is not None and peer.answer(self, body):
                    return
                peer.forward(self, body)

            do_GET = do_POST = do_PUT = handle_one

            def send(self, code, data, type="application/json", headers=()):
                if not isinstance(data, bytes):
                    data = json.dumps(data).encode()
                self.send_response(code)
                if type:
                    self.send_header("Content-Type", type)
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
                return True

            def raw(self, data):
                self.wfile.write(data)
                self.wfile.flush()
                self.close_connection = True
                return True

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

            def finish_request(self, request, address):
                if peer.tls is not None:
                    request.settimeout(30)
                    request = peer.tls.wrap_socket(request, server_side=True)
                super().finish_request(request, address)
                try:
                    request.shutdown(2)
                except OSError:
                    pass
                request.close()

        self.tls = None
        if cert is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(
                folder.write("peer-%d.crt" % id(self), cert[0]),
                folder.write("peer-%d.key" % id(self), cert[1]))
        self.upstream_tls = None
        if upstream_ca is not None:
            self.upstream_tls = ssl.create_default_context(
                cadata=upstream_ca.decode())
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.address = "%s://127.0.0.1:%d" % (
            "https" if cert else "http", self.port)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def forward(self, handler, body):
        host = self.upstream.split("://")[1]
        if self.upstream.startswith("https"):
            up = http.client.HTTPSConnection(host, context=self.upstream_tls,
                                             timeout=30)
        else:
            up = http.client.HTTPConnection(host, timeout=30)
        headers = {k: v for k, v in handler.headers.items()
                   if k.lower() not in ("connection",)}
        up.request(handler.command, handler.path, body, headers)
        back = up.getresponse()
        data = back.read()
        handler.send_response(back.status)
        for name, value in back.getheaders():
            if name.lower() == "content-type" and self.retype:
                value = self.retype
            if name.lower() not in ("transfer-encoding", "connection",
                                    "content-length"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
        up.close()

    def reset(self):
        del self.log[:], self.bodies[:], self.headers[:]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
