#!/usr/bin/python3
"""Goal: the fault tests bite: each patch under plants/ puts a bug into a copy
of the tree, and the seeds that it names have to find it.

    plants.py [NAME...]      these, or all

A patch begins with lines that say what it plants and who finds it:

    Plant: the compare-and-swap compares the key only
    Finds: applications_write on postgres
    Seeds: 10
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def copy_of(tree):
    """The tree as it stands, built as far as it is."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True,
                           capture_output=True).stdout.split(b"\0")
    for name in filter(None, files):
        source = ROOT / os.fsdecode(name)
        if not source.exists():
            continue
        to = tree / os.fsdecode(name)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, to)
    if (ROOT / "build/release").is_dir():
        subprocess.run(["cp", "-a", "--parents", "build/release", tree],
                       cwd=ROOT, check=True)


def patched(tree, patch, back=False):
    """Whether it applied, without a line of doubt."""
    done = subprocess.run(["patch", "-p1", "-s", "-F0", "--no-backup-if-"
                           "mismatch", "-r", "-", *(["-R"] if back else []),
                           "-i", patch], cwd=tree, capture_output=True,
                          text=True)
    return done.returncode == 0, done.stdout + done.stderr


def built(tree):
    done = subprocess.run(["make", "--no-print-directory", "-j",
                           str(os.cpu_count()), "all"], cwd=tree,
                          capture_output=True, text=True)
    return done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def head_of(patch):
    text = patch.read_text().split("\n--- ", 1)[0]
    return {name: re.findall(rf"^{name}: (.*)$", text, re.M)
            for name in ("Plant", "Finds", "Seeds")}


def found(tree, head):
    """Run the seeds of the scenarios that are to find it; what they say."""
    env = dict(os.environ, ENVELOPE=str(tree / "build/release/envelope"))
    said = ""
    for finder in head["Finds"]:
        scenario, store = finder.split(" on ")
        done = subprocess.run(
            ["/usr/bin/python3", str(HERE / "faults.py"), "--scenario",
             scenario, "--store", store, "--seeds", head["Seeds"][0],
             "--stop-after", "1"], env=env, capture_output=True, text=True)
        said = done.stdout
        line = re.search(r"^   (I\d+): (.*)$", said, re.M)
        if done.returncode == 1 and line is not None:
            return f"{finder}: {line.group(1)}: {line.group(2)}", said
    return None, said


def one(tree, patch):
    """'' if the bug was planted and found, else what went wrong."""
    head = head_of(patch)
    applied, said = patched(tree, patch)
    if not applied:
        return f"does not apply: {said}"
    try:
        made, said = built(tree)
        if not made:
            return f"does not build: {said}"
        who, said = found(tree, head)
        if who is None:
            return f"was not found: {said[-1500:]}"
        print(f"ok {patch.stem}: {head['Plant'][0]}\n   found by {who[:150]}",
              flush=True)
        return ""
    finally:
        patched(tree, patch, back=True)


def main():
    names = sys.argv[1:]
    patches = [p for p in sorted((HERE / "plants").glob("*.patch"))
               if not names or p.stem in names]
    if not patches:
        sys.exit("plants: no such patch")
    failed = 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="envl-plants-"))
    try:
        copy_of(folder)
        for patch in patches:
            wrong = one(folder, patch)
            if wrong:
                failed += 1
                print(f"not ok {patch.stem}: {wrong}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"plants: {len(patches) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
