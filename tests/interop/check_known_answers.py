#!/usr/bin/env python3
"""Run the second implementation over known answers, in both directions.

    check_known_answers.py [FILE...]

spec/vectors is always run, and spec/vectors/known-answers.json, or each FILE in
its place.
"""

import hashlib
import json
import sys
from pathlib import Path

from envelope_py import (Failure, Key, Ring, blind_index, check_value, open_,
                         recode, seal)
from envelope_py.coding import unb64url
from envelope_py.envelope import MODES, TYPES
from envelope_py.keyring import LABELS, derive, unlock_key
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
import make_vectors
from report import Report
import vectors


def status_of(call):
    """What call ends in, as a status."""
    try:
        call()
    except Failure as failure:
        return failure.status
    return "ok"


def run_case(case, report):
    """Seal with the case's salt, compare, and open again."""
    plain = case["plaintext"]
    value = (bytes.fromhex(plain["repeat"]) * plain["count"]
             if isinstance(plain, dict) else bytes.fromhex(plain))
    use = "wrap" if case["mode"] == "wrapped" else "seal"
    ring = Ring([Key(case["kid"], use, "active", bytes.fromhex(case["key"]))])
    pairs = list(case["context"].items())
    value_key = bytes.fromhex(case.get("value_key", "")) or None
    binary = seal(ring, pairs, value, kid=case["kid"], encoding="binary",
                  type_=TYPES[case["type"]], pad=case["pad"],
                  mode=MODES[case["mode"]], salt=bytes.fromhex(case["salt"]),
                  value_key=value_key)
    name = case["name"]
    if "binary" in case:
        report.equal(name + ": binary", binary.hex(), case["binary"])
        report.equal(name + ": text", recode(binary, "text").decode(),
                     case["text"])
        report.equal(name + ": object", json.loads(recode(binary, "object")),
                     case["object"])
    else:
        digest = hashlib.sha256(binary).hexdigest()
        report.equal(name + ": digest", digest, case["binary_sha256"])
        report.equal(name + ": length", len(binary), case["binary_length"])
    for encoding in ("text", "object", "binary"):
        opened = open_(ring, pairs, recode(binary, encoding))
        report.equal(f"{name}: opened from {encoding}", opened,
                     (TYPES[case["type"]], value))


def run_other(item, report):
    """The four kinds of small answers."""
    name, key = item["name"], bytes.fromhex(item.get("key", ""))
    if name.startswith("blind index"):
        report.equal(name, blind_index(key, item["field"].encode(),
                                       bytes.fromhex(item["value"]),
                                       item["bits"]), item["hex"])
    elif name == "key check value":
        report.equal(name, check_value(key, item["kid"]), item["hex"])
    elif name == "ring key labels":
        ring_key = bytes.fromhex(item["ring_key"])
        for label in LABELS:
            report.equal(f"{name}: {label}", derive(ring_key, label).hex(),
                         item[label])
    else:
        wrapping = unlock_key(bytes.fromhex(item["bytes"]), item["ring_id"])
        report.equal(name, wrapping.hex(), item["hex"])
        ring_key = aes_key_unwrap(wrapping, unb64url(item["wrapped"]))
        report.equal(name + ": ring key", ring_key.hex(), item["ring_key"])


def run_file(path, report):
    answers = json.loads(Path(path).read_text(encoding="utf-8"))
    ring = Ring([Key(key["kid"], key["use"], key["state"],
                     bytes.fromhex(key["key"])) for key in answers["ring"]])
    for case in answers["cases"]:
        run_case(case, report)
    for check in answers["checks"]:
        data = (bytes.fromhex(check["value"]) if check["form"] == "binary"
                else check["value"].encode())
        pairs = list(check["context"].items())
        got = status_of(lambda: open_(ring, pairs, data))
        report.equal(check["name"], got, check["status"])
    for item in answers["other"]:
        run_other(item, report)


def prove_failure_counts(report):
    """A spoiled case must fail, or the rest proves nothing."""
    scratch = Report(quiet=True)
    _, case = next(vectors.read("open"))
    vectors.RUN["open"](vectors.ring(), {**case, "status": "never"}, "spoiled",
                        scratch)
    report.equal("a spoiled vector is counted as failed", scratch.failed, 1)


def main(argv):
    report = Report()
    for path in argv[1:] or [vectors.FOLDER / "known-answers.json"]:
        run_file(path, report)
    vectors.run_all(report)
    report.equal("spec/vectors is what make_vectors.py writes",
                 make_vectors.main(["", "--check"]), 0)
    prove_failure_counts(report)
    return report.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
