"""The library of shim.c, and the file by which a test steers it.

A Control counts what a process did (also one that was killed) and says at
which call it is killed, stopped or refused.
"""

import mmap
import os
import pathlib
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
CALLS = ("send", "recv", "write", "sync", "unlink", "read", "row", "hold")
KILL, STOP, FAIL, FAIL_EVER = 1, 2, 3, 4
HEAD, EACH, PATH = 3, 5, 256
SIZE = (HEAD + EACH * len(CALLS)) * 8 + PATH


def build(folder):
    """Compile shim.c; return the library's path."""
    library = pathlib.Path(folder) / "shim.so"
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O1", "-fPIC",
                    "-shared", "-o", library, HERE / "shim.c", "-ldl"],
                   check=True)
    return library


class Control:
    def __init__(self, path, mode=0o600):
        self.path = pathlib.Path(path)
        self.path.write_bytes(bytes(SIZE))
        self.path.chmod(mode)
        with self.path.open("r+b") as file:
            self.map = mmap.mmap(file.fileno(), SIZE)

    def _put(self, slot, value):
        struct.pack_into("=q", self.map, slot * 8, value)

    def _get(self, slot):
        return struct.unpack_from("=q", self.map, slot * 8)[0]

    def _slot(self, call, member):
        return HEAD + CALLS.index(call) * EACH + member

    def count(self, call):
        return self._get(self._slot(call, 0))

    def hits(self, call):
        return self._get(self._slot(call, 4))

    def rule(self, call, at, action, error=0):
        """Do ACTION at the AT-th CALL (FAIL_EVER: from it on)."""
        self._put(self._slot(call, 2), 0)
        self._put(self._slot(call, 3), error)
        self._put(self._slot(call, 1), at)
        self._put(self._slot(call, 2), action)

    def clear(self, call):
        self._put(self._slot(call, 2), 0)

    def only(self, part):
        """Files: only those whose path holds PART."""
        raw = part.encode()[:PATH - 1]
        struct.pack_into(f"={PATH}s", self.map, SIZE - PATH, raw)

    def clock(self, seconds):
        self._put(0, seconds)

    def jump(self, at_send, seconds):
        self._put(2, seconds)
        self._put(1, at_send)

    def reset(self):
        self.map[:] = bytes(SIZE)
