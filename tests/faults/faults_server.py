"""What happens to the database server."""

import errno
import shutil
import sqlite3
import subprocess
import threading
import time

import shim
from registry import scenario

PG = ("postgres",)


@scenario(3, stores=PG, weight=4, check=1)
def the_server_crashes(case):
    """pg_ctl -m immediate in the middle, then it is started again; the tool
    waits for it and goes on."""
    case.begin(rows=600, batch=(1, 20))
    case.frozen, case.lost_batches = True, 12
    if case.dice.random() < 0.4:
        # The tail of what we committed may be lost, cursor and rows alike.
        case.tool.env["PGOPTIONS"] = "-c synchronous_commit=off"
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0, 0.7))
    case.met = run.alive()
    case.store.crash()
    time.sleep(case.dice.uniform(0, 0.3))
    case.store.again()
    case.ended(run)
    # Who was only just connecting is told that the server is gone.
    case.expect(run, (0, 3, 4, 16))
    case.look(run)
    case.finish()


@scenario(3, 40, stores=PG, weight=8, check=1)
def its_backends_are_terminated(case):
    """pg_terminate_backend on one of ours, again and again: prepared
    statements, transaction and leases of that connection are gone."""
    case.begin(rows=600, batch=(1, 20))
    case.lost_batches = 30
    run = case.start()
    for _ in range(case.dice.randint(1, 6)):
        case.wait_begun(run, case.dice.uniform(0, 0.8))
        case.met = case.met or run.alive()
        case.store.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
            "application_name LIKE 'envelope%' ORDER BY random() LIMIT 1")
        time.sleep(case.dice.uniform(0, 0.03))
    case.ended(run)
    case.expect(run, (0, 3, 4, 16))
    case.look(run)
    case.finish()


@scenario(19, stores=PG, weight=5, check=1)
def the_servers_disk_is_full(case):
    """No file of the database can grow: the sweep stops or waits, resumable;
    with room again it goes on."""
    case.begin(rows=600, batch=(1, 20), witness=False)
    case.lost_batches = 30
    control = case.store.control
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0, 0.5))
    control.only("base/")
    control.rule("write", 1, shim.FAIL_EVER, errno.ENOSPC)
    # Each page that has to be new fails; what has room goes on.
    time.sleep(case.dice.uniform(0.1, 0.5))
    control.clear("write")
    case.met = control.hits("write") > 0
    case.ended(run)
    control.only("")
    case.expect(run, (0, 3, 4, 16))
    case.look(run)
    case.finish()


@scenario(19, stores=("sqlite",), weight=5, check=1)
def the_files_disk_is_full(case):
    """The same for a SQLite file: from a write on there is no room."""
    case.begin(rows=300)
    control = case.tool.control
    control.only("app.db")
    control.rule("write", case.dice.randint(1, 200), shim.FAIL_EVER,
                 errno.ENOSPC)
    run = case.sweep()
    control.clear("write")
    control.only("")
    case.met = control.hits("write") > 0
    case.expect(run, (0, 3, 4, 1, 16))
    case.look(run)
    case.finish()


def copy_of(case):
    """Stop everything, and keep a copy of the whole cluster."""
    case.crowd.rest()
    case.store.stop_clean()
    saved = case.store.folder / "saved"
    subprocess.run(["cp", "-a", case.store.folder / "data", saved],
                   check=True)
    rows = {k: r.copy() for k, r in case.crowd.rows().items()}
    case.store.again()
    case.crowd.go()
    return saved, rows


def put_back(case, saved, rows):
    case.store.crash()
    data = case.store.folder / "data"
    shutil.rmtree(data)
    saved.rename(data)
    case.crowd.put(rows)
    case.store.again()


@scenario(4, 41, stores=PG, weight=2, check=1)
def an_older_copy_takes_its_place(case):
    """The server is replaced by a copy that lost the tail (a failover, or a
    backup put back): rows and cursor have gone back together."""
    case.begin(rows=600, batch=(1, 20), crowd=False)
    case.frozen, case.lost_batches = True, 40
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0.05, 0.5))
    run.kill()
    case.ended(run)
    saved, rows = copy_of(case)
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0.3, 0.9))
    case.met = True
    alive = case.dice.random() < 0.6
    if not alive:
        run.kill()
    put_back(case, saved, rows)
    case.went_back, case.last_look = True, None
    case.bases.clear()
    case.ended(run)
    case.expect(run, (0, 3, 4, 11, 16) + (() if alive else (-9,)))
    case.look(run if alive else None)
    case.went_back = False
    case.finish()


@scenario(41, stores=("sqlite",), weight=3)
def an_older_file_takes_its_place(case):
    """A backup of the file is put back between two runs."""
    case.begin(rows=300, crowd=False)
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0.05, 0.6))
    run.kill()
    case.ended(run)
    case.store.run("PRAGMA wal_checkpoint(TRUNCATE)")
    saved = case.store.folder / "saved"
    source, copy = case.store.connect(), sqlite3.connect(saved)
    source.backup(copy)
    copy.close()
    source.close()
    run = case.sweep()
    for path in case.store.folder.glob("app.db*"):
        path.unlink()
    saved.rename(case.store.file)
    case.met, case.last_look = True, None
    case.bases.clear()
    run = case.sweep()
    case.expect(run, (0, 3))
    case.look(run)
    case.finish()


@scenario(18, stores=PG, weight=6, check=1)
def the_table_is_rewritten(case):
    """VACUUM FULL and CLUSTER in the middle: every row moves."""
    case.begin(rows=600, batch=(1, 20))
    case.frozen, case.lost_batches = True, 12
    run = case.start()
    for _ in range(case.dice.randint(1, 4)):
        case.wait_begun(run, case.dice.uniform(0, 0.7))
        case.met = case.met or run.alive()
        rewrite(case, case.dice.choice(("VACUUM FULL secrets",
                                        "CLUSTER secrets USING secrets_pkey")))
    case.ended(run)
    case.expect(run, (0, 3, 4))
    case.look(run)
    case.finish()


def rewrite(case, statement):
    """A partitioned table is not clustered as a whole; its leaves are."""
    if case.world.key == "partitioned" and statement.startswith("CLUSTER"):
        statement = "VACUUM FULL secrets"
    for _ in range(20):
        try:
            case.store.run("SET lock_timeout = '2s'", statement)
            return
        except Exception as error:
            if "lock" not in str(error) and "deadlock" not in str(error):
                raise
            time.sleep(0.02)


@scenario(9, stores=PG, weight=5, check=1)
def serializable_is_the_default(case):
    """The role's default isolation is serializable, or repeatable read, or
    its transactions are deferrable."""
    case.begin()
    case.tool.env["PGOPTIONS"] = case.dice.choice((
        "-c default_transaction_isolation=serializable",
        "-c default_transaction_isolation=repeatable\\ read",
        "-c default_transaction_isolation=serializable "
        "-c default_transaction_deferrable=on"))
    case.met = True
    run = case.sweep()
    case.expect(run, (0, 3, 4))
    case.look(run)
    case.finish()


@scenario(8, stores=PG, weight=5, check=1)
def statements_time_out(case):
    """The server cancels our statements, again and again."""
    case.begin(rows=600, batch=(1, 20))
    case.lost_batches = 60
    run = case.start()
    over = threading.Event()

    def cancel():
        while not over.wait(0.02):
            case.store.run(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE "
                "application_name LIKE 'envelope%' AND state = 'active'")
    thread = threading.Thread(target=cancel)
    case.wait_begun(run, 0.01)
    case.met = run.alive()
    thread.start()
    time.sleep(0.6)
    over.set()
    thread.join()
    case.ended(run)
    case.expect(run, (0, 3, 4, 16, 11))
    case.look(run)
    case.finish()
