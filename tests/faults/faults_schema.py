"""What happens to the schema while it is swept."""

import time

from registry import scenario

PG = ("postgres",)


def change(case, statement):
    """DDL as an operator runs it: with a short lock timeout, again and
    again."""
    for _ in range(100):
        try:
            case.store.run("SET lock_timeout = '1s'", statement)
            return
        except Exception as error:
            if "lock" not in str(error):
                raise
            time.sleep(0.02)
    raise AssertionError(f"never got the lock for {statement}")


# (what is done, what undoes it, whether the sweep may go on)
CHANGES = (
    ("ALTER TABLE secrets RENAME COLUMN api_key TO was_api_key",
     "ALTER TABLE secrets RENAME COLUMN was_api_key TO api_key", False),
    ("ALTER TABLE secrets RENAME TO was_secrets",
     "ALTER TABLE was_secrets RENAME TO secrets", False),
    ("ALTER TABLE secrets ADD COLUMN more text DEFAULT 'x'",
     "ALTER TABLE secrets DROP COLUMN more", True),
    ("ALTER TABLE secrets ALTER COLUMN api_key TYPE varchar(4000)",
     "ALTER TABLE secrets ALTER COLUMN api_key TYPE text", True),
    ("ALTER TABLE secrets ALTER COLUMN note TYPE varchar(4000)",
     "ALTER TABLE secrets ALTER COLUMN note TYPE text", True),
    ("CREATE INDEX CONCURRENTLY more ON secrets (hot)",
     "DROP INDEX more", True),
)


@scenario(17, stores=PG, weight=8, check=2)
def the_table_is_altered(case):
    """A column or the table is renamed, added, or changes its type: the
    sweep stops or goes on, never writes to another place, and a rerun
    finishes when the schema is back."""
    case.begin(rows=600, batch=(1, 20), crowd=False, witness=False,
               key=case.dice.choice(("bigint", "uuid", "pair")))
    case.frozen = True
    done, undone, may_go_on = case.dice.choice(CHANGES)
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0.05, 0.6))
    case.met = run.alive()
    change(case, done)
    case.tell(done)
    case.ended(run)
    # Its data is held against the model once it has its name again.
    case.expect(run, (0, 3) if may_go_on else (0, 3, 10, 16, 2, 14))
    again = case.sweep()
    case.expect(again, (0, 3) if may_go_on else (0, 3, 10, 16, 2, 14))
    change(case, undone)
    case.look()
    case.finish()


@scenario(17, stores=PG, weight=4)
def the_column_is_dropped(case):
    """The swept column is dropped, and a new one takes its name."""
    case.begin(rows=600, batch=(1, 20), crowd=False, witness=False,
               into=False)
    case.frozen = True
    run = case.start()
    case.wait_begun(run, 0.3)
    case.met = run.alive()
    change(case, "ALTER TABLE secrets DROP COLUMN api_key")
    change(case, "ALTER TABLE secrets ADD COLUMN api_key text")
    case.ended(run)
    case.expect(run, (0, 3, 10, 16))
    for row in case.crowd.rows().values():
        row.api_key = None
    case.last_look = None
    case.look()
    case.bases.clear()
    case.finish()


@scenario(17, stores=PG, weight=4, check=1)
def a_partition_is_attached(case):
    """A table full of plaintext becomes a partition in the middle: the job is
    not done before it is sealed, too."""
    case.begin(rows=300, batch=(1, 20), crowd=False, key="bigint",
               witness=False, into=False)
    store = case.store
    store.run("ALTER TABLE secrets RENAME TO low",
              "CREATE TABLE secrets (LIKE low INCLUDING ALL) PARTITION BY "
              "RANGE (id)",
              "ALTER TABLE secrets ATTACH PARTITION low FOR VALUES FROM "
              f"(MINVALUE) TO ({2**32})",
              "CREATE TABLE high (LIKE low INCLUDING ALL)",
              "INSERT INTO high SELECT id + 4294967296, api_key, api_key_enc, "
              "doc, hot, note FROM low LIMIT 40")
    added = [r[0] for r in store.run("SELECT id FROM high")]
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0.1, 0.7))
    case.met = run.alive()
    change(case, "ALTER TABLE secrets ATTACH PARTITION high FOR VALUES FROM "
           f"({2**32}) TO (MAXVALUE)")
    rows = case.crowd.rows()
    for key in added:
        rows[key,] = rows[key - 2**32,].copy()
    case.crowd.put(rows)
    case.ended(run)
    case.expect(run, (0, 3, 4, 10, 16))
    case.look()
    case.finish()


REWRITES = {
    "postgres": (
        "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF NEW.hot = OLD.hot THEN NEW.doc = jsonb_set(NEW.doc, {at}, "
        "to_jsonb(upper(NEW.doc #>> {at}))); END IF; RETURN NEW; END $$",
        "CREATE TRIGGER meddle BEFORE UPDATE ON secrets FOR EACH ROW "
        "EXECUTE FUNCTION meddle()"),
    "sqlite": (
        "CREATE TRIGGER meddle AFTER UPDATE OF api_key, api_key_enc ON "
        "secrets WHEN NEW.hot = OLD.hot AND coalesce(NEW.api_key, "
        "NEW.api_key_enc) NOT LIKE 'ENV1%' BEGIN UPDATE secrets SET api_key "
        "= upper(api_key), api_key_enc = upper(api_key_enc) WHERE rowid = "
        "NEW.rowid; END",),
}


@scenario(17, 39, weight=6, check=1)
def a_trigger_rewrites_what_we_write(case):
    """A new trigger changes our envelope on its way: the batch is undone, the
    sweep stops, nothing that does not open is left; without the trigger it
    goes on."""
    case.begin(rows=300, batch=(1, 20), crowd=False, witness=False,
               key="bigint")
    at = getattr(case.store, "at", "")
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0, 0.5))
    case.met = run.alive()
    for statement in REWRITES[case.store.NAME]:
        statement = statement.replace("{at}", at)
        if case.store.NAME == "postgres":
            change(case, statement)
        else:
            case.store.run(statement)
    case.lost_batches = 60  # it connects anew before it gives up
    case.ended(run)
    again = case.sweep()
    # Done before the trigger came, or stopped by it.
    case.expect(run, (0, 16))
    case.expect(again, (0, 16))
    if again.code == 16 and "trigger" not in again.err:
        case.fail(f"I12: it does not name a trigger: {again.told()}")
    case.look()
    case.store.run("DROP TRIGGER meddle" + (
        " ON secrets" if case.store.NAME == "postgres" else ""))
    case.finish()


@scenario(39, stores=PG, weight=3)
def policies_hide_rows(case):
    """Row-level security that hides rows from the role: the table is refused,
    not half swept; BYPASSRLS makes it whole."""
    case.begin(rows=150, crowd=False, witness=False)
    case.store.run(
        "DROP ROLE IF EXISTS sweeper", "CREATE ROLE sweeper LOGIN",
        "GRANT ALL ON SCHEMA public TO sweeper",
        "GRANT CREATE ON DATABASE postgres TO sweeper",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO sweeper",
        "ALTER TABLE secrets ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY few ON secrets USING (hot = 1)")
    before = case.store.snapshot()
    dsn = case.tool.env["DATABASE_URL"]
    case.tool.env["DATABASE_URL"] = dsn.replace("postgres", "sweeper", 1)
    run = case.sweep()
    case.met = True
    case.expect(run, (14, 16, 2, 4))
    if case.store.snapshot() != before:
        case.fail("I1: rows were changed although others are hidden")
    case.tool.env["DATABASE_URL"] = dsn
    case.store.run("ALTER TABLE secrets DISABLE ROW LEVEL SECURITY")
    case.finish()
    case.store.run("DROP SCHEMA IF EXISTS envelope CASCADE",
                   "DROP OWNED BY sweeper", "DROP ROLE sweeper")


@scenario(17, stores=("sqlite",), weight=4)
def the_file_is_altered(case):
    """An application renames the column of a SQLite table, and back."""
    case.begin(rows=300, batch=(1, 10), crowd=False, witness=False)
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0.05, 0.6))
    case.met = run.alive()
    case.store.run("ALTER TABLE secrets RENAME COLUMN api_key TO was")
    case.ended(run)
    case.expect(run, (0, 3, 10, 16))
    case.store.run("ALTER TABLE secrets RENAME COLUMN was TO api_key")
    case.look()
    case.finish()
