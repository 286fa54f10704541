#!/usr/bin/python3
"""Goal: each fault of a connection, a server or a reply, at each request of a
MongoDB sweep in turn, ends in a correct final state after a rerun, and none in
`done` with plaintext left.

    faults_mongo.py [--all | --cases N] [--kind NAME] [--at N] [--seed N]

The server is the scripted one (tests/mongo/peer).  Without --all a random
choice of N cases runs, the same for the same seed; a case that failed is run
alone with --kind and --at.
"""

import argparse
import random
import subprocess
import sys
import time

from mongo_scene import PEER, Checks, Peer, Scene

ROWS = 25
# Makes of server, by what they can do; the whole matrix runs on the first.
MAKES = ("mongodb7", "mongodb5", "mongodb8", "mongod-alone", "mongos",
         "ferretdb", "bare")
KINDS = ("cutBefore", "cutAfter", "cutMiddle", "cutAll", "slow", "notPrimary",
         "stepDown", "busy", "timeout", "denied", "cursorKilled",
         "writeConcern", "partial", "partialCut", "badLength", "hugeLength",
         "wrongAnswer", "wrongOpcode", "truncated", "badBson", "empty",
         "shape", "types")
# Exits that tell the truth of a sweep that met a fault: 3 and 4 with what is
# left, 14 a right that is missing, 16 the database.
HONEST = (0, 3, 4, 11, 14, 16)


def fresh(scene, fault=None, at=0):
    scene.server.control(empty=True, reset=True)
    scene.fill()
    if fault:
        scene.server.fault(fault, at, ms=300)
    else:
        scene.server.control(reset=True)


def requests_of(scene, args):
    """How many requests a sweep makes when nothing goes wrong."""
    fresh(scene)
    scene.run(*args)
    return scene.server.control()["requests"]


def one_case(scene, kind, at):
    """Meet one fault, look, run again, look; complaints."""
    fresh(scene, kind, at)
    code, summary, said = scene.migrate(ok=None)
    wrong = []
    if scene.server.control()["hits"] == 0:
        return ["the fault was not met"]
    if code not in HONEST:
        wrong.append(f"exit {code}: {said[-200:]}")
    left = scene.compare()
    if code == 0 and left:
        wrong.append(f"done, but {left[0]} and {len(left) - 1} more")
    if code == 0 and summary.get("quarantined"):
        wrong.append("done, with a quarantine")
    if any(complaint.startswith("does not open") for complaint in left):
        wrong.append(left[0])
    scene.server.control(reset=True)
    code, summary, said = scene.migrate(ok=None)
    if code != 0:
        wrong.append(f"the rerun: exit {code}: {said[-200:]}")
    left = scene.compare(kid="k1")
    if left:
        wrong.append(f"after the rerun {left[0]} and {len(left) - 1} more")
    return wrong


def matrix(scene, options, check):
    made = requests_of(scene, ("migrate", str(scene.job), "--execute"))
    dice = random.Random(options.seed)
    cases = [(kind, at) for kind in KINDS for at in range(1, made + 1)]
    if options.kind:
        cases = [(options.kind, at) for at in range(1, made + 1)
                 if options.at in (None, at)]
    elif not options.all:
        # Each kind, and as for the requests, chance.
        picked = [(kind, dice.randint(1, made)) for kind in KINDS]
        more = max(options.cases - len(picked), 0)
        cases = picked + dice.sample(cases, min(more, len(cases)))
    bad, slowest = {}, (0.0, "")
    for kind, at in cases:
        began = time.monotonic()
        wrong = one_case(scene, kind, at)
        slowest = max(slowest, (time.monotonic() - began, f"{kind} at {at}"))
        if wrong:
            bad[(kind, at)] = wrong
            print(f"not ok {kind} at request {at} of {made}: "
                  f"{'; '.join(wrong[:3])}", flush=True)
    check("each fault ends in a correct state after a rerun", not bad,
          f"({len(cases) - len(bad)} of {len(cases)} cases, a sweep makes "
          f"{made} requests; the longest {slowest[0]:.1f} s, {slowest[1]})")


def garbled(scene, check):
    """The twin: a write that is spoilt on its way has to be noticed."""
    fresh(scene)
    scene.server.control(reset=True, fault={
        "kind": "garble", "at": 1, "times": 1, "command": "update"})
    scene.migrate(ok=None)
    hits = scene.server.control()["hits"]
    scene.server.control(reset=True)
    check("twin: a value that was spoilt on its way is found",
          hits > 0 and bool(scene.compare()))
    code = scene.run("verify", str(scene.job), ok=None).returncode
    check("twin: verify finds it too", code == 4, f"(exit {code})")


def lied_to(scene, check):
    """A server that says it wrote, and did not, is not believed."""
    fresh(scene)
    scene.server.control(reset=True, fault={
        "kind": "lie", "at": 1, "times": 1000000, "command": "update"})
    code, _, said = scene.migrate(ok=None)
    check("a server that never writes does not lead to done", code != 0,
          f"(exit {code}) {said[-200:]}")
    scene.server.control(reset=True)
    code, _, said = scene.migrate(ok=None)
    check("and when it writes, the sweep finishes",
          code == 0 and not scene.compare(kid="k1"),
          f"(exit {code}) {said[-200:]}")


def every_make(options, check):
    """A sweep, a rotation and a verify on each make of server."""
    for make in MAKES[1:]:
        peer = Peer(make)
        try:
            scene = Scene(peer, ROWS)
            try:
                fresh(scene)
                code, _, said = scene.migrate(ok=None)
                wrong = scene.compare(kid="k1")
                done = scene.run("rotate", "--kid", "k2", "--job",
                                 str(scene.job), "--execute", ok=None)
                wrong += scene.compare(kid="k2")
                check(f"{make}: swept and rotated", code == 0 and not wrong
                      and done.returncode == 0,
                      f"(exits {code}, {done.returncode}) "
                      f"{'; '.join(wrong[:3])} {said[-200:]}")
            finally:
                scene.close()
        finally:
            peer.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--at", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--make", choices=MAKES, default=MAKES[0])
    options = parser.parse_args()
    print(f"seed {options.seed}")
    check = Checks("faults_mongo")
    subprocess.run(["make", "-s", "-C", PEER.parents[4], "mongo-peer"],
                   check=True)
    peer = Peer(options.make)
    try:
        scene = Scene(peer, ROWS)
        try:
            matrix(scene, options, check)
            if not options.kind:
                garbled(scene, check)
                lied_to(scene, check)
        finally:
            scene.close()
    finally:
        peer.close()
    if not options.kind:
        every_make(options, check)
    return check.close()


if __name__ == "__main__":
    sys.exit(main())
