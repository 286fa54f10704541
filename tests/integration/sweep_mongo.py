#!/usr/bin/python3
"""Goal: a MongoDB sweep loses no write, seals nothing twice, leaves no
plaintext and changes no other byte of a document, while pymongo writers update,
insert, delete and turn arrays round, and while it is killed with SIGKILL again
and again and resumed; so does a rotation.

    sweep_mongo.py [--rows N] [--kills N] [--workers N] [--seed N]

The server is the one of tests/support/mongo_server.sh.  What was swept is read
with pymongo and opened with the other implementation, as raw BSON.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import time

import pymongo.errors

from mongo_scene import Checks, Scene, Server, Skipped
from mongo_writers import Writers

ROWS = {"java": 2000, "mongod": 20000, "named": 20000}


def kill_often(scene, args, kills, dice):
    """Start a command and kill it, at random moments; how many were at work."""
    alive, reach = 0, 1.5
    for _ in range(kills):
        process = subprocess.Popen(scene.command(*args), env=scene.env,
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=dice.uniform(0.0, reach))
            reach = max(reach * 0.7, 0.05)
        except subprocess.TimeoutExpired:
            alive += 1
            process.send_signal(signal.SIGKILL)
            process.wait()
            reach = min(reach * 1.1, 4.0)
    return alive


def can_turn(server):
    """Whether the server turns an array round by itself."""
    probe = server.client["envl_test_probe"]
    try:
        probe.t.insert_one({"_id": 1, "a": [{"n": "1"}, {"n": "2"}]})
        probe.t.update_one({"_id": 1}, {"$push": {"a": {
            "$each": [], "$sort": {"n": -1}}}})
        return probe.t.find_one()["a"][0]["n"] == "2"
    except pymongo.errors.PyMongoError:
        return False
    finally:
        server.client.drop_database("envl_test_probe")


def twins(scene, touched, check):
    """What must be noticed: planted by hand, and taken away again."""
    hooks = scene.db.WebhookEndpoint
    one, two = hooks.find({"secret": {"$regex": "^env1:"}}).limit(2)

    def planted(name, key, change, back):
        hooks.update_one({"_id": key}, change)
        wrong = scene.compare(touched)
        check(f"twin: {name} is found", bool(wrong))
        code = scene.run("verify", str(scene.job), ok=None).returncode
        hooks.update_one({"_id": key}, back)
        return code

    put_back = {"$set": {"secret": one["secret"]}}
    code = planted("an envelope of another document", one["_id"],
                   {"$set": {"secret": two["secret"]}}, put_back)
    check("twin: verify finds it too", code == 4, f"(exit {code})")
    code = planted("plaintext", one["_id"],
                   {"$set": {"secret": "sk-live-plain"}}, put_back)
    check("twin: verify finds it too", code == 4, f"(exit {code})")
    planted("another member's type", one["_id"], {"$set": {"active": 0}},
            {"$set": {"active": one["active"]}})
    check("and nothing is found without them", not scene.compare(touched))


def under_fire(scene, options, check, name, args, seed, touched):
    """Kill ${args} while applications write, let it finish; what they
    committed."""
    writers = Writers(scene, options.turn, seed=seed, known=touched)
    try:
        began = time.monotonic()
        alive = kill_often(scene, args, options.kills, random.Random(seed))
        check(f"{name}: killed while it worked",
              alive > 0 or options.kills == 0, f"({alive} of {options.kills})")
        code = scene.run(*args, ok=(0, 4)).returncode
    finally:
        model, longest, steps = writers.stop()
    touched.update(model)
    print(f"   {steps} writes to {len(model)} documents in "
          f"{time.monotonic() - began:.1f} s, the longest "
          f"{longest * 1000:.0f} ms; it ended with {code}")
    return touched


def sweep(scene, options, check):
    job = str(scene.job)
    migrate = ("migrate", job, "--execute", "--json", "--workers",
               str(options.workers))
    check("twin: before the sweep there is plaintext",
          len(scene.compare()) > scene.rows / 2)
    plan = scene.run("plan", job)
    check("plan writes nothing", len(scene.compare()) > scene.rows / 2)
    check("plan says which server it is",
          "wire" in (plan.stdout + plan.stderr).lower(),
          (plan.stdout + plan.stderr)[:300])
    touched = under_fire(scene, options, check, "sweep", migrate,
                         options.seed, {})
    code, summary, said = scene.migrate(options.workers)
    check("a rerun finishes", code == 0, f"({summary}) {said[-200:]}")
    wrong = scene.compare(touched, "k1")
    check("every document is what was last committed, each value sealed once",
          not wrong, "; ".join(wrong[:5]))
    proof = json.loads(scene.run("verify", job, "--json").stdout)
    check("verify opens as many values as the other implementation",
          proof["ok"] and proof["opened"] == scene.opened,
          f"({proof['opened']} and {scene.opened})")
    return touched


def rotate(scene, options, check, touched):
    args = ("rotate", "--kid", "k2", "--job", str(scene.job), "--execute")
    touched = under_fire(scene, options, check, "rotation", args,
                         options.seed + 1, touched)
    done = scene.run(*args, ok=None)
    check("a rerun of the rotation finishes", done.returncode == 0,
          f"(exit {done.returncode}) {done.stderr[-300:]}")
    wrong = scene.compare(touched, "k2")
    check("every value is under the new key alone, and what was committed",
          not wrong, "; ".join(wrong[:5]))
    scene.run("verify", str(scene.job))
    return touched


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    check = Checks("sweep_mongo")
    try:
        server = Server()
    except Skipped as reason:
        print(f"skip: {reason}")
        return check.close(skipped=1)
    try:
        options.turn = can_turn(server)
        scene = Scene(server, options.rows or ROWS[server.kind])
        try:
            print(f"seed {options.seed}, server {server.kind}, {scene.rows} "
                  f"documents, arrays are turned round: {options.turn}")
            scene.fill()
            touched = sweep(scene, options, check)
            touched = rotate(scene, options, check, touched)
            twins(scene, touched, check)
        finally:
            scene.close()
    finally:
        server.close()
    return check.close()


if __name__ == "__main__":
    sys.exit(main())
