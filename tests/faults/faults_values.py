"""Values that are odd: each ends in its state, sealed exactly or left exactly
as it was; tests/unit has the state function itself."""

import base64
import json
import os
import re

import model
from registry import scenario

LONG = "L" * 200_000


def odd_texts(case, old):
    """[(value, state or "sealed")] for a column of text, by id from 1; OLD is
    sealed under a former key."""
    def sealed(number, kid="k1", **context):
        return seal(case, f"value {number}", kid,
                    {**where(case, "odd", "v", number), **context})
    return [
        (None, "null"), ("", "empty"), (" ", "sealed"), ("\ufeffbom", "sealed"),
        ("quote ' \" \\ \\x41 %s $1 \n\t", "sealed"), ("\U0001f511", "sealed"),
        (LONG, "sealed"), ("null", "sealed"), ('{"a": 1}', "sealed"),
        ("env", "sealed"), ("env1", "sealed"), ("ENV1:k1:xx", "sealed"),
        ("env1:", "prefix_collision"), ("env1:k1:!!", "prefix_collision"),
        ("env1:K1:AAAA", "prefix_collision"), ("env2:k1:AAAA", "sealed_newer"),
        ("env01:k1:AAAA", "sealed_newer"),
        (sealed(18), "sealed_current"),
        (sealed(19, id=other_id(case)), "sealed_wrong_context"),
        (sealed(20)[:60], "prefix_collision"),
        (sealed(21) + "=", "prefix_collision"),
        (sealed(22).replace(":k1:", ":k7:"), "sealed_unknown_kid"),
        (old, "sealed_old_kid"),
        (coded(b"\x80" + bytes(4) + os.urandom(4 + 16 + 32 + 32)),
         "legacy_cipher"),
        ("vault:v1:" + coded(os.urandom(40), False), "legacy_cipher"),
        ("brng:" + coded(os.urandom(60)), "legacy_cipher"),
        ('{"p":"%s","h":{"iv":"%s","at":"%s"}}' % tuple(
            coded(os.urandom(n), False) for n in (30, 12, 16)),
         "legacy_cipher"),
        (bent(sealed(28)), "sealed_current"),  # until somebody opens it
    ]


def bent(envelope):
    """Its commitment holds, a tag does not."""
    at = len(envelope) - 6
    return envelope[:at] + ("A" if envelope[at] != "A" else "B") + \
        envelope[at + 1:]


def coded(raw, url=True):
    return (base64.urlsafe_b64encode if url else base64.b64encode)(
        raw).decode()


def other_id(case):
    return "int:999" if case.store.NAME == "sqlite" else "999"


def where(case, table, place, number):
    """The context of a value, as an application must give it."""
    if case.store.NAME == "sqlite":
        return {"field": f"{table}.{place}", "id": f"int:{number}"}
    return {"field": f"public.{table}.{place}", "id": str(number)}


def seal(case, value, kid, context):
    args = ["encrypt", "--kid", kid, "--type", "text"]
    for name, part in context.items():
        args += ["--context", f"{name}={part}"]
    path = case.tool.home / "value"
    path.write_text(value)
    out = case.tool.run(*args, path).out.strip()
    path.unlink()
    return out


def fill(case, table, column, values):
    """VALUES into a new table by id from 1."""
    db = case.store.connect()
    mark = "?" if case.store.NAME == "sqlite" else "%s"
    cursor = db.cursor()
    cursor.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {column})")
    cursor.executemany(f"INSERT INTO {table} VALUES ({mark}, {mark})",
                       list(enumerate(values, 1)))
    if case.store.NAME != "sqlite":
        db.commit()
    db.close()


def stands(case, table):
    return dict(case.store.run(f"SELECT id, v FROM {table} ORDER BY id"))


def swept(case, table, field, codes):
    target = {"table": table, "key": ["id"], "fields": [field]}
    job = case.tool.write_job(
        {"envelope_job": 1, "name": table, "source": case.store.source,
         "pace": {"rows": [1, case.dice.choice((2, 7, 50))]},
         "targets": [target]}, f"{table}.json")
    run = case.tool.run("migrate", job, "--execute", "--json", ok=None)
    case.expect(run, codes)
    status = case.tool.run("status", job, "--json", ok=None).document()
    found = {}
    for item in status.get("quarantine", []):
        name = re.fullmatch(r"id=(?:int:)?(\d+)", item["row"])
        if name is None:
            case.fail("I9: a row is named by something else than its key")
        else:
            found[int(name.group(1))] = item["state"]
    return run, found


def judge(case, table, place, values, found):
    """Each value is sealed, and opens to itself, or stands untouched."""
    now = stands(case, table)
    wanted = {}
    for number, (value, state) in enumerate(values, 1):
        if state == "sealed":
            if not str(now[number]).startswith("env1:k1:"):
                case.fail(f"I7: {table} {number}: not sealed")
            else:
                wanted[number] = (now[number],
                                  where(case, table, place, number))
        elif now[number] != value:
            case.fail(f"I4: {table} {number} ({state}): changed")
        quiet = ("sealed", "null", "empty", "sealed_current",
                 "sealed_old_kid", "absent")
        if found.get(number, "") != ("" if state in quiet else state):
            case.fail(f"I12: {table} {number}: {state} wanted, "
                      f"{found.get(number)} found")
    for number, got in case.tool.open_all(wanted).items():
        if got != values[number - 1][0]:
            case.fail(f"I1: {table} {number}: opens to another value")


@scenario(30, 31, 32, 33, 34, 35, 36, 37, weight=4, check=1)
def values_are_odd(case):
    """Empty, blank, BOM, quotes, 200 kB, envelopes of other keys, places and
    versions, cut and bent ones, what only resembles one, and other schemes'
    ciphertexts."""
    case.begin(rows=60, crowd=False)
    case.tool.run("key", "add", "--kid", "old", "--activate")
    old = seal(case, "value 23", "old", where(case, "odd", "v", 23))
    case.tool.run("key", "activate", "k1")
    values = odd_texts(case, old)
    fill(case, "odd", "v TEXT", [value for value, _ in values])
    case.met = True
    _, found = swept(case, "odd", {"column": "v"}, (3,))
    judge(case, "odd", "v", values, found)
    run = case.tool.run("verify", case.tool.home / "odd.json", "--json",
                        ok=(4,))
    bad = [row["state"] for row in run.document()["findings"]]
    if bad.count("sealed_corrupt") != 1:
        case.fail(f"I8: verify finds {bad}")
    case.finish()


CODED = (
    ("c2VjcmV0", "sealed"), ("c2VjcmV0MQ", "sealed"),
    ("c2VjcmV0MQ==", "sealed"), ("-_-_", "sealed"), ("+/+/", "sealed"),
    ("c2Vj cmV0", "bad_codec"), ("c2VjcmV0\n", "sealed"),
    ("c2VjcmV0MR==", "bad_codec"), ("c2VjcmV0MQ=", "bad_codec"),
    ("***", "bad_codec"), ("c2Vjc", "bad_codec"),
    (base64.b64encode(b"env1:k1:").decode(), "prefix_collision"),
)


@scenario(32, 36, weight=2)
def values_are_coded(case):
    """base64 with blanks, without padding, url-safe, not canonical."""
    case.begin(rows=60, crowd=False)
    fill(case, "coded", "v TEXT", [value for value, _ in CODED])
    case.met = True
    _, found = swept(case, "coded", {"column": "v", "codec": ["base64"]},
                     (3,))
    now = stands(case, "coded")
    for number, (value, state) in enumerate(CODED, 1):
        if state != "sealed" and (now[number] != value or
                                  found.get(number) != state):
            case.fail(f"I12: coded {number}: {state} wanted, "
                      f"{found.get(number)}")
        if state == "sealed" and not now[number].startswith("env1:"):
            case.fail(f"I7: coded {number}: not sealed: {found.get(number)}")
    case.finish()


DOCUMENTS = (
    '{"a": {"token": "s1"}, "n": 1.50}', '{"a": {"token": null}, "n": 2}',
    '{"a": {}, "n": 3}', '{"n": 4}', '{"a": {"token": ""}}',
    '{"a": [1, 2], "n": 1e3}', '[]', 'null', '"text"', '{}',
    '{"a": {"token": "\\u0001\\ud83d\\udd11"}, "z": [true, null]}',
)


@scenario(33, weight=3, check=1)
def members_are_missing(case):
    """SQL NULL, JSON null, a missing member, a document of another shape:
    nothing is made, nothing is wiped, nothing beside it changes."""
    case.begin(rows=60, crowd=False)
    column = "v TEXT" if case.store.NAME == "sqlite" else "v jsonb"
    fill(case, "docs", column, [*DOCUMENTS, None])
    before = stands(case, "docs")
    case.met = True
    run, found = swept(case, "docs", {"column": "v", "path": "a.token"}, (0,))
    if found:
        case.fail(f"I6: quarantined: {found}")
    now = stands(case, "docs")
    for number, old in before.items():
        new = now[number]
        if case.store.NAME == "sqlite" and old is not None:
            old, new = json.loads(old), json.loads(new)
        if number in (1, 11):
            if not new["a"]["token"].startswith("env1:"):
                case.fail(f"docs {number}: not sealed")
            new["a"]["token"] = old["a"]["token"]
        if new != old:
            case.fail(f"I4: docs {number}: {old} became {new}")
    if run.summary().get("sealed") != 2:
        case.fail(f"I6: {run.summary().get('sealed')} sealed, 2 wanted")
    case.finish()


@scenario(31, weight=2)
def bytes_are_any(case):
    """NUL, bytes that are no UTF-8, binary that resembles an envelope."""
    case.begin(rows=60, crowd=False)
    values = (b"\0", b"\xff\xfe\x80", os.urandom(3000), b"plain",
              b"\x9e\x45\x56\x01", b"\x9e\x45\x56\x02rest", b"\x9e\x45")
    column = "v BLOB" if case.store.NAME == "sqlite" else "v bytea"
    fill(case, "raw", column, values)
    case.met = True
    _, found = swept(case, "raw", {"column": "v"}, (3,))
    if found != {5: "prefix_collision", 6: "sealed_newer"}:
        case.fail(f"I12: raw: quarantined {found}")
    for number, value in stands(case, "raw").items():
        if number in (5, 6):
            continue
        path = case.tool.home / "sealed"
        path.write_bytes(bytes(value))
        plain = case.tool.home / "plain"
        args = ["decrypt", "-o", plain]
        for name, part in where(case, "raw", "v", number).items():
            args += ["--context", f"{name}={part}"]
        case.tool.run(*args, path)
        if plain.read_bytes() != values[number - 1]:
            case.fail(f"I1: raw {number} opens to other bytes")
        plain.unlink()
    case.finish()


@scenario(30, stores=("postgres",), weight=3, check=1)
def envelopes_do_not_fit(case):
    """varchar(n), and a btree index whose rows are at most 2704 bytes: those
    that do not fit are listed and left, all others are sealed."""
    case.begin(rows=60, crowd=False)
    noise = [model.CANARY + base64.b64encode(os.urandom(3 * n // 4)).decode()
             for n in (100, 1500, 2600, 40, 2650)]
    fill(case, "wide", "v text", noise)
    case.store.run("CREATE INDEX ON wide (v)")
    fill(case, "short", "v varchar(200)", ["a", "b" * 150, "c" * 20])
    case.met = True
    _, found = swept(case, "wide", {"column": "v"}, (3,))
    if found != {3: "too_large", 5: "too_large"}:
        case.fail(f"I12: wide: quarantined {found}")
    judge(case, "wide", "v", [(v, "too_large" if len(v) > 2500 else "sealed")
                              for v in noise], found)
    _, found = swept(case, "short", {"column": "v"}, (3,))
    if found != {2: "too_large"}:
        case.fail(f"I12: short: quarantined {found}")
    case.finish()
