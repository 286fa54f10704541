#!/usr/bin/env python3
"""The C library and the second implementation open each other's envelopes.

    test_interop.py [COMMAND]       default: build/release/envelope

1,000 random values each way, in all three encodings and both modes; streams
over several chunks, at every boundary; the rings and audit logs that the
command writes; a database that it swept; and every vector of spec/vectors that
a command line can express.
"""

import base64
import json
import os
import random
import sys
import tempfile
from pathlib import Path

import sweep_sqlite
import vectors
from command import EXIT, Command, context_args, error_name
from envelope_py import (Failure, audit, open_, open_stream, parse, read_ring,
                         recode, seal, seal_stream, signed)
from envelope_py.envelope import CHUNK, MODES, TYPES
from report import Report

VALUES = 1000  # each way
LETTERS = ["a", "Z", "7", " ", ".", "~", "\n", "\t", '"', "\\", "/", "é",
           "e\u0301", "ß", "✓", "\u2028", "\ufeff", "\uffff", "\U0001f511",
           "\U0010ffff", "漢", "\u202e", "\x7f", "\x1b"]
PADS = [None, 0, 2, 32, 255, 4096]
TYPE_NAMES = {number: name for name, number in TYPES.items()}


class Dice:
    """Random values, types and contexts from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, most, nul=False):
        letters = LETTERS + (["\0"] if nul else [])
        return "".join(self.random.choices(letters,
                                           k=self.random.randint(0, most)))

    def context(self, nul=True):
        """0 to 6 pairs, their names different; U+0000 only where it can be."""
        pairs = {}
        for _ in range(self.random.randint(0, 6)):
            name = self.text(12) + self.random.choice(LETTERS)
            pairs[name.replace("=", "")] = self.text(40, nul) + "="
        return list(pairs.items())

    def value(self):
        """(type, value); sizes around 0, the pad block, and 4096."""
        kind = self.random.choice(["bytes", "text", "json"])
        size = self.random.choice([0, 1, 30, 31, 32, 100, 4095, 4096, 4097,
                                   self.random.randint(0, 2000)])
        if kind == "text":
            return kind, self.text(size // 4, nul=True).encode()
        if kind == "json":
            document = {"a": [self.text(size // 16), 1e300, None, True]}
            ascii_ = self.random.random() < 0.5
            return kind, json.dumps(document, ensure_ascii=ascii_).encode()
        return kind, b"\x00" + self.random.randbytes(size)


def pad_args(pad):
    return [] if pad is None else ["--pad", "none" if pad == 0 else str(pad)]


def line_of(kind, value, pairs):
    """A line for `envelope seal`."""
    line = {"type": kind, "context": dict(pairs)}
    if kind == "bytes":
        line["value_b64"] = base64.b64encode(value).decode()
    else:
        line["value"] = value.decode()
    return line


def value_of(answer):
    if "value_b64" in answer:
        return base64.b64decode(answer["value_b64"], validate=True)
    return answer["value"].encode() if "value" in answer else None


def as_bytes(envelope):
    """An envelope out of a JSON line, text or object."""
    if isinstance(envelope, str):
        return envelope.encode()
    return json.dumps(envelope).encode()


def opened(ring, pairs, data):
    """(type name, value), or the failure's status."""
    try:
        type_, value = open_(ring, pairs, data)
    except Failure as failure:
        return failure.status
    return TYPE_NAMES[type_], value


# ---- values -----------------------------------------------------------------

def c_seals_lines(command, ring, dice, count, report):
    """`envelope seal` in text and object; Python opens."""
    salts = set()
    groups = [(encoding, mode, pad) for encoding in ("text", "object")
              for mode in MODES for pad in PADS]
    for number, (encoding, mode, pad) in enumerate(groups):
        share = count * (number + 1) // len(groups) - count * number // len(
            groups)
        items = [(*dice.value(), dice.context()) for _ in range(share)]
        answers = command.lines("seal", "--encoding", encoding, "--mode", mode,
                                *pad_args(pad),
                                lines=[line_of(*item) for item in items])
        for (kind, value, pairs), answer in zip(items, answers):
            name = f"C seals {encoding}, {mode}, pad {pad}"
            if "envelope" not in answer:
                report.equal(name, answer, "an envelope")
                continue
            data = as_bytes(answer["envelope"])
            report.equal(name, opened(ring, pairs, data), (kind, value))
            report.equal(name + ": encoding", parse(data)[1], encoding)
            salts.add(parse(data)[0].payload[:24])
    # spec: ENV-4.2, ENV-9.7
    report.equal("no salt comes twice", len(salts), count)


def c_seals_binary(command, ring, dice, count, report):
    """`envelope encrypt --encoding binary`, one process a value."""
    for number in range(count):
        kind, value = dice.value()
        pairs, pad = dice.context(nul=False), PADS[number % len(PADS)]
        mode = list(MODES)[number % 2]
        data = command.must("encrypt", "--encoding", "binary", "--mode", mode,
                            "--type", kind, *pad_args(pad),
                            *context_args(pairs), data=value)
        name = f"C encrypts binary, {mode}, pad {pad}"
        report.equal(name, opened(ring, pairs, data), (kind, value))


def py_seals(ring, dice, encoding, number, nul):
    """A random envelope of ours: (kind, value, pairs, envelope)."""
    kind, value = dice.value()
    pairs = dice.context(nul)
    data = seal(ring, pairs, value, type_=TYPES[kind], encoding=encoding,
                mode=number % 2, pad=PADS[number % len(PADS)])
    return kind, value, pairs, data


def c_opens_lines(command, ring, dice, count, report):
    """Python seals text and object; one `envelope open` opens them all."""
    items, lines = [], []
    for number in range(count):
        encoding = ["text", "object"][number // 2 % 2]
        item = py_seals(ring, dice, encoding, number, nul=True)
        items.append((encoding, *item))
        data = item[3].decode()
        lines.append({"envelope": data if encoding == "text"
                      else json.loads(data), "context": dict(item[2])})
    for (encoding, kind, value, _, _), answer in zip(
            items, command.lines("open", lines=lines)):
        report.equal(f"C opens {encoding}",
                     (answer.get("type"), value_of(answer)), (kind, value))


def c_opens_binary(command, ring, dice, count, report):
    for number in range(count):
        _, value, pairs, data = py_seals(ring, dice, "binary", number, False)
        got = command.must("decrypt", *context_args(pairs), data=data)
        report.equal("C decrypts binary", got, value)


def c_refuses(command, ring, dice, count, report):
    """Another context, a changed byte: `auth`, one line for each, exit 3."""
    lines = []
    for number in range(count):
        _, _, pairs, data = py_seals(ring, dice, "binary", number, True)
        if number % 2:
            at = len(data) - 1 - dice.random.randrange(100)
            data = data[:at] + bytes([data[at] ^ 4]) + data[at + 1:]
        else:
            pairs = pairs + [("interop", "another place")]
        lines.append({"envelope": recode(data, "text").decode(),
                      "context": dict(pairs)})
    for answer in command.lines("open", lines=lines):
        report.equal("C refuses", (answer.get("error"), answer.get("code")),
                     ("auth", 12))
    data = json.dumps(lines[0]).encode() + b"\n"
    report.equal("open exits 3 where one failed",
                 command.run("open", data=data)[0], 3)


# ---- streams ----------------------------------------------------------------

def stream_sizes():
    """Value sizes around the end of a chunk, and of what is read at once."""
    for chunks in (1, 2, 3, 64):
        for near in (-2, -1, 0, 1):
            yield chunks * CHUNK + near
    yield from (0, 1, 40000, (1 << 20) + 1, 3 * (1 << 20) + 5)


def pieces(data, dice):
    """data in pieces of random sizes."""
    at = 0
    while at < len(data):
        size = dice.random.choice([1, 100, CHUNK, CHUNK + 16, 100000])
        yield data[at:at + size]
        at += size


def c_streams(command, ring, dice, report):
    """`encrypt` in every encoding; Python opens whole, and piece by piece."""
    for number, size in enumerate(stream_sizes()):
        value, pairs = dice.random.randbytes(size), dice.context(nul=False)
        mode = list(MODES)[number % 2]
        for encoding in ("text", "object", "binary"):
            data = command.must("encrypt", "--encoding", encoding, "--mode",
                                mode, "--pad", "none", "--type", "bytes",
                                *context_args(pairs), data=value)
            name = f"C streams {size} bytes as {encoding}, {mode}"
            if encoding != "binary":
                report.equal(name + ": ends in one LF", data[-1:], b"\n")
                data = data[:-1]
            report.equal(name, opened(ring, pairs, data), ("bytes", value))
            if encoding == "binary":
                parts = pieces(data, dice)
                got = b"".join(open_stream(ring, pairs, parts))
                report.equal(name + ": in pieces", got == value, True)


def py_streams(command, ring, dice, report):
    """Python seals piece by piece; `decrypt` opens every encoding of it."""
    for number, size in enumerate(stream_sizes()):
        value, pairs = dice.random.randbytes(size), dice.context(nul=False)
        data = b"".join(seal_stream(ring, pairs, pieces(value, dice),
                                    mode=number % 2))
        for encoding in ("binary", "text", "object"):
            got = command.must("decrypt", *context_args(pairs),
                               data=recode(data, encoding))
            report.equal(f"C decrypts a stream of {size} bytes, {encoding}",
                         got == value, True)
    cut = data[:-(len(data) - 100) // 2]
    code, out, _ = command.run("decrypt", *context_args(pairs), data=cut)
    report.equal("a stream cut short is no success", code in (12, 19), True)
    report.equal("and gives no more than its beginning",
                 value.startswith(out), True)


# ---- rings and vectors ------------------------------------------------------

def make_ring(command, report):
    """A ring of the command's, with a wrapping key, opened by Python."""
    command.must("init", "--kid", "k1")
    command.must("key", "add", "--kid", "w1", "--use", "wrap", "--activate")
    command.must("key", "add", "--kid", "k2")
    ring = read_ring(command.ring.read_bytes(),
                     key_file=command.key_file.read_bytes())
    listed = json.loads(command.must("key", "list", "--json"))
    report.equal("ring: id", listed["keyring"], ring.document["id"])
    report.equal("ring: generation", listed["generation"],
                 ring.document["generation"])
    report.equal("ring: keys", [[key[member] for member in (
        "kid", "use", "scope", "state", "created", "activated", "expires")]
        for key in listed["keys"]], [[key[member] for member in (
            "kid", "use", "scope", "state", "created", "activated",
            "expires")] for key in ring.document["keys"]])
    report.equal("ring: mode", oct(command.ring.stat().st_mode & 0o777),
                 "0o600")
    return ring


def spoiled_logs(log):
    """(name, log) for each way to spoil a good one."""
    lines = log.splitlines(keepends=True)
    yield "as it was", log
    yield "empty", b""
    yield "cut at a record", b"".join(lines[:-1])
    yield "cut in a record", log[:-30]
    yield "no LF at the end", log[:-1]
    yield "a line feed more", log + b"\n"
    yield "the first record gone", b"".join(lines[1:])
    for at in range(len(lines)):
        before, line, after = lines[:at], lines[at], lines[at + 1:]
        for name, new in (
                ("gone", []), ("twice", [line, line]),
                ("its verb changed", [line.replace(b'"verb":"', b'"verb":"x')]),
                ("its mac changed", [line[:-6] + b"AAA" + line[-3:]]),
                ("a blank more", [line.replace(b'"counts":', b'"counts": ')]),
                ("a CR more", [line[:-1] + b"\r\n"]),
                ("cut short", [line[:60] + b"\n"])):
            yield f"record {at + 1} {name}", b"".join(before + new + after)
        if after:
            yield f"record {at + 1} exchanged with the next", b"".join(
                before + [after[0], line] + after[1:])


def check_audit(command, report):
    """The log of all that happened, by both, as it is and spoiled."""
    command.must("key", "add", "--kid", "k3")
    command.must("key", "disable", "k3")
    command.must("key", "destroy", "k3", "--yes=k3")
    ring = read_ring(command.ring.read_bytes(),
                     key_file=command.key_file.read_bytes())
    log = next(command.folder.rglob("audit.jsonl")).read_bytes()
    records, _, _, broken = audit.verify(log, ring)
    report.equal("audit: the command's log is whole", broken, None)
    report.equal("audit: there are records", records > 8, True)
    copy = command.folder / "copy.jsonl"
    for name, data in spoiled_logs(log):
        write_private(copy, data)
        _, out, _ = command.run("audit", "verify", "--json", "--log",
                                str(copy))
        said, (_, free, head, broken) = json.loads(out), audit.verify(data,
                                                                      ring)
        report.equal(f"audit, {name}: broken line", said["broken_line"],
                     broken)
        if broken is None:
            report.equal(f"audit, {name}: head",
                         (said["unauthenticated"], said["head"]), (free, head))


def spoiled_documents(data):
    """(name, document) of what is and what is nearly a signed head."""
    yield "as it is", data
    for name in (b"signed", b"kind", b"at", b"keyring", b"pin", b"body",
                 b"public", b"mac", b"signature"):
        at = data.index(b'"' + name + b'":') + len(name) + 5
        yield f"{name.decode()} changed", (
            data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    yield "a member more", data.replace(b'"}', b'","more":1}')
    yield "a space", data.replace(b',"mac"', b', "mac"')
    yield "cut", data[:-9]
    yield "no signature", (
        data[:data.rindex(b',"signature"')] + b',"signature":null}\n')


def holds(data, ring, public):
    try:
        signed.check(data, ring, public)
    except (Failure, ValueError):
        return False
    return True


def check_signed(command, report):
    """A head that the command sealed, and one sealed here, by both."""
    ring = read_ring(command.ring.read_bytes(),
                     key_file=command.key_file.read_bytes())
    key, head = command.folder / "sign.key", command.folder / "head.json"
    command.must("audit", "key", str(key))
    public = Path(f"{key}.pub")
    command.must("audit", "seal", "--sign-key", str(key), "-o", str(head))
    theirs = head.read_bytes()
    body = json.loads(theirs)["body"]
    ours = signed.make(ring, key.read_bytes(), "audit-head",
                       "2026-11-23T00:00:00Z", body)
    for whose, document in (("theirs", theirs), ("ours", ours)):
        for name, data in spoiled_documents(document):
            head.write_bytes(data)
            code, _, _ = command.run("audit", "check", str(head),
                                     "--public-key", str(public))
            good = holds(data, ring, public.read_text().strip())
            report.equal(f"signed, {whose}, {name}", code, 0 if good else 18)
            report.equal(f"signed, {whose}, {name}: is it good?", good,
                         name == "as it is")


def write_private(path, data):
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
        f.write(data)


def run_open_vectors(path, folder, report):
    """Every vector of spec/vectors/open that a command line can express."""
    command = Command(path, folder / "vectors")
    shared = json.loads((vectors.FOLDER / "ring.json").read_text("utf-8"))
    write_private(command.ring, shared["file"].encode())
    write_private(command.key_file, bytes.fromhex(shared["key_file"]))
    for file, case in vectors.read("open"):
        pairs = vectors.context_of(case)
        odd = any("\0" in part for pair in case.get("context", [])
                  for part in pair) or any(
            "00" in [part[i:i + 2] for i in range(0, len(part), 2)]
            for pair in case.get("context_hex", []) for part in pair)
        data = vectors.bytes_of(case, "value")
        if odd or "accept" in case:
            report.skip(f"no command line can say this: {file.stem}")
            continue
        if case["form"] == "text" and data.endswith(b"\n"):
            continue  # the command takes one LF off
        scope = ["--scope", case["scope"]] if "scope" in case else []
        code, out, err = command.run("decrypt", "--json", *scope,
                                     *context_args(pairs), data=data)
        report.equal(f"decrypt {file.stem}: exit", code, EXIT[case["status"]])
        if case["status"] == "ok":
            report.equal(f"decrypt {file.stem}: value", out,
                         vectors.bytes_of(case, "plaintext"))
        else:
            report.equal(f"decrypt {file.stem}: name", error_name(err),
                         case["status"])
            # spec: ENV-1.2, ENV-1.4, ENV-8.4
            report.equal(f"decrypt {file.stem}: nothing given", out, b"")


def run_ring_vectors(path, folder, report):
    """Every vector of spec/vectors/keyring, each with nothing remembered."""
    for number, (file, case) in enumerate(vectors.read("keyring")):
        command = Command(path, folder / f"ring{number}")
        write_private(command.ring, vectors.bytes_of(case, "file"))
        args = []
        if "passphrase" in case:
            secret = command.folder / "passphrase"
            write_private(secret, case["passphrase"].encode())
            args = ["--passphrase-file", str(secret)]
            command.key_file = None
        else:
            write_private(command.key_file, bytes.fromhex(case["key_file"]))
        code, out, err = command.run("key", "list", "--json", *args)
        report.equal(f"keyring {file.stem}: exit", code, EXIT[case["status"]])
        if case["status"] != "ok":
            report.equal(f"keyring {file.stem}: name", error_name(err),
                         case["status"])
        elif code == 0:
            listed = json.loads(out)
            report.equal(f"keyring {file.stem}: keys", [
                (key["kid"], key["state"]) for key in listed["keys"]],
                [(key["kid"], key["state"]) for key in case["keys"]])


def main(argv):
    path = argv[1] if len(argv) > 1 else "build/release/envelope"
    report = Report()
    if not Path(path).exists():
        print(f"not ok - no command at {path}")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    seed = os.environ.get("ENVL_TEST_SEED") or os.urandom(4).hex()
    print(f"seed {seed} (ENVL_TEST_SEED)")
    dice = Dice(seed)
    binary = VALUES // 3
    with tempfile.TemporaryDirectory(prefix="envl-test-") as name:
        folder = Path(name)
        command = Command(path, folder / "home")
        ring = make_ring(command, report)
        c_seals_lines(command, ring, dice, VALUES - binary, report)
        c_seals_binary(command, ring, dice, binary, report)
        c_opens_lines(command, ring, dice, VALUES - binary, report)
        c_opens_binary(command, ring, dice, binary, report)
        c_refuses(command, ring, dice, 100, report)
        c_streams(command, ring, dice, report)
        py_streams(command, ring, dice, report)
        sweep_sqlite.run(command, ring, report)
        check_audit(command, report)
        check_signed(command, report)
        run_open_vectors(path, folder, report)
        run_ring_vectors(path, folder, report)
    return report.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
