"""What applications do to rows while they are swept."""

import threading
import time

import model
from registry import scenario

PG = ("postgres",)
BOTH = ("postgres", "sqlite")


@scenario(10, 11, 12, 13, 14, weight=12, check=2)
def applications_write(case):
    """Nothing fails; applications update, insert, delete, bring keys back,
    copy values between rows and change keys, as fast as they can."""
    case.begin(pause=0.0005, rows=case.dice.choice((150, 600)), moves=True)
    run = case.sweep()
    case.expect(run, (0, 3, 4))
    case.look(run)
    done = case.crowd.done()
    case.met = sum(done.values()) > 20
    case.tell(f"applications did {done}")
    case.finish()


@scenario(7, weight=5)
def pages_are_short(case):
    """Pages are cut by bytes, to a row or a few, far below the rows asked
    for: a short page is not the end."""
    case.begin(bytes=case.dice.choice((4096, 6000, 9000)), batch=(100, 500),
               rows=300)
    case.met = True
    run = case.sweep()
    case.expect(run, (0, 3, 4))
    case.look(run)
    case.finish()


@scenario(13, 14, weight=6)
def rows_arrive_behind_the_cursor(case):
    """Applications only insert, and move rows to keys before the cursor."""
    case.begin(rows=300, moves=True, pause=0.0005)
    case.crowd.kinds = (("insert", 50), ("rekey", 40), ("delete", 10))
    run = case.sweep()
    case.met = sum(case.crowd.done().values()) > 10
    case.expect(run, (0, 3, 4))
    case.look(run)
    case.finish()


@scenario(12, weight=5)
def keys_come_back(case):
    """Rows are deleted and inserted again under the same key, also with the
    same value."""
    case.begin(rows=60, pause=0.0003)
    case.crowd.kinds = (("again", 90), ("undone", 10))
    run = case.sweep()
    case.met = sum(case.crowd.done().values()) > 10
    case.look(run)
    case.finish()


@scenario(11, weight=5)
def other_columns_are_hot(case):
    """Applications only write another column of the same rows: the row's
    version is lost each time, its value is not."""
    case.begin(rows=60, batch=(50, 100), pause=0.0002)
    case.crowd.kinds = (("touch", 100),)
    run = case.sweep()
    case.met = sum(case.crowd.done().values()) > 20
    case.look(run)
    case.finish()


@scenario(15, weight=6)
def an_old_version_writes_plaintext_again(case):
    """After the last pass an application writes plaintext over an envelope:
    verify finds it, a rerun seals it."""
    case.begin(rows=150, crowd=False)
    case.sweep()
    case.crowd.kinds = (("update", 100),)
    case.crowd.start()
    time.sleep(0.1)
    case.crowd.rest()
    case.met = case.crowd.done().get("update", 0) > 0
    run = case.tool.run("verify", case.tool.job, "--json", ok=None)
    case.expect(run, (4,))
    found = sum(c["count"] for c in run.document().get("census", [])
                if c["state"] == "plaintext")
    look = case.look()
    if found != len(look.plaintext()):
        case.fail(f"I8: verify found {found} plaintexts, there are "
                  f"{len(look.plaintext())}")
    case.finish()


@scenario(38, weight=4)
def all_values_are_the_same(case):
    """One secret in every row: each is sealed by itself, in its place."""
    case.begin(rows=150, crowd=False)
    rows = case.crowd.rows()
    for row in rows.values():
        row.api_key = row.token = model.secret("api_key", 0, 0)
    app = case.store.app("test")
    for key, row in rows.items():
        app.update(key, row)
        row.hot += 1
    app.commit()
    app.close()
    case.met = True
    run = case.sweep()
    case.expect(run, (0,))
    look = case.look(run)
    if len({value for _, _, value in look.values()}) != 2 * len(rows):
        case.fail("I2: two rows hold the same envelope")
    case.finish()


@scenario(8, 29, stores=PG, weight=6)
def an_application_holds_rows_for_long(case):
    """Row locks that are held across the sweep: other rows go on, those are
    left, listed as conflicts, and sealed by a later pass."""
    case.begin(rows=300, batch=(1, 50))
    case.lost_batches = 60
    holder = case.store.connect("holder")
    cursor = holder.cursor()
    number = case.dice.choice((3, 40))
    cursor.execute(f"SELECT 1 FROM secrets ORDER BY md5(note) LIMIT {number} "
                   f"FOR UPDATE")
    run = case.start()
    case.wait_begun(run, 0.5)
    time.sleep(case.dice.uniform(0.2, 1.0))
    case.met = run.alive()
    holder.rollback()
    holder.close()
    case.ended(run)
    case.expect(run, (0, 3, 4))
    case.look(run)
    case.finish()


@scenario(8, 29, stores=PG, weight=3)
def the_whole_table_is_locked(case):
    """LOCK TABLE in exclusive mode for a while: the sweep waits, and says
    so."""
    case.begin(rows=150, crowd=False)
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0, 0.4))
    holder = case.store.connect("holder")
    cursor = holder.cursor()
    cursor.execute("SET lock_timeout = '20s'")
    cursor.execute("LOCK TABLE secrets IN " + case.dice.choice(
        ("EXCLUSIVE", "ACCESS EXCLUSIVE")) + " MODE")
    time.sleep(case.dice.uniform(0.3, 1.2))
    case.met = run.alive()
    holder.rollback()
    holder.close()
    case.ended(run)
    case.expect(run, (0, 3, 4, 11))
    case.look(run)
    case.finish()


@scenario(8, 29, stores=("sqlite",), weight=5)
def another_writes_for_long(case):
    """An application keeps SQLite's one write lock for a while."""
    case.begin(rows=300, batch=(1, 30), crowd=False)
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0, 0.5))
    holder = case.store.connect()
    try:
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(case.dice.uniform(0.3, 1.0))
        case.met = run.alive()
        holder.execute("ROLLBACK")
    finally:
        holder.close()
    case.ended(run)
    case.expect(run, (0, 3, 4))
    case.look(run)
    case.finish()


@scenario(8, stores=PG, weight=5)
def applications_lock_in_the_other_order(case):
    """Transactions that lock many rows in no order of ours: deadlocks."""
    case.begin(rows=300, batch=(50, 100), pause=0.004)
    case.lost_batches = 60
    over, locked = threading.Event(), [0]

    def lock():
        db = case.store.connect("locker")
        cursor = db.cursor()
        while not over.is_set():
            try:
                # Backwards, one by one, with a breath between.
                for order in ("DESC", "ASC"):
                    cursor.execute(
                        f"SELECT pg_sleep(0.002) FROM (SELECT 1 FROM secrets "
                        f"ORDER BY md5(note) {order} LIMIT 12 FOR UPDATE) s")
                    locked[0] += 1
            except Exception:
                pass
            db.rollback()
        db.close()
    threads = [threading.Thread(target=lock) for _ in range(2)]
    for thread in threads:
        thread.start()
    case.frozen = True  # lockers wait for each other, too
    run = case.sweep()
    over.set()
    for thread in threads:
        thread.join()
    case.met = locked[0] > 3
    case.expect(run, (0, 3, 4, 11))
    case.look(run)
    case.finish()
