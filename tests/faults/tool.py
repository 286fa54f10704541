"""The command under test, in a home of its own, with everything that it says
kept: each word of it is searched for plaintext (I9)."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import shim

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVELOPE = os.environ.get("ENVELOPE", str(ROOT / "build/release/envelope"))
LIMIT_S = 180  # no run of these tables takes so long: it hangs


class Hangs(Exception):
    """A run did not end."""


class Run:
    """One process; done() gives its end."""

    def __init__(self, tool, args, env, through=()):
        self.tool, self.args = tool, args
        self.outs = [tempfile.TemporaryFile(dir=tool.home) for _ in range(2)]
        self.process = subprocess.Popen(
            [*through, ENVELOPE, *args], env=env, cwd=tool.home,
            stdin=subprocess.DEVNULL, stdout=self.outs[0],
            stderr=self.outs[1])
        self.pid = self.process.pid
        self.killed = False   # by us: then its exit code tells nothing
        self.code = self.out = self.err = None
        self.began = time.monotonic()

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.alive():
            self.process.send_signal(number)

    def kill(self):
        self.killed = True
        self.signal(signal.SIGKILL)

    def said(self):
        """What it said on stderr so far."""
        return os.pread(self.outs[1].fileno(), 1 << 20, 0).decode(
            "utf-8", "replace")

    def wait(self, until, seconds=60):
        """Wait until UNTIL() or its end; true if it came to that."""
        late = time.monotonic() + seconds
        while time.monotonic() < late:
            if until():
                return True
            if not self.alive():
                return False
            time.sleep(0.003)
        return False

    def done(self):
        if self.code is not None:
            return self
        try:
            code = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Hangs(f"{' '.join(self.args)}: {self.said()[-500:]}") from None
        for out in self.outs:
            out.seek(0)
        self.out, self.err = (out.read().decode("utf-8", "replace")
                              for out in self.outs)
        for out in self.outs:
            out.close()
        self.killed = self.killed or code == -signal.SIGKILL
        self.code = code
        self.tool.words += [self.out, self.err]
        return self

    def document(self):
        """The last line of stdout, as JSON; {} if there is none."""
        lines = [line for line in self.out.splitlines() if line.strip()]
        try:
            return json.loads(lines[-1]) if lines else {}
        except ValueError:
            return {}

    def summary(self):
        document = self.document()
        return document if document.get("type") == "summary" else {}

    def told(self):
        return (f"exit {self.code}: "
                f"{' '.join(self.err.split())[-300:]}").strip()


class Tool:
    """A home with a ring, a job file, and the control of the shim."""

    def __init__(self, folder, library, template=None):
        self.home = pathlib.Path(folder)
        self.library = library
        if template is not None:
            shutil.copytree(template, self.home)
        else:
            self.home.mkdir(mode=0o700)
        self.control = shim.Control(self.home / "control")
        self.words, self.runs = [], []
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home),
                    "LC_ALL": "C.UTF-8", "LD_PRELOAD": str(library),
                    "FAULT_CONTROL": str(self.control.path)}
        for name in ("ASAN_OPTIONS", "LD_LIBRARY_PATH"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.job = self.home / "job.json"
        self.ring = self.home / ".local/share/envelope/keyring.json"

    def write_job(self, job, name="job.json"):
        path = self.home / name
        path.write_text(json.dumps(job))
        return path

    def start(self, *args, env=None, control=None, through=()):
        more = dict(self.env, **(env or {}))
        if control is not None:
            more["FAULT_CONTROL"] = str(control.path)
        run = Run(self, [str(a) for a in args], more, through)
        self.runs.append(run)
        return run

    def run(self, *args, ok=(0,), **more):
        run = self.start(*args, **more).done()
        if ok is not None and run.code not in ok:
            raise AssertionError(f"envelope {' '.join(run.args)}: "
                                 f"{run.told()}")
        return run

    def second_control(self, name):
        return shim.Control(self.home / name)

    def open_all(self, wanted):
        """{name: opened text or None} for {name: (envelope, context)}, by a
        fresh process."""
        if not wanted:
            return {}
        lines = "".join(json.dumps({"envelope": e, "context": c}) + "\n"
                        for e, c in wanted.values())
        env = {k: v for k, v in self.env.items()
               if k not in ("LD_PRELOAD", "FAULT_CONTROL")}
        done = subprocess.run([ENVELOPE, "open"], env=env, input=lines,
                              capture_output=True, text=True, cwd=self.home)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if len(answers) != len(wanted):
            raise AssertionError(f"open gave {len(answers)} answers for "
                                 f"{len(wanted)} values: {done.stderr}")
        return {name: answer.get("value")
                for name, answer in zip(wanted, answers)}

    def keys(self):
        """{kid: state} as a fresh process finds the ring."""
        done = self.run("key", "list", "--json")
        return {key["kid"]: key["state"] for key in done.document()["keys"]}

    def close(self):
        for run in self.runs:
            if run.code is None:
                if run.alive():
                    run.process.kill()
                run.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)
