#!/usr/bin/env python3
"""A MongoDB sweep by the command beside a bare libmongoc loop that does the
same unordered bulk updates (bare_mongo.c).

    bench_mongo.py [--rows N] [--rounds N]

Run it with the Python of tests/support/venv.sh mongo, after `make bench-mongo`.
The server is that of tests/support/mongo_server.sh; each round fills the
collection anew before each of the two, and prints the ratio of their speeds:
quote the median, and say which server it was.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]
                       / "integration"))
from mongo_scene import ROOT, Scene, Server  # noqa: E402

BARE = ROOT / "build/release/tests/bench/bare_mongo"


class Bench(Scene):
    def write_job(self, **more):
        self.job.write_text(json.dumps({
            "envelope_job": 1, "name": self.name, "allow_log_exposure": True,
            "source": {"driver": "mongo", "dsn_env": "MONGO_URL",
                       "database": self.database},
            "targets": [{"collection": "t",
                         "fields": [{"path": "api_key"}]}]}))

    def fill(self):
        self.forget()
        rows = [{"_id": i, "api_key": f"sk-live-{i:043d}", "name": f"n {i}"}
                for i in range(1, self.rows + 1)]
        for at in range(0, len(rows), 1000):
            self.db.t.insert_many(rows[at:at + 1000])

    def bare(self, workers):
        step = -(-self.rows // workers)
        began = time.monotonic()
        running = [subprocess.Popen([BARE, self.server.uri, self.database,
                                     str(n * step), str((n + 1) * step)])
                   for n in range(workers)]
        assert all(process.wait() == 0 for process in running)
        return time.monotonic() - began

    def sweep(self, workers):
        began = time.monotonic()
        _, summary, _ = self.migrate(workers)
        wall = time.monotonic() - began
        assert summary["sealed"] == self.rows, summary
        return wall


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    server = Server()
    bench = Bench(server, options.rows)
    try:
        version = server.client.server_info()["version"]
        print(f"server: {server.kind}, says {version}; {options.rows} documents")
        speeds = {}
        for workers in (1, 2):
            ratios = []
            for _ in range(options.rounds):
                bench.fill()
                bare = bench.bare(workers)
                bench.fill()
                wall = bench.sweep(workers)
                speeds.setdefault(workers, []).append(options.rows / wall)
                ratios.append(bare / wall)
                print(f"  {workers} worker(s): bare {options.rows / bare:,.0f} "
                      f"documents/s, sweep {options.rows / wall:,.0f}, ratio "
                      f"{ratios[-1]:.2f}")
            print(f"{workers} worker(s): median ratio "
                  f"{statistics.median(ratios):.2f}")
        print("2 workers over 1: "
              f"{statistics.median(speeds[2]) / statistics.median(speeds[1]):.2f}")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of a child: {peak:.0f} MiB")
    finally:
        bench.close()
        server.close()


if __name__ == "__main__":
    main()
