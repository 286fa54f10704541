"""What happens to keys, rings and directions."""

import shutil

from registry import scenario


@scenario(20, weight=6, check=1)
def the_key_is_retired_midway(case):
    """Another key is activated and ours retired or disabled while it seals:
    what stands opens, and the rerun ends under one key."""
    case.begin(rows=600, batch=(1, 10), crowd=False)
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0.05, 0.6))
    case.met = run.alive()
    case.tool.run("key", "add", "--kid", "k2", "--activate")
    how = case.dice.choice((None, "retire", "disable"))
    if how == "disable":
        change = case.tool.run("key", "disable", "k1", ok=None)
        case.tell(f"disable: {change.told()}")
    case.ended(run)
    case.expect(run, (0, 3, 13, 14, 18))
    if how == "disable":
        case.tool.run("key", "enable", "k1", ok=None)
    case.bases.clear()
    case.look()
    case.finish_under_new_key()


@scenario(20, weight=5, check=1)
def the_ring_goes_away_midway(case):
    """The ring file is taken away, or an older one is put in its place, while
    it seals: it stops, and nothing is sealed that no fresh process opens."""
    case.begin(rows=600, batch=(1, 10), crowd=False)
    ring, saved = case.tool.ring, case.tool.home / "saved.json"
    older = case.tool.home / "older.json"
    shutil.copy(ring, older)
    case.tool.run("key", "add", "--kid", "k9", "--activate")
    shutil.copy(ring, saved)
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0.02, 0.3))
    case.met = run.alive()
    if case.dice.random() < 0.5:
        ring.unlink()
        wanted = (10, 18)
    else:
        shutil.copy(older, ring)
        wanted = (18,)
    # It looks again before it calls anything done.
    records = case.store.records()
    if not records or sum(body["ledger"]["rows"] for n, body in
                          records.items() if n) > 0.6 * case.world.rows:
        wanted += (0,)
    case.ended(run)
    case.expect(run, wanted)
    shutil.copy(saved, ring)
    case.look(run if run.code == 0 else None)
    case.finish()


@scenario(21, 35, weight=6, check=1)
def other_material_under_the_same_kid(case):
    """Half is sealed, then another ring comes that calls its key k1, too: the
    job refuses it, and what it cannot open it never seals again."""
    case.begin(rows=300, batch=(1, 20), crowd=False)
    run = case.start()
    case.wait_begun(run, 0.3)
    run.kill()
    case.ended(run)
    case.look(run)
    folder, away = case.tool.ring.parent, case.tool.home / "away"
    state = case.tool.home / ".local/state"
    folder.rename(away)
    if state.exists():
        state.rename(case.tool.home / "state-away")
    case.tool.run("init", "--kid", "k1")
    before = case.store.snapshot()
    run = case.sweep()
    case.met = True
    case.expect(run, (18,))
    if case.store.snapshot() != before:
        case.fail("I3: another ring's key was used")
    # A new job knows nothing of the old one: what is not its own is listed.
    other = case.write_job("other.json", name="other")
    census = case.tool.run("verify", other, "--json", ok=None)
    sealed = sum(v is not None and v.startswith("env1:")
                 for row in before.values() for v in row[:2])
    wrong = sum(c["count"] for c in census.document().get("census", [])
                if c["state"] == "sealed_wrong_context")
    if wrong != sealed:
        case.fail(f"I3: {wrong} told as not its own, {sealed} are")
    shutil.rmtree(folder)
    away.rename(folder)
    shutil.rmtree(state, ignore_errors=True)
    if (case.tool.home / "state-away").exists():
        (case.tool.home / "state-away").rename(state)
    case.finish()


@scenario(22, weight=2)
def a_key_that_does_not_seal_is_refused(case):
    """A key that is not active, or not in the ring: nothing is written."""
    case.begin(rows=60, crowd=False)
    case.tool.run("key", "add", "--kid", "later")
    before = case.store.snapshot()
    for kid, codes in (("later", (14,)), ("nobody", (13, 10))):
        case.write_job(kid=kid)
        case.expect(case.sweep(), codes)
    case.met = True
    if case.store.snapshot() != before:
        case.fail("I3: something was sealed under a key that does not seal")
    case.write_job()
    case.finish()


@scenario(34, 44, weight=6, check=1)
def another_direction_while_one_is_unfinished(case):
    """A sweep is cut short; a rotation to another key, or a rotation cut
    short and a sweep, is refused until it is finished or begun anew."""
    case.begin(rows=300, batch=(1, 20), crowd=False, witness=False)
    run = case.start()
    case.wait_begun(run, 0.4)
    run.kill()
    case.ended(run)
    cut = run.killed
    before = case.store.snapshot()
    case.tool.run("key", "add", "--kid", "k2")
    case.write_job(kid="k1")
    case.write_job("two.json", kid="k2")
    other = case.tool.run("migrate", case.tool.home / "two.json", "--execute",
                          "--json", ok=None)
    case.met = cut
    case.expect(other, (14,))
    if case.store.snapshot() != before:
        case.fail("I5: a refused direction changed rows")
    case.write_job()
    case.finish()


@scenario(34, 1, weight=8, check=1)
def a_rotation_is_killed(case):
    """Values under k1 are sealed again under k2; it is killed on the way, and
    a rerun ends with k2 only, each value rotated once."""
    case.begin(rows=300, batch=(1, 20), crowd=False, moves=False)
    case.sweep()
    case.rotating, case.last_look = True, None
    run = case.start_rotation("k2")
    case.wait_kid(run, "k2", case.dice.uniform(0, 0.8))
    case.met = run.alive()
    run.kill()
    run.done()
    case.look(run)
    case.expect(case.start_rotation("k2").done(), (0,))
    case.look()
    kids = {value.split(":")[1] for row in case.store.snapshot().values()
            for value in row[:2]}
    if kids != {"k2"}:
        case.fail(f"I7: after the rotation there are kids {kids}")
    case.bases.clear()
    case.last_look = None
    case.finish()
