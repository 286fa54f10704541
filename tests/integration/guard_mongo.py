#!/usr/bin/python3
"""Goal: a guard keeps plaintext out of MongoDB where the server has validators,
says so where it has none (exit 14), leaves the application's own validator as
it was, and stands or does not stand, never half, whatever breaks on the way.

    guard_mongo.py [--all] [--seed N]

On the scripted server, as FerretDB and as one without collMod too.
"""

import argparse
import random
import subprocess
import sys
import time

import pymongo
import pymongo.errors

from mongo_documents import CANARY
from mongo_scene import PEER, Checks, Peer, Scene

OWN = {"url": {"$type": "string"}}  # an application's validator


class Guarded(Scene):
    """A scene with an application beside it."""

    def __init__(self, server):
        super().__init__(server, 15)
        self.client = pymongo.MongoClient(server.uri, appname="rig")
        self.app = self.client[self.database]

    def begin(self):
        self.server.control(empty=True, reset=True)
        self.fill()

    def guard(self, *stage, ok=None):
        done = self.run("guard", str(self.job), *stage, ok=ok)
        return done.returncode, done.stdout + done.stderr

    def refused(self, write):
        """The code of a refusal, or None: it was written."""
        try:
            write()
        except pymongo.errors.PyMongoError as error:
            return error.code
        return None

    def options(self, name="WebhookEndpoint"):
        found = self.app.list_collections(filter={"name": name})
        return list(found)[0]["options"]

    def close(self):
        self.client.close()
        super().close()


def refuses(scene, check, make, code):
    """Acceptance: what an application inserts in plaintext is refused."""
    hooks, tools = scene.app.WebhookEndpoint, scene.app.tools
    scene.begin()
    plain = hooks.find_one()
    check(f"{make}: strict is not given while there is plaintext",
          scene.guard("strict")[0] == 4)
    check(f"{make}: and then nothing is set",
          not scene.options().get("validator"), str(scene.options())[:100])
    status, said = scene.guard("moderate")
    check(f"{make}: moderate is set, and says what it does not check",
          status == 0 and "already invalid" in said, f"(exit {status})")
    check(f"{make}: a document that holds plaintext may change elsewhere",
          scene.refused(lambda: hooks.update_one(
              {"_id": plain["_id"]}, {"$set": {"active": True}})) is None)
    scene.begin()
    scene.migrate()
    status, said = scene.guard("strict")
    check(f"{make}: strict is set when nothing is left", status == 0, said)
    plain = hooks.find_one()
    writes = {
        "an insert": lambda: hooks.insert_one({"secret": CANARY}),
        "an update": lambda: hooks.update_one(
            {"_id": plain["_id"]}, {"$set": {"secret": CANARY}}),
        "a member behind both wildcards": lambda: tools.insert_one(
            {"servers": [{}, {"headers": {"a": "", "b": CANARY}}]}),
        "a member of any name": lambda: tools.insert_one(
            {"integrations": {"x.y": {"credentials": {"token": CANARY}}}}),
        "a number": lambda: scene.app.model_configs.insert_one({"pin": 7}),
        "an array in its place": lambda: hooks.insert_one({"secret": ["a"]}),
    }
    for name, write in writes.items():
        got = scene.refused(write)
        check(f"{make}: {name} is refused", got == code, f"(code {got})")
    good = {
        "no member": lambda: hooks.insert_one({"url": "x"}),
        "null": lambda: hooks.insert_one({"secret": None}),
        "empty": lambda: hooks.insert_one({"secret": ""}),
        "an envelope": lambda: hooks.insert_one({"secret": plain["secret"]}),
        "another type on the way": lambda: tools.insert_one({"servers": 5}),
        "another member": lambda: hooks.update_one(
            {"_id": plain["_id"]}, {"$set": {"active": 1}}),
    }
    for name, write in good.items():
        check(f"{make}: {name} is let pass", scene.refused(write) is None)
    hooks.delete_many({"secret": plain["secret"], "_id": {
        "$ne": plain["_id"]}})
    check(f"{make}: nothing is to be decided about our own guard",
          scene.run("plan", str(scene.job), ok=None).returncode == 0)
    done = scene.run("rotate", "--kid", "k2", "--job", str(scene.job),
                     "--execute", ok=None)
    check(f"{make}: a rotation passes the strict guard",
          done.returncode == 0, done.stderr[-200:])


def own_validator(scene, check):
    """The application's stands beside ours and comes back."""
    scene.begin()
    hooks = scene.app.WebhookEndpoint
    scene.app.command("collMod", hooks.name, validator=OWN,
                      validationLevel="moderate", validationAction="error")
    before = scene.options()
    check("a guard joins an application's validator",
          scene.guard("moderate")[0] == 0)
    both = scene.options()["validator"].get("$and", [])
    check("which stands as it was", both[:1] == [OWN] and len(both) == 2)
    check("and still refuses", scene.refused(
        lambda: hooks.insert_one({"url": 5})) == 121)
    kept = scene.server.client.envelope_admin.guard.find_one(
        {"_id.collection": hooks.name})["before"]
    check("and is written down", kept == {
        "validator": OWN, "level": "moderate", "action": "error"}, str(kept))
    check("setting it once more changes nothing",
          scene.guard("moderate")[0] == 0 and
          scene.options()["validator"].get("$and", []) == both)
    scene.guard("off")
    check("off puts it back to the byte", scene.options() == before,
          str(scene.options()))
    check("and forgets the note", scene.server.client.envelope_admin.guard
          .count_documents({}) == 0)
    scene.app.command("collMod", hooks.name, validator=OWN,
                      validationLevel="strict", validationAction="warn")
    status, said = scene.guard("moderate")
    check("a validator that only warns is not made to refuse", status == 14,
          f"(exit {status})")
    check("and stays", scene.options()["validationAction"] == "warn")


def drift(scene, check):
    """What others do to a guard is noticed and respected."""
    scene.begin()
    hooks = scene.app.WebhookEndpoint
    scene.guard("moderate")
    check("a guard that stands is told so", scene.guard()[0] == 0)
    scene.app.command("collMod", hooks.name, validator={},
                      validationLevel="strict", validationAction="error")
    status, said = scene.guard()
    check("one that was taken away is found", status == 4 and "taken out"
          in said, f"(exit {status})")
    scene.guard("moderate")
    both = scene.options()["validator"]["$and"] + [OWN]
    scene.app.command("collMod", hooks.name, validator={"$and": both})
    check("a filter that somebody added is no drift", scene.guard()[0] == 0)
    scene.guard("off")
    check("and stays when the guard goes",
          scene.options()["validator"] == OWN, str(scene.options()))


def half_way(scene, check, everything, dice):
    """Cut at each request: a rerun sets it, and off undoes it."""
    scene.begin()
    scene.app.command("collMod", "WebhookEndpoint", validator=OWN,
                      validationLevel="strict", validationAction="error")
    before = scene.options()
    scene.migrate()
    scene.server.control(reset=True)
    scene.guard("strict")
    made = scene.server.control()["requests"]
    scene.guard("off")
    kinds = ("cutBefore", "cutAfter", "notPrimary", "writeConcern", "types",
             "shape", "empty")
    cases = [(kind, at) for kind in kinds for at in range(1, made + 1)]
    bad = []
    for kind, at in cases if everything else dice.sample(cases, 25):
        scene.server.fault(kind, at)
        first, _ = scene.guard("strict")
        stands = scene.refused(lambda: scene.app.WebhookEndpoint.insert_one(
            {"secret": CANARY})) == 121
        scene.app.WebhookEndpoint.delete_many({"secret": CANARY})
        scene.server.control(reset=True)
        again, said = scene.guard("strict")
        off, _ = scene.guard("off")
        if (again, off) != (0, 0) or (first == 0 and not stands):
            bad.append(f"{kind} at {at}: exits {first}, {again}, {off} {said}")
        if scene.options() != before or scene.server.client[
                "envelope_admin"].guard.count_documents({}):
            bad.append(f"{kind} at {at}: something is left")
    check("whatever breaks, a rerun sets it and off undoes it", not bad,
          "; ".join(bad[:3])[:400])
    scene.server.control(reset=True, fault={"kind": "lie", "at": 0,
                                            "command": "collMod"})
    status, said = scene.guard("strict")
    check("twin: a validator that the server does not keep is noticed",
          status == 14 and "did not keep" in said, f"(exit {status}) {said}")
    scene.server.control(reset=True)


def cannot(check):
    peer = Peer("bare")
    try:
        scene = Guarded(peer)
        try:
            scene.begin()
            status, said = scene.guard("moderate")
            check("without collMod a guard is refused, and says why",
                  status == 14 and "collMod" in said, f"(exit {status})")
        finally:
            scene.close()
    finally:
        peer.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    check = Checks("guard_mongo")
    subprocess.run(["make", "-s", "-C", PEER.parents[4], "mongo-peer"],
                   check=True)
    for make, code in (("mongodb7", 121), ("ferretdb", 525074461),
                       ("mongos", 121)):
        peer = Peer(make)
        try:
            scene = Guarded(peer)
            try:
                refuses(scene, check, make, code)
                if make != "mongodb7":
                    continue
                said = scene.run("plan", str(scene.job), "--ddl").stdout
                check("the rights that a guard needs are told apart",
                      said.count('"collMod"') == 4 and
                      "envelope guard only" in said)
                status, said = scene.guard("observe")
                check("observe is refused: it would log documents",
                      status == 14 and "log" in said, f"(exit {status})")
                own_validator(scene, check)
                drift(scene, check)
                half_way(scene, check, options.all,
                         random.Random(options.seed))
            finally:
                scene.close()
        finally:
            peer.close()
    cannot(check)
    return check.close()


if __name__ == "__main__":
    sys.exit(main())
