"""What happens between the tool and PostgreSQL; tests/faults/proxy.py."""

from faults_process import batches
from proxy import Fault
from registry import scenario

PG = ("postgres",)


def place(case, how, kind, most, **more):
    nth = case.dice.randint(1, most)
    fault = case.store.proxy.add(Fault(
        how, kind, case.store.proxy.counts[kind or "any"] + nth, **more))
    case.tell(f"{how} {kind} {nth}")
    return fault


def swept(case, fault, codes=(0, 3, 4)):
    case.lost_batches = 6
    run = case.sweep()
    case.met = case.met or bool(fault.met)
    case.expect(run, codes)
    case.look(run)
    return run


@scenario(2, stores=PG, weight=14, check=3)
def the_answer_to_a_commit_is_lost(case):
    """The server has committed, the tool never hears of it."""
    case.begin()
    for _ in range(case.dice.randint(1, 3)):
        swept(case, place(case, "after", "commit",
                          4 + 2 * case.world.workers + batches(case)))
    case.finish()


@scenario(2, 6, stores=PG, weight=10, check=2)
def a_commit_never_arrives(case):
    """Cut before the server saw the end of a batch."""
    case.begin()
    for _ in range(case.dice.randint(1, 3)):
        swept(case, place(case, "before", case.dice.choice(
            ("commit", "fence", "write")), 4 + batches(case)))
    case.finish()


@scenario(6, stores=PG, weight=12, check=2)
def cut_while_reading(case):
    """Cut in the middle of a page's rows, before it or behind it: an error is
    never the end of the data."""
    case.begin()
    for _ in range(case.dice.randint(1, 3)):
        swept(case, place(case, case.dice.choice(("midway", "before",
                                                  "after")),
                          case.dice.choice(("page", "page", "search")),
                          2 + batches(case)))
    case.finish()


@scenario(1, 2, 6, stores=PG, weight=12, check=2)
def cut_at_any_statement(case):
    """Cut before or after the Nth statement, whatever it is."""
    case.begin()
    for _ in range(case.dice.randint(1, 3)):
        swept(case, place(case, case.dice.choice(("before", "after")), None,
                          60 + 9 * batches(case)), codes=(0, 3, 4, 16))
    case.finish()


@scenario(2, 10, stores=PG, weight=6)
def the_server_is_slow_to_answer(case):
    """Answers come late, again and again; applications go on meanwhile."""
    case.begin(pause=0.001)
    case.frozen = True  # a slow line holds our locks; not our doing
    fault = None
    for _ in range(5):
        fault = place(case, "hold", case.dice.choice(
            ("write", "commit", "page")), 3 + batches(case),
            seconds=case.dice.uniform(0.05, 0.3))
    swept(case, fault)
    case.finish()


@scenario(40, stores=PG, weight=8, check=1)
def prepared_statements_are_forgotten(case):
    """A pooler was restarted: SQLSTATE 26000."""
    case.begin()
    fault = place(case, "forget", None, 60 + 9 * batches(case))
    swept(case, fault)
    case.finish()


@scenario(6, 40, stores=PG, weight=5)
def every_connection_is_cut(case):
    """All at once, several times."""
    case.begin(rows=600, batch=(1, 20))
    case.lost_batches = 12
    run = case.start()
    for _ in range(case.dice.randint(1, 4)):
        case.wait_begun(run, case.dice.uniform(0, 0.8))
        case.met = case.met or run.alive()
        case.store.proxy.cut_all()
    case.ended(run)
    case.expect(run, (0, 3, 4, 16))
    case.look(run)
    case.finish()
