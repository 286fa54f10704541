"""Drive the `envelope` command in a folder of its own."""

import json
import os
import subprocess
from pathlib import Path

EXIT = {"ok": 0, "usage": 2, "limit": 2, "auth": 12, "nokey": 13,
        "policy": 14, "provider": 15, "integrity": 18, "notenv": 19,
        "format": 19, "version": 19}


class Command:
    """The command with a home, ring and key file under `folder`."""

    def __init__(self, path, folder):
        self.path = str(Path(path).resolve())
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.ring = self.folder / "ring.json"
        self.key_file = self.folder / "ring.key"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder),
                    "LC_ALL": "C.UTF-8"}

    def run(self, *args, data=b""):
        """(exit code, stdout, stderr) with ring and key file named."""
        line = [self.path, *args, "--keyring", str(self.ring)]
        if self.key_file is not None:
            line += ["--key-file", str(self.key_file)]
        done = subprocess.run(line, input=data, env=self.env,
                              capture_output=True, timeout=300, check=False)
        return done.returncode, done.stdout, done.stderr

    def must(self, *args, data=b""):
        """stdout, where anything but success is an error of the test."""
        code, out, err = self.run(*args, data=data)
        if code != 0:
            raise RuntimeError(f"{args[0]}: exit {code}: "
                               f"{err.decode(errors='replace')[:400]}")
        return out

    def lines(self, *args, lines):
        """One JSON document a line, in and out."""
        data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        _, out, err = self.run(*args, data=data)
        answers = [json.loads(line) for line in out.splitlines()]
        if len(answers) != len(lines):
            raise RuntimeError(f"{args[0]}: {len(answers)} answers to "
                               f"{len(lines)} lines: "
                               f"{err.decode(errors='replace')[:400]}")
        return answers


def context_args(pairs):
    """--context N=V for each pair, as bytes where they are."""
    args = []
    for name, value in pairs:
        name, value = [part if isinstance(part, bytes) else part.encode()
                       for part in (name, value)]
        args += ["--context", name + b"=" + value]
    return args


def error_name(stderr):
    """The status in the error line that --json gives."""
    for line in stderr.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("type") == "error":
            return found.get("name")
    return None
