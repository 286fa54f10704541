"""One seed on one store: a world, its applications, the sweep, a fault, and
after it the invariants."""

import pathlib
import random
import time

import invariants
import model
from tool import Tool

DONE = 3  # the phase of a job's record


class Case:
    def __init__(self, bench, store, scenario, seed):
        self.bench, self.store = bench, store
        self.scenario, self.seed = scenario, seed
        self.dice = random.Random(f"{scenario}/{store.NAME}/{seed}")
        self.complaints, self.story = [], []
        self.world = self.tool = self.crowd = self.waits = None
        self.last_look, self.shown = None, []
        self.unfinished, self.reread = [], []
        self.bases = {}            # seals that were there before a pass
        self.rotating = self.went_back = False
        self.still = self.exact = False
        self.frozen = self.crowded = False
        self.counts_reads = True
        self.settled = None        # rows settled when a run was begun
        self.met = False           # the fault happened

    # ---- the beginning -----------------------------------------------------

    def begin(self, crowd=True, pause=0.002, **fixed):
        """A table, a ring, a job, and applications that begin to write."""
        self.world = model.World(self.dice, self.store, **fixed)
        rows = model.first_rows(self.world)
        self.store.fresh(self.world, rows)
        home = pathlib.Path(self.bench.folder) / f"home{self.bench.next()}"
        self.tool = Tool(home, self.bench.library, self.bench.template)
        self.tool.env.update(self.store.tool_env)
        self.write_job()
        self.crowd = model.Crowd(self.store, self.world, rows, self.seed,
                                 pause=pause)
        self.waits = self.store.waits(self.tool.control)
        self.waits.start()
        if crowd:
            self.crowd.start()
        return self

    def job(self, **more):
        world = self.world
        pace = {"rows": list(world.batch)}
        if world.bytes:
            pace["bytes"] = world.bytes
        target = self.store.target()
        if world.where:
            target["where"] = world.where
        return {"envelope_job": 1, "name": "fault",
                "source": self.store.source, "pace": pace,
                "targets": [target], **world.extra, **more}

    def write_job(self, file="job.json", **more):
        return self.tool.write_job(self.job(**more), file)

    def tell(self, text):
        self.story.append(text)

    # ---- the sweep ---------------------------------------------------------

    def mark_pass(self):
        """Remember what a pass began with, so that it can be counted."""
        job = self.store.records().get(0)
        seals = self.store.seals()
        if seals is None:
            return
        if job is None or job["phase"] == DONE:
            number = 1 if job is None else job["pass"] + 1
            self.bases[number] = seals[0]

    def seals_of(self, summary):
        base, seals = self.bases.get(summary.get("pass")), self.store.seals()
        return None if base is None or seals is None else seals[0] - base

    def note_reads(self):
        """What was settled before a run, and what has been read so far."""
        records = self.store.records()
        job = records.get(0)
        self.settled = None
        if job is not None and job["phase"] == 1:
            self.settled = sum(body["ledger"]["rows"]
                               for n, body in records.items() if n != 0 and
                               body["phase_id"] == job["phase_id"])
        self.read_before = self.store.rows_read(self.tool.control)
        self.pages_before = self.store.pages_read()

    def start(self, *more, verb="migrate", **options):
        self.mark_pass()
        self.note_reads()
        args = [verb, self.tool.job, "--execute", "--json"]
        if self.store.NAME != "sqlite":
            args += ["--workers", self.world.workers]
        run = self.tool.start(*args, *more, **options)
        self.show(run.pid)
        return run

    def show(self, pid):
        """What anybody can see of a process."""
        for name in ("cmdline", "environ"):
            try:
                self.shown.append(pathlib.Path(f"/proc/{pid}/{name}")
                                  .read_bytes().decode("utf-8", "replace"))
            except OSError:
                pass

    def sweep(self, *more, **options):
        return self.ended(self.start(*more, **options))

    def ended(self, run):
        run.done()
        self.tell(run.told())
        self.judge_reads(run)
        return run

    def judge_reads(self, run):
        """I11, as far as rows that were read can be counted."""
        rows = self.store.rows_read(self.tool.control) - self.read_before
        pages = self.store.pages_read() - self.pages_before
        batch = max(self.world.batch)
        most = max(len(self.crowd.rows()), self.world.rows) + 5 + \
            self.crowd.done().get("insert", 0) + \
            self.crowd.done().get("rekey", 0)
        records = self.store.records()
        job = records.get(0)
        if self.crowded or job is None:
            return
        closings = job["closing"] + (1 if job["phase"] == DONE else 0)
        if run.killed and job["phase"] == 1 and self.settled in (None, 0):
            now = sum(body["ledger"]["rows"] for n, body in records.items()
                      if n != 0)
            # Under way: a batch a worker, and the page read ahead of it.
            if rows - pages - now > 2 * batch * self.world.workers:
                self.reread.append(
                    f"{rows - pages} rows were read, {now} settled, when it "
                    f"was killed (batches of {batch})")
        if not run.killed and self.settled is not None and self.settled > 0:
            bound = (most - self.settled) + most * max(
                0, closings - (1 if job["phase"] == DONE else 0))
            if rows - pages > bound + self.lost_batches * batch * 2:
                self.reread.append(
                    f"{rows - pages} rows were read after a resume, of {most} "
                    f"with {self.settled} settled ({closings} closings)")

    lost_batches = 0  # a fault during the resume itself makes it read again

    def wait_begun(self, run, part=0.2):
        """Wait until about PART of the rows are sealed, or its end."""
        want = part * self.world.rows

        def begun():
            records = self.store.records()
            return sum(body["ledger"]["rows"] for n, body in records.items()
                       if n != 0) >= want
        return run.wait(begun)

    def start_rotation(self, kid):
        run = self.tool.start("rotate", "--kid", kid, "--job", self.tool.job,
                              "--execute", "--json")
        self.show(run.pid)
        return run

    def wait_kid(self, run, kid, part):
        """Wait until about PART of the values are under KID, or its end."""
        want = part * self.world.rows * 2

        def there():
            return sum((value or "").startswith(f"env1:{kid}:") for row in
                       self.store.snapshot().values()
                       for value in row[:2]) >= want
        return run.wait(there)

    # ---- looking -----------------------------------------------------------

    def look(self, run=None, only=invariants.ALL):
        self.crowd.rest()
        look = invariants.Look(self, run)
        for name, bad in invariants.check(look, only).items():
            self.complaints += [f"{name}: {line}" for line in bad]
        self.unfinished, self.reread = [], []
        self.last_look = look
        self.crowd.go()
        return look

    def fail(self, text):
        self.complaints.append(text)

    def expect(self, run, codes, words=()):
        """A run ended with one of CODES, and said WORDS."""
        if run.code not in codes:
            self.fail(f"I12: exit {codes} wanted: {run.told()}")
        for word in words:
            if word not in run.err:
                self.fail(f"I12: it does not say {word!r}: {run.told()}")

    # ---- the end -----------------------------------------------------------

    def finish(self, tries=4):
        """Applications go on for a while, then stop; the job is finished,
        and a new pass finds nothing to do."""
        if self.crowd.started:
            run = self.sweep()
            self.look(run)
            self.crowd.stop()
        for _ in range(tries):
            run = self.sweep()
            if run.code in (0, 3):
                break
        else:
            self.unfinished.append(f"it does not finish: {run.told()}")
        self.look(run)
        self.still = self.exact = True
        last = self.sweep()
        if last.summary().get("sealed", 1) != 0:
            self.fail(f"I2: a pass after the last sealed "
                      f"{last.summary().get('sealed')}: {last.told()}")
        look = self.look(last)
        foreign = sum(model.is_envelope(value) for _, _, value in
                      look.values()) - len(look.opened)
        if last.code != (3 if foreign else 0):
            self.fail(f"I12: exit {3 if foreign else 0} wanted, {foreign} are "
                      f"foreign: {last.told()}")
        self.verify(foreign, look)
        return look

    def finish_under_new_key(self, kid="k2"):
        """What is under the former key is sealed again under KID."""
        self.rotating, self.last_look = True, None
        self.expect(self.start_rotation(kid).done(), (0, 3))
        self.look()
        self.bases.clear()
        self.last_look = None
        self.finish()

    def verify(self, foreign, look):
        run = self.tool.run("verify", self.tool.job, "--json", ok=None)
        report = run.document()
        if run.code != (4 if foreign else 0):
            self.fail(f"I8: verify: {foreign} are foreign: {run.told()}")
        elif report.get("opened") != len(look.opened):
            self.fail(f"I6: verify opened {report.get('opened')}, there are "
                      f"{len(look.opened)}")
        run = self.tool.run("audit", "verify", ok=None)
        if run.code != 0:
            self.fail(f"I12: audit verify: {run.told()}")

    def close(self):
        for part in (self.crowd, self.waits):
            try:
                if part is not None:
                    part.stop()
            except Exception as error:
                self.fail(f"harness: {error}")
        if self.tool is not None:
            self.tool.close()

    def slow_only(self):
        return bool(self.complaints) and all("SLOW" in c
                                             for c in self.complaints)


def pause(dice, most):
    time.sleep(dice.uniform(0, most))
