"""A server, a database of documents, a ring and a job, for the MongoDB tests."""

import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile

import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

import mongo_documents as documents
from envelope_py import read_ring

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVELOPE = os.environ.get("ENVELOPE", str(ROOT / "build/release/envelope"))
PEER = ROOT / "build/release/tests/mongo/mongo_peer"
RAW = CodecOptions(document_class=RawBSONDocument)


class Skipped(Exception):
    pass


class Server:
    """A real one: MONGODB_URI, mongod, or mongo-java-server."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="envl-test-"))
        done = subprocess.run(
            ["sh", ROOT / "tests/support/mongo_server.sh", "start", self.dir],
            capture_output=True, text=True)
        if done.returncode != 0:
            shutil.rmtree(self.dir)
            if "skipped:" in done.stderr:
                raise Skipped(done.stderr.strip())
            sys.exit(f"FAIL {done.stderr}")
        self.uri = (self.dir / "uri").read_text().strip()
        self.kind = (self.dir / "kind").read_text().strip()
        self.client = pymongo.MongoClient(self.uri)

    def close(self):
        self.client.close()
        subprocess.run(["sh", ROOT / "tests/support/mongo_server.sh", "stop",
                        self.dir])
        shutil.rmtree(self.dir)


class Peer:
    """The scripted one, which fails when it is told to."""

    kind = "peer"

    def __init__(self, make="mongodb7", trace=None):
        env = dict(os.environ, **({"MONGO_PEER_TRACE": "1"} if trace else {}))
        self.process = subprocess.Popen(
            [PEER, "--make", make], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=trace, text=True, env=env)
        port = int(self.process.stdout.readline().split()[1])
        self.uri = f"mongodb://127.0.0.1:{port}/"
        self.client = pymongo.MongoClient(self.uri, appname="rig")

    def control(self, **what):
        return self.client.admin.command("peerControl", 1, **what)

    def fault(self, kind, at=0, **more):
        self.control(reset=True, fault={"kind": kind, "at": at, **more})

    def close(self):
        self.client.close()
        self.process.stdin.close()
        self.process.wait(timeout=30)


class Scene:
    """Documents on a server, and a ring and a job for them."""

    def __init__(self, server, rows, **more):
        self.server, self.rows = server, rows
        self.uuids = server.kind != "java"  # which mangles them
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="envl-test-"))
        self.database = "envl_test_" + secrets.token_hex(4)
        self.db = server.client[self.database]
        self.ring_path = self.dir / "keyring.json"
        self.key_path = self.dir / "keyring.key"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.dir),
                    "LC_ALL": "C.UTF-8", "MONGO_URL": server.uri,
                    "ENVELOPE_KEYRING": str(self.ring_path),
                    "ENVELOPE_KEY_FILE": str(self.key_path)}
        self.name = self.database.replace("_", "-")
        self.job = self.dir / "job.json"
        self.write_job(**more)
        self.run("init", "--kid", "k1")

    def write_job(self, **more):
        self.job.write_text(json.dumps(
            documents.job(self.database, self.name, **more)))

    def fill(self):
        self.forget()
        for name in documents.COLLECTIONS:
            found = [documents.document(row, 0, 0, False, self.uuids)
                     for row in range(1, self.rows + 1)
                     if documents.collection_of(row) == name]
            if found:
                self.db[name].insert_many(found)

    def forget(self):
        """The documents, and what jobs of this scene left in the store."""
        self.server.client.drop_database(self.database)
        state = self.server.client["envelope_admin"]
        if self.server.kind == "named":
            for name in state.list_collection_names():
                state[name].delete_many({"job": self.name})
        else:
            self.server.client.drop_database("envelope_admin")

    def command(self, *args):
        return [ENVELOPE, *args]

    def run(self, *args, ok=(0,), **kwargs):
        done = subprocess.run(self.command(*args), env=self.env, text=True,
                              capture_output=True, timeout=300, **kwargs)
        if ok is not None and done.returncode not in ok:
            sys.exit(f"FAIL envelope {' '.join(args)}: exit "
                     f"{done.returncode}\n{done.stderr[-2000:]}")
        return done

    def migrate(self, workers=1, ok=(0,)):
        """(exit code, the summary or {}, what it said)."""
        done = self.run("migrate", str(self.job), "--execute", "--json",
                        "--workers", str(workers), ok=ok)
        lines = [line for line in done.stdout.splitlines()
                 if '"summary"' in line]
        return (done.returncode, json.loads(lines[-1]) if lines else {},
                done.stderr)

    def opener(self):
        return documents.Opener(read_ring(self.ring_path.read_bytes(),
                                          key_file=self.key_path.read_bytes()))

    def compare(self, touched=None, kid=None):
        """Hold every document against the model; return complaints.  touched:
        {row: (version, hot, turned) or None for a deleted one}."""
        want = {row: (0, 0, False) for row in range(1, self.rows + 1)}
        want.update(touched or {})
        opener, wrong = self.opener(), []
        for name in documents.COLLECTIONS:
            expected = {}
            for row, state in want.items():
                if state is not None and documents.collection_of(row) == name:
                    made = documents.document(row, *state, self.uuids)
                    raw = documents.bson.encode(made)
                    expected[documents.id_text(made["_id"])] = raw
            for found in self.db[name].with_options(RAW).find():
                key = documents.id_text(found["_id"])
                opened = opener.document(name, found.raw)
                if expected.pop(key, None) != opened:
                    wrong.append(f"{name} {key}: not what was committed")
            wrong += [f"{name} {key}: is lost" for key in expected]
        wrong += [f"plaintext at {where}" for where in opener.plain]
        wrong += [f"does not open: {where}" for where in opener.failed]
        if kid is not None and opener.kids != {kid}:
            wrong.append(f"kids {sorted(opener.kids)}, not {kid} alone")
        self.opened = opener.opened
        return wrong

    def close(self):
        try:
            self.forget()
        finally:
            shutil.rmtree(self.dir)


class Checks:
    def __init__(self, title):
        self.title, self.good, self.bad = title, 0, 0

    def __call__(self, name, good, more=""):
        if good:
            self.good += 1
        else:
            self.bad += 1
        more = more.strip()[:600 if not good else 100].replace("\n", " ")
        print(f"{'ok' if good else 'not ok'} {name}"
              f"{' ' + more if more else ''}", flush=True)

    def close(self, skipped=0):
        print(f"{self.title}: {self.good} passed, {self.bad} failed, "
              f"{skipped} skipped")
        return 1 if self.bad else 0
