"""Vectors of job files, paths and places."""

import copy
import json

from envelope_py import place

from .sealing import outcome

ANY, EACH = place.ANY_MEMBER, place.ANY_ELEMENT
BASE = {"envelope_job": 1, "name": "demo",
        "source": {"driver": "sqlite", "path": "demo.db"},
        "targets": [{"table": "accounts", "key": ["id"],
                     "fields": [{"column": "api_key"}]}]}
POSTGRES = {"driver": "postgres", "dsn_env": "DATABASE_URL"}


def changed(*path, to):
    """BASE with one member put, or taken away where `to` is None."""
    job = copy.deepcopy(BASE)
    at = job
    for step in path[:-1]:
        at = at[step]
    if to is None:
        at.pop(path[-1])
    else:
        at[path[-1]] = to
    return job


def jobs():
    found = []

    def raw(status, requirement, name, text):
        found.append({"name": name, "requirement": requirement,
                      "status": status, "job": text})

    def add(status, name, *path, to, requirement="JOB-1"):
        raw(status, requirement, name,
            json.dumps(changed(*path, to=to), ensure_ascii=False))

    text = json.dumps(BASE)
    raw("ok", "JOB-1", "the least there is", text)
    raw("ok", "JOB-1", "white space and escapes", json.dumps(
        BASE, indent=3).replace("demo", "d\\u0065mo") + "\n")
    for name, broken in (
            ("nothing", ""), ("no JSON", text[:-1]), ("an array", f"[{text}]"),
            ("bytes behind", text + "x"), ("a comment", text + "// x"),
            ("a member twice", text[:-1] + ',"name":"demo"}'),
            ("a member twice, deep", text.replace(
                '"column"', '"column": "x", "column"'))):
        raw("usage", "JOB-1", name, broken)
    for member in ("envelope_job", "name", "source", "targets"):
        add("usage", "no " + member, member, to=None)
    add("usage", "version 2", "envelope_job", to=2)
    add("usage", "version as string", "envelope_job", to="1")
    add("usage", "a further member", "x", to=1)
    for name in ("", "Demo", "a b", "-a", "a" * 64, 1):
        add("usage", f"name {str(name)[:10]!r}", "name", to=name)
    add("usage", "no targets", "targets", to=[])
    add("ok", "kid and scope", "kid", to="k2")
    add("usage", "kid in upper case", "kid", to="K2")
    add("usage", "scope a number", "scope", to=1)

    for name, source in (
            ("dsn_env", POSTGRES),
            ("dsn_file", {"driver": "postgres", "dsn_file": "/run/secrets/d"}),
            ("service", {"driver": "postgres", "service": "prod"})):
        add("ok", "postgres by " + name, "source", to=source,
            requirement="JOB-2")
    for name, source in (
            ("no driver", {"path": "demo.db"}),
            ("no path", {"driver": "sqlite"}),
            ("a connection string", {"driver": "postgres",
                                     "dsn": "host=db password=x"}),
            ("a password", {**POSTGRES, "password": "x"}),
            ("two connections", {**POSTGRES, "service": "prod"}),
            ("no connection", {"driver": "postgres"}),
            ("a path for postgres", {"driver": "postgres", "path": "x"}),
            ("a variable for sqlite", {"driver": "sqlite", "dsn_env": "X"}),
            ("a driver with a slash", {"driver": "../x", "path": "x"}),
            ("a string", "demo.db")):
        add("usage", "source: " + name, "source", to=source,
            requirement="JOB-2")

    def target(status, name, requirement="JOB-10", **members):
        base = copy.deepcopy(BASE["targets"][0])
        base.update(members)
        base = {key: value for key, value in base.items() if value is not None}
        add(status, "target: " + name, "targets", to=[base],
            requirement=requirement)

    target("ok", "two keys", key=["a", "b"])
    target("ok", "a condition", where="deleted_at IS NULL")
    target("ok", "mode in_place", mode="in_place", requirement="JOB-13")
    target("usage", "no table", table=None)
    target("usage", "table and collection", collection="x")
    target("usage", "no fields", fields=[])
    target("usage", "no key columns", key=[])
    target("usage", "a key twice", key=["id", "id"])
    target("usage", "key a string", key="id")
    target("usage", "an empty table", table="")
    target("usage", "mode copy", mode="copy", requirement="JOB-13")
    target("usage", "mode sibling without into", mode="sibling",
           requirement="JOB-13")
    target("usage", "a further member", order="key")
    target("usage", "a condition that is no string", where={})

    def field(status, name, requirement="JOB-1", **members):
        base = {"column": "api_key", **members}
        base = {key: value for key, value in base.items() if value is not None}
        target(status, "field: " + name, requirement, fields=[base])

    for encoding in ("text", "object", "binary"):
        field("ok", "encoding " + encoding, encoding=encoding, **(
            {"path": "a"} if encoding == "object" else {}))
    field("usage", "encoding hex", encoding="hex")
    field("ok", "codecs", codec=["base64", "hex", "json"],
          requirement="JOB-23")
    field("usage", "codec a string", codec="base64", requirement="JOB-23")
    field("usage", "codec unknown", codec=["gzip"], requirement="JOB-23")
    field("usage", "no codecs", codec=[], requirement="JOB-23")
    for name, members in (
            ("inside base64", {"codec": ["base64"], "select": "a.*"}),
            ("inside text", {"select": ["a", EACH, "x.y"]}),
            ("inside a member", {"path": "h", "select": "a"}),
            ("as an object", {"select": "a", "encoding": "object"})):
        field("ok", "select " + name, requirement="JOB-28", **members)
    for name, members in (
            ("with into", {"select": "a", "into": "b"}),
            ("with binary", {"select": "a", "encoding": "binary"}),
            ("of no segments", {"select": []}),
            ("of an element by number", {"select": ["a", 0]}),
            ("a number", {"select": 1})):
        field("usage", "select " + name, requirement="JOB-28", **members)
    target("usage", "field: two selects of one value", "JOB-25",
           fields=[{"column": "a", "select": "x"},
                   {"column": "a", "select": "y"}])
    for pad in (2, 4096, "none"):
        field("ok", f"pad {pad}", pad=pad)
    for pad in (0, 1, 4097, "32", 2.5):
        field("usage", f"pad {pad!r}", pad=pad)
    for type_ in ("bytes", "text", "json"):
        field("ok", "type " + type_, type=type_)
    field("usage", "type uuid", type="uuid")
    field("ok", "empty seal", empty="seal")
    field("usage", "empty drop", empty="drop")
    field("usage", "no column", column=None)
    field("usage", "a column misspelled", colum="x")
    field("ok", "into", into="api_key_enc", requirement="JOB-21")
    field("usage", "into empty", into="", requirement="JOB-21")
    field("ok", "path as array", path=["a", ANY, EACH, "", "b.c"],
          requirement="JOB-20")
    field("usage", "an element by number", path=["a", 3],
          requirement="JOB-20")
    field("usage", "an unknown wildcard", path=["a", {"any": "thing"}],
          requirement="JOB-20")
    field("usage", "no segments", path=[], requirement="JOB-20")
    field("usage", "into behind a wildcard", path="a.*", into="b",
          requirement="JOB-21")
    field("ok", "context", context={"field": "f", "tenant": {"column": "t"}},
          requirement="JOB-36")
    field("usage", "context with = in a name", context={"a=b": "x"},
          requirement="JOB-36")
    field("usage", "context with an empty name", context={"": "x"},
          requirement="JOB-36")
    field("usage", "context with a number", context={"a": 1},
          requirement="JOB-36")
    field("usage", "context of something unknown",
          context={"a": {"env": "HOME"}}, requirement="JOB-36")
    target("usage", "field: the same place twice", "JOB-25",
           fields=[{"column": "a"}, {"column": "a"}])
    target("usage", "field: one place inside another", "JOB-25",
           fields=[{"column": "a", "path": "x"},
                   {"column": "a", "path": "x.y"}])

    add("ok", "pace", "pace", to={"target_ms": 100, "rows": [10, 100],
                                  "bytes": 65536, "workers": 1})
    add("usage", "pace: rows of one", "pace", to={"rows": [10]})
    add("usage", "pace: least above most", "pace", to={"rows": [100, 10]})
    add("usage", "pace: no workers", "pace", to={"workers": 0})
    add("usage", "pace: a float", "pace", to={"target_ms": 1.5})
    add("usage", "pace: a further member", "pace", to={"speed": 1})
    add("ok", "yield to a file", "yield_to", to={"flag_file": "pause"})
    add("usage", "yield to the moon", "yield_to", to={"moon": True})
    add("ok", "limits", "limits", to={"lock_ms": 100, "statement_ms": 1000})
    add("usage", "limits: nothing", "limits", to={"lock_ms": 0})
    add("ok", "on", "on", to={"wrong_type": "skip", "too_large": "stop"},
        requirement="JOB-42")
    add("usage", "on: an unknown state", "on", to={"sealed": "skip"},
        requirement="JOB-42")
    add("usage", "on: another state sealed", "on",
        to={"prefix_collision": "seal"}, requirement="JOB-42")
    add("ok", "audit", "audit", to={"file": "demo.audit.jsonl"})
    add("usage", "audit: no file", "audit", to={})
    add("ok", "tls any", "tls", to="any", requirement="JOB-8")
    add("usage", "tls none", "tls", to="none", requirement="JOB-8")
    return found


def paths():
    """The dotted form, and the segments it stands for."""
    found = []
    for dotted, segments in (
            ("a", ["a"]), ("a.b", ["a", "b"]), ("*", [ANY]),
            ("a.*", ["a", ANY]),
            ("[*]", [EACH]), ("[*][*]", [EACH, EACH]), ("[*].a", [EACH, "a"]),
            ("servers[*].headers.*", ["servers", EACH, "headers", ANY]),
            ("*[*].x", [ANY, EACH, "x"]), ("a b.ä", ["a b", "ä"]),
            ("a~b.$c", ["a~b", "$c"]), ("a]", ["a]"]), ("0", ["0"]),
            ("", None), (".", None), ("a.", None), (".a", None),
            ("a..b", None), ("a[0]", None), ("a[", None), ("a[*", None),
            ("a[*]b", None), ("a.[*]", None), ("a*", None), ("**", None),
            ("a[*].", None), ("[*]a", None), ("[*].", None), ("a\0b", None)):
        status, _, got = outcome(lambda: place.parse_path(dotted))
        assert got == segments, (dotted, got)
        found.append({"name": f"path {dotted!r}", "requirement": "JOB-20",
                      "status": status, "path": dotted,
                      **({"segments": segments} if segments else {})})
    return found


def places():
    """Components, concrete path and into, and the field they give."""
    found = []
    for requirement, components, path, into, field in (
            ("JOB-31", ["public", "allocations", "ssh_private_key_enc"], [],
             None, "public.allocations.ssh_private_key_enc"),
            ("JOB-31", ["public", "allocations", "scheduler_metadata"],
             ["scheduler_request"], "scheduler_request_enc",
             "public.allocations.scheduler_metadata.scheduler_request_enc"),
            ("JOB-31", ["accounts", "settings"],
             ["webhooks", EACH, "secret"], None,
             "accounts.settings.webhooks[*].secret"),
            ("JOB-31", ["tools"], ["servers", EACH, "headers", "Authorization"],
             None, "tools.servers[*].headers.Authorization"),
            ("JOB-31", ["t", "c"], ["a", EACH, "b"], "b_enc",
             "t.c.a[*].b_enc"),
            ("JOB-32", ["t", "c"], [EACH], None, "t.c[*]"),
            ("JOB-32", ["t", "c"], [EACH, EACH, "x"], None, "t.c[*][*].x"),
            ("JOB-32", ["t", "c"], [""], None, "t.c."),
            ("JOB-32", ["t", "c"], ["", ""], None, "t.c.."),
            ("JOB-32", ["t", "c"], ["", EACH], None, "t.c.[*]"),
            ("JOB-33", ["a.b"], ["x", "v1.*"], None, "a~1b.x.v1~1~2"),
            ("JOB-33", ["My Table", "c~1"], [], None, "My Table.c~01"),
            ("JOB-33", ["t", "c"], ["[*]"], None, "t.c.~3~2]"),
            ("JOB-33", ["t", "c"], ["~.*["], None, "t.c.~0~1~2~3"),
            ("JOB-33", ["t", "c"], ["~0"], None, "t.c.~00"),
            ("JOB-33", ["t", "c"], ["é", "漢"], None, "t.c.é.漢"),
            ("JOB-33", ["t", "c"], ["a"], "b.c", "t.c.b~1c")):
        assert place.field(components, place.put_into(path, into)) == field
        found.append({"name": field, "requirement": requirement,
                      "status": "ok", "components": components, "path": path,
                      "into": into, "field": field})
    return found
