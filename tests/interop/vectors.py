"""Read spec/vectors, and run the second implementation over them."""

import json
from pathlib import Path

from envelope_py import (Failure, Key, Ring, blind_index, open_, open_stream,
                         parse, parse_bson, read_ring, rewrap, seal,
                         write_bson)
from envelope_py import context as ctx, place
from envelope_py.envelope import MODES, TYPES, make_frame, seal_frame, write

FOLDER = Path(__file__).resolve().parents[2] / "spec" / "vectors"
TYPE_NAMES = {number: name for name, number in TYPES.items()}


def bytes_of(case, name):
    """A member given as a string, or in hex under name_hex."""
    if name + "_hex" in case:
        return bytes.fromhex(case[name + "_hex"])
    return case[name].encode()


def context_of(case):
    if "context_hex" in case:
        return [[bytes.fromhex(part) for part in pair]
                for pair in case["context_hex"]]
    return case["context"]


def accept_of(case):
    return [MODES[mode] for mode in case.get("accept", MODES)]


def read(folder):
    """(path, case) of every vector in one folder."""
    for path in sorted((FOLDER / folder).glob("*.json")):
        yield path, json.loads(path.read_text(encoding="utf-8"))


def ring():
    """The shared ring, opened with its key file, as a reader would."""
    shared = json.loads((FOLDER / "ring.json").read_text(encoding="utf-8"))
    return read_ring(shared["file"].encode(),
                     key_file=bytes.fromhex(shared["key_file"]))


def outcome(call):
    """(status, result) of call."""
    try:
        return "ok", call()
    except Failure as failure:
        return failure.status, None


def _open(keys, case, name, report):
    data = bytes_of(case, "value")
    pairs = context_of(case)
    status, result = outcome(lambda: open_(
        keys, pairs, data, scope=case.get("scope", "default"),
        accept=accept_of(case)))
    report.equal(name, status, case["status"])
    if status != "ok":
        return
    type_, value = result
    report.equal(name + ": value", (TYPE_NAMES[type_], value),
                 (case["type"], bytes_of(case, "plaintext")))
    if "salt" in case:  # the other direction
        frame = make_frame(value, type_, case["pad"])
        made = seal_frame(keys.find(case["kid"]), pairs, frame,
                          bytes.fromhex(case["salt"]),
                          bytes.fromhex(case.get("value_key", "")))
        report.equal(name + ": sealed again", made, parse(data)[0])


def _seal(keys, case, name, report):
    pad = 0 if case["pad"] == "none" else case["pad"]
    status, made = outcome(lambda: seal(
        keys, context_of(case), bytes_of(case, "value"), kid=case["kid"],
        mode=MODES[case["mode"]], type_=TYPES[case["type"]], pad=pad,
        encoding=case["encoding"], scope=case["scope"],
        nested=case["allow_nested"], salt=bytes.fromhex(case["salt"]),
        value_key=bytes.fromhex(case["value_key"])))
    report.equal(name, status, case["status"])
    if made is not None:
        report.equal(name + ": envelope", made, bytes_of(case, "envelope"))
        _, value = open_(keys, context_of(case), made, scope="*")
        report.equal(name + ": opened", value, bytes_of(case, "value"))


def _rewrap(keys, case, name, report):
    status, made = outcome(lambda: rewrap(
        keys, context_of(case), bytes_of(case, "value"), case["kid"]))
    report.equal(name, status, case["status"])
    if made is not None:
        report.equal(name + ": envelope", made, bytes_of(case, "envelope"))
        # spec: CTX-12, and the payload is as it was
        again = open_(keys, context_of(case), made)
        report.equal(name + ": opens as before", again,
                     open_(keys, context_of(case), bytes_of(case, "value")))


def _index(keys, case, name, report):
    status, made = outcome(lambda: blind_index(
        keys.find(case["kid"]).material, bytes_of(case, "field"),
        bytes_of(case, "value"), case["bits"]))
    report.equal(name, (status, made), (case["status"], case.get("hex")))


def _context(_, case, name, report):
    status, made = outcome(
        lambda: ctx.encode(MODES[case["mode"]], context_of(case)))
    wanted = bytes.fromhex(case["bytes"]) if "bytes" in case else None
    report.equal(name, (status, made), (case["status"], wanted))


def _keyring(_, case, name, report):
    key_file, phrase = case.get("key_file"), case.get("passphrase")
    status, opened = outcome(lambda: read_ring(
        bytes_of(case, "file"),
        key_file=None if key_file is None else bytes.fromhex(key_file),
        passphrase=None if phrase is None else phrase.encode()))
    report.equal(name, status, case["status"])
    if opened is not None:
        keys = [Key(key["kid"], key["use"], key["state"],
                    bytes.fromhex(key["key"]) if key["key"] else None,
                    key["scope"]) for key in case["keys"]]
        report.equal(name + ": keys", opened.keys, Ring(keys).keys)
        report.equal(name + ": pin", opened.pin, case["pin"])


def _open_stream(keys, case, name, report):
    """The same answer by the stream reader, which sees the end last."""
    data = bytes_of(case, "value")
    pieces = [data[at:at + 4999] for at in range(0, len(data), 4999)]
    status, value = outcome(lambda: b"".join(open_stream(
        keys, context_of(case), pieces, scope=case.get("scope", "default"))))
    wanted = case["status"]
    if case["requirement"] == "ENV-4.7" and len(data) > 16400:
        wanted = "format" if status == "format" else "auth"  # spec: ENV-8.16
    report.equal(name + ": as a stream", status, wanted)
    if value is not None:
        report.equal(name + ": streamed value", value,
                     bytes_of(case, "plaintext"))


def _path(_, case, name, report):
    status, segments = outcome(lambda: place.parse_path(case["path"]))
    report.equal(name, (status, segments),
                 (case["status"], case.get("segments")))


def _place(_, case, name, report):
    path = place.put_into(case["path"], case["into"])
    report.equal(name, place.field(case["components"], path), case["field"])


def _bson(_, case, name, report):
    document = bytes.fromhex(case["document_hex"])
    status, env = outcome(lambda: parse_bson(document))
    report.equal(name, status, case["status"])
    if env is not None:
        report.equal(name + ": envelope", write(env, "text").decode(),
                     case["envelope"])
        report.equal(name + ": written", write_bson(env) == document,
                     case["written"])


RUN = {"open": _open, "seal": _seal, "rewrap": _rewrap, "index": _index,
       "context": _context, "keyring": _keyring, "path": _path,
       "place": _place, "bson": _bson}


def run_all(report):
    """Run every vector; each must hold, and there must be some of each."""
    keys = ring()
    for folder, run in RUN.items():
        count = 0
        for path, case in read(folder):
            run(keys, case, f"{folder}/{path.stem}", report)
            if case.get("form") == "binary" and "accept" not in case:
                _open_stream(keys, case, f"{folder}/{path.stem}", report)
            count += 1
        report.equal(f"{folder}: there are vectors", count > 0, True)
