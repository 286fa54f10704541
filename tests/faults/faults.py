#!/usr/bin/python3
"""Goal: whatever fails, I1 to I12 hold: each seed is a scenario, a table and
a fault, on PostgreSQL or SQLite; after every fault all invariants are checked.

    faults.py --check                the slice of `make check`
    faults.py --seeds N [--first S]  seeds S .. S+N-1
    faults.py --seed S               one of them again
    faults.py --scenario NAME        only this one (with --seeds or --seed)
    faults.py --store NAME           only this store
    faults.py --matrix               which row of the matrix is shown by what
    faults.py --write-docs           put that into docs/faults.md
"""

import argparse
import collections
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import faults_keys  # noqa: E402,F401  (each registers its scenarios)
import faults_process  # noqa: E402,F401
import faults_rows  # noqa: E402,F401
import faults_schema  # noqa: E402,F401
import faults_server  # noqa: E402,F401
import faults_values  # noqa: E402,F401
import faults_wire  # noqa: E402,F401
import matrix  # noqa: E402
import shim  # noqa: E402
from case import Case  # noqa: E402
from registry import SCENARIOS  # noqa: E402
from tool import ENVELOPE, Tool  # noqa: E402

STORES = ("postgres", "sqlite")
AGAIN = 3  # how often what is only slow has to show before it counts


class Bench:
    """A temporary folder with the shim, the stores and a ring to copy."""

    def __init__(self, stores):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="envl-test-"))
        os.chmod(self.folder, 0o711)
        self.stores, self.number = {}, 0
        try:
            self.library = shim.build(self.folder)
            self.template = None
            template = Tool(self.folder / "template", self.library)
            template.run("init", "--kid", "k1")
            (template.home / "control").unlink()
            self.template = template.home
            for name in stores:
                self.stores[name] = self._store(name)
        except BaseException:
            self.close()
            raise

    def _store(self, name):
        if name == "postgres":
            from store_postgres import Postgres
            return Postgres(self.folder, self.library)
        from store_sqlite import Sqlite
        return Sqlite(self.folder, self.library)

    def next(self):
        self.number += 1
        return self.number

    def close(self):
        for store in self.stores.values():
            store.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def once(bench, store, scenario, seed):
    case = Case(bench, bench.stores[store], scenario.name, seed)
    try:
        scenario.function(case)
    except Exception as error:
        case.fail(f"harness: {type(error).__name__}: {error}")
        case.story.append(traceback.format_exc())
    finally:
        case.close()
    return case


def play(bench, store, scenario, seed):
    """A case; what is only slow is measured again before it is believed."""
    case = once(bench, store, scenario, seed)
    for _ in range(AGAIN - 1):
        if not case.slow_only():
            break
        print(f"   {scenario.name} {store} seed {seed}: "
              f"{case.complaints[0]}: measured again")
        case = once(bench, store, scenario, seed)
    return case


def chosen(seed, names, stores):
    """What a seed is: (scenario, store)."""
    dice = random.Random(seed)
    pool = [(s, store) for s in SCENARIOS.values() for store in s.stores
            if store in stores and (not names or s.name in names)]
    return dice.choices(pool, [s.weight for s, _ in pool])[0]


def plan_of(options, stores):
    """[(seed, scenario, store)]"""
    if options.check:
        return [(seed, s, store) for s in SCENARIOS.values()
                for store in s.stores if store in stores
                for seed in range(1, s.check + 1)]
    seeds = ([options.seed] if options.seed is not None else
             range(options.first, options.first + options.seeds))
    return [(seed, *chosen(seed, options.scenario, stores))
            for seed in seeds]


def again_with(options, case, store):
    return (f"SEED={case.seed} make soak" if not options.check and
            not options.scenario else
            f"tests/faults/faults.py --scenario {case.scenario} --store "
            f"{store} --seed {case.seed}")


def report(options, case, store, began, tally):
    took = time.monotonic() - began
    tally[case.scenario, store] += 1
    tally["met", case.scenario, store] += case.met
    if case.complaints:
        print(f"not ok {case.scenario} on {store}, seed {case.seed} "
              f"({case.world})")
        for line in case.complaints[:12]:
            print(f"   {line}")
        for line in case.story:
            print("   | " + line.replace("\n", "\n   | "))
        print(f"   again: {again_with(options, case, store)}", flush=True)
    elif options.verbose or options.check:
        print(f"ok {case.scenario} on {store}, seed {case.seed} "
              f"({took:.1f} s{'' if case.met else ', the fault was not met'})",
              flush=True)


def run(options, stores):
    failed = passed = 0
    tally = collections.Counter()
    bench = Bench(stores)
    try:
        for seed, scenario, store in plan_of(options, stores):
            began = time.monotonic()
            case = play(bench, store, scenario, seed)
            report(options, case, store, began, tally)
            failed += bool(case.complaints)
            passed += not case.complaints
            if failed >= options.stop_after:
                break
    finally:
        bench.close()
    if not options.check:
        for name in sorted(n for n in tally if n[0] != "met"):
            print(f"   {name[0]} on {name[1]}: {tally[name]} times, the fault "
                  f"was met {tally['met', *name]} times")
    return passed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--scenario", action="append", default=[])
    parser.add_argument("--store", action="append", default=[])
    parser.add_argument("--stop-after", type=int, default=5)
    parser.add_argument("--matrix", action="store_true")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    for name in options.scenario:
        if name not in SCENARIOS:
            sys.exit(f"faults: no scenario {name!r}; there are "
                     f"{', '.join(sorted(SCENARIOS))}")
    if options.write_docs:
        return 0 if matrix.document(SCENARIOS, write=True) else 1
    if options.matrix:
        return matrix.show(SCENARIOS)
    if not os.access(ENVELOPE, os.X_OK):
        sys.exit(f"faults: no command at {ENVELOPE}")
    stores, skipped = options.store or list(STORES), 0
    if "postgres" in stores and subprocess.run(
            ["sh", str(pathlib.Path(__file__).parents[1] /
                       "support/pg_cluster.sh"), "check"]).returncode != 0:
        stores.remove("postgres")
        skipped += 1
    passed, failed = run(options, stores)
    print(f"faults: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
