#!/usr/bin/env python3
"""Write spec/vectors from the cases here.  The output is the same every time.

    make_vectors.py [FOLDER]        default: spec/vectors

Run with --check, it writes nothing and fails if a file would change.
"""

import json
import re
import sys
from pathlib import Path

from cases import (contexts, documents, forms, good, jobs, refused, rings,
                   sealing, world)
from envelope_py import Failure, open_
from vectors import FOLDER, accept_of, bytes_of, context_of

FOLDERS = {
    "open": lambda: good.cases() + forms.cases() + refused.cases(),
    "seal": sealing.seals, "rewrap": sealing.rewraps,
    "index": sealing.indexes, "context": contexts.cases,
    "keyring": rings.cases, "job": jobs.jobs, "path": jobs.paths,
    "place": jobs.places, "bson": documents.cases}


def with_reason(case):
    """Say why, in the second implementation's words."""
    if case["status"] == "ok":
        return case
    try:
        open_(world.RING, context_of(case), bytes_of(case, "value"),
              scope=case.get("scope", "default"), accept=accept_of(case))
    except Failure as failure:
        case["reason"] = failure.reason
    return case


def slug(name):
    name = re.sub(r"[^a-z0-9]+", "-", name.lower().replace("+", " plus "))
    return name.strip("-")[:72]


def render(case):
    """One member a line."""
    members = [f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
               for name, value in case.items()]
    return "{\n" + ",\n".join(members) + "\n}\n"


def files():
    """Every path under the folder, with its text."""
    yield "ring.json", render(world.ring_json())
    for folder, make in FOLDERS.items():
        seen = set()
        for case in make():
            if folder == "open":
                case = with_reason(case)
            name = base = f"{case['status']}-{slug(case['name'])}"
            number = 1
            while name in seen:
                number += 1
                name = f"{base}-{number}"
            seen.add(name)
            yield f"{folder}/{name}.json", render(case)


def main(argv):
    check = "--check" in argv
    rest = [arg for arg in argv[1:] if arg != "--check"]
    root = Path(rest[0]) if rest else FOLDER
    wanted, changed = dict(files()), 0
    for path in root.glob("*/*.json"):
        if str(path.relative_to(root)) not in wanted:
            changed += 1
            print(f"not a vector of ours: {path.relative_to(root)}")
            if not check:
                path.unlink()
    for name, text in wanted.items():
        path = root / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        changed += 1
        if check:
            print(f"differs: {name}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(wanted)} files, {changed} changed")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
