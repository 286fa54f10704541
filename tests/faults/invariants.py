"""I1 to I12 (product.md section 5), a function each.

Each takes a Look (what is there now, taken while nobody writes) and gives a
list of complaints; none holds.  A Look is compared with the model, with what
the look before it saw, and with what the tool said.
"""

import base64

import model

CODES = {0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 130, 143}
OUTCOMES = {0: "ok", 3: "partial", 4: "findings"}
LOCK_MS = 250.0
STATUS_MOST = 1000  # values that status lists
SHOWN = 4  # complaints of a kind


class Look:
    """What stands, held still."""

    def __init__(self, case, run=None):
        self.case, self.run = case, run
        self.model = {k: r.copy() for k, r in case.crowd.rows().items()}
        self.table = case.store.snapshot()
        self.before = case.last_look
        self.summary = run.summary() if run is not None else {}
        wanted = {}
        for key, row in self.table.items():
            for place, value in zip(model.PLACES, row):
                if model.is_envelope(value) and not self.foreign(key, place,
                                                                 value):
                    wanted[key, place] = (value,
                                          case.store.context(place, key))
        self.opened = case.tool.open_all(wanted)
        status = case.tool.run("status", case.tool.job, "--json", ok=None)
        self.status = status.document() if status.code == 0 else {}
        self.status_told = status.told()

    def truth(self, key, place):
        row = self.model.get(key)
        return None if row is None else getattr(row, place)

    def foreign(self, key, place, value):
        """An envelope that an application put there: not ours to touch."""
        return value is not None and value == self.truth(key, place)

    def values(self):
        for key, row in self.table.items():
            for place, value in zip(model.PLACES, row):
                yield key, place, value

    def plaintext(self):
        return [(key, place) for key, place, value in self.values()
                if value is not None and not model.is_envelope(value)]


def name(key, place):
    return f"{place} of {','.join(map(str, key))}"


def i1(look):
    """No write of an application is lost."""
    bad = []
    lost = set(look.model) - set(look.table)
    if lost:
        bad.append(f"{len(lost)} rows are gone, such as {min(lost)}")
    back = set(look.table) - set(look.model)
    if back:
        bad.append(f"{len(back)} rows came back, such as {min(back)}")
    for key, place, value in look.values():
        want = look.truth(key, place)
        if key not in look.model or value == want:
            continue
        if model.is_envelope(value):
            got = look.opened[key, place]
            if got != want:
                bad.append(f"{name(key, place)}: "
                           f"{'does not open' if got is None else 'holds another value'}")
        else:
            bad.append(f"{name(key, place)}: another plaintext than was "
                       f"committed last")
    return bad


def i2(look):
    """Nothing is sealed twice."""
    bad = [f"{name(*where)}: an envelope in an envelope"
           for where, value in look.opened.items()
           if model.is_envelope(value)]
    seals = look.case.store.seals()
    if seals and seals[1] and not look.case.rotating:
        bad.append(f"{seals[1]} envelopes were replaced")
    # What stood sealed, and nobody wrote since, is the same to the byte.
    if look.before is not None and not look.case.rotating:
        for key, row in look.before.table.items():
            now = look.table.get(key)
            for i, place in enumerate(model.PLACES):
                if now is None or not model.is_envelope(row[i]):
                    continue
                if (now[i] != row[i] and model.is_envelope(now[i]) and
                        now[2] == row[2]):
                    bad.append(f"{name(key, place)}: sealed again")
    return bad


def i3(look):
    """No envelope names a key that a fresh process cannot open."""
    kids = {value.split(":", 2)[1] for key, place, value in look.values()
            if model.is_envelope(value) and
            not look.foreign(key, place, value)}
    have = look.case.tool.keys()
    return [f"kid {kid} is {have.get(kid, 'not in the ring')}"
            for kid in sorted(kids)
            if have.get(kid) not in ("active", "decrypt-only", "pre-active")]


def i4(look):
    """No other column, member, number or row changes."""
    bad = []
    for key, (_, _, hot, rest, both) in look.table.items():
        row = look.model.get(key)
        if row is None:
            continue
        if hot != row.hot:
            bad.append(f"row {key}: hot is {hot}, was written as {row.hot}")
        if rest != look.case.store.rest_of(row):
            bad.append(f"row {key}: another column or member changed: {rest}"
                       f" / {look.case.store.rest_of(row)}")
        if both:
            bad.append(f"row {key}: plaintext beside its envelope")
    return bad


def i5(look):
    """States only move forward, but for what an application wrote."""
    if look.before is None or look.case.went_back:
        return []
    bad = []
    for key, row in look.before.table.items():
        now = look.table.get(key)
        for i, place in enumerate(model.PLACES):
            if (now is not None and now[2] == row[2] and
                    model.is_envelope(row[i]) and
                    not model.is_envelope(now[i])):
                bad.append(f"{name(key, place)}: was sealed, is not any more")
    return bad


def i6(look):
    """The ledger equals the census, and both what happened."""
    summary, bad = look.summary, []
    # A batch and its counts are one transaction: they agree at any time.
    made = look.case.seals_of(look.status)
    told = look.status.get("sealed", 0) + look.status.get("rotated", 0)
    if made is not None and made != told:
        bad.append(f"status counts {told} as sealed, {made} were")
    if not summary:
        return bad
    for phase in summary.get("phases", []):
        total = sum(phase[m] for m in ("sealed", "rotated", "skipped",
                                       "quarantined", "conflicts"))
        if phase.get("values", total) != total:
            bad.append(f"a phase's counts do not add up: {phase}")
    if summary.get("phase") != "done":
        return bad
    values = sum(entry["count"] for entry in summary["census"])
    last = summary["phases"][-1]
    counted = sum(last[m] for m in ("sealed", "rotated", "skipped",
                                    "quarantined", "conflicts"))
    if counted != values + last["conflicts"]:
        bad.append(f"the ledger has {counted} values, the census {values}")
    made = look.case.seals_of(summary)
    if made is not None and made != summary["sealed"] + summary["rotated"]:
        bad.append(f"{summary['sealed']} counted as sealed, {made} were")
    return bad


def i7(look):
    """After any fault a rerun finishes the job."""
    return list(look.case.unfinished)


def i8(look):
    """Done is impossible while a census finds plaintext."""
    if look.summary.get("phase") != "done" or not look.case.still:
        return []
    if look.summary.get("outcome") not in ("ok", "partial"):
        return []
    left = look.plaintext()
    bad = []
    if left:
        bad.append(f"done, but {len(left)} values are plaintext, such as "
                   f"{name(*left[0])}")
    if look.case.store.plaintext_left() and look.summary["outcome"] == "ok":
        bad.append("done, but freed pages still hold plaintext")
    return bad


def needles():
    """The canary as it is, in hexadecimal, and in base64 at each offset."""
    raw = model.CANARY.encode()
    out = [raw, raw.hex().encode(), raw.hex().upper().encode()]
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        out.append(coded[4 if shift else 0:-4])
    return out


def i9(look):
    """No plaintext in any word, file, record or log line of ours."""
    case, bad = look.case, []
    places = {"what the tool said": "\n".join(case.tool.words),
              "the server's log": case.store.our_log(),
              "the state tables": case.store.state_dump(),
              "the process": "\n".join(case.shown)}
    for path in case.tool.home.rglob("*"):
        if path.is_file() and path.name not in ("control",):
            places[f"the file {path.name}"] = path.read_bytes()
    for place, text in places.items():
        raw = text.encode() if isinstance(text, str) else text
        for needle in needles():
            if needle in raw:
                at = raw.index(needle)
                bad.append(f"plaintext in {place}: ..."
                           f"{raw[max(0, at - 60):at + 20]!r}")
                break
    return bad


def i10(look):
    """Locks are short: nobody waited longer for us than was promised, beyond
    what an update that has nothing to do with us took meanwhile."""
    waits = look.case.waits
    if waits is None or look.case.frozen:
        return []
    if waits.longest > LOCK_MS + waits.stall:
        return [f"SLOW an application waited {waits.longest:.0f} ms for a lock "
                f"of ours (the machine stalled for {waits.stall:.0f} ms)"]
    return []


def i11(look):
    """A resume reads no row again that was settled; what was read before a
    death and not settled is a batch a worker, and the page read ahead."""
    case = look.case
    return list(case.reread) if case.counts_reads else []


def i12(look):
    """Exit codes and status tell the truth."""
    run, bad = look.run, []
    if run is None or run.killed or run.code is None:
        return bad
    if run.code not in CODES:
        bad.append(f"exit code {run.code} is in no table: {run.told()}")
    if run.code not in (0, 3) and "envelope: error:" not in run.err and (
            '"type": "error"' not in run.err and
            '"type":"error"' not in run.err):
        bad.append(f"exit {run.code} without an error: {run.err[-200:]!r}")
    summary = look.summary
    if run.code in (0, 3, 4) and run.args[:1] == ["migrate"]:
        if summary.get("phase") != "done":
            bad.append(f"exit {run.code}, but the job is not done")
        elif summary.get("outcome") != OUTCOMES[run.code]:
            bad.append(f"exit {run.code}, outcome {summary.get('outcome')}")
    if run.code == 3 and summary and summary["quarantined"] == 0:
        bad.append("exit 3, but nothing is quarantined")
    if run.code == 0 and summary and summary["quarantined"] > 0:
        bad.append("exit 0, but something is quarantined")
    return bad + case_status(look)


def case_status(look):
    """What `status` says is what the run said and what the store holds."""
    case, bad = look.case, []
    if not look.summary or case.crowded:
        return bad
    found = look.status
    if not found:
        return [f"status: {look.status_told}"]
    if look.summary.get("phase") == "done":
        for member in ("sealed", "skipped", "quarantined", "conflicts",
                       "phase", "pass"):
            if found.get(member) != look.summary.get(member):
                bad.append(f"status says {member} {found.get(member)}, the "
                           f"run said {look.summary.get(member)}")
        if found.get("running"):
            bad.append("status says that the job is running")
    if case.exact:
        want = {(key, place) for key, place, value in look.values()
                if model.is_envelope(value) and look.foreign(key, place,
                                                             value)}
        got = {(case.store.row_key(item["row"]),
                "token" if item["field"].startswith("doc") or
                "." in item["field"] else "api_key")
               for item in found["quarantine"]}
        # Status lists the first thousand.
        if got - want if len(got) == STATUS_MOST else got != want:
            bad.append(f"quarantined: {len(got - want)} that should not be, "
                       f"{len(want - got)} that are not, such as "
                       f"{list(got ^ want)[:2]}")
        codes = {item["state"] for item in found["quarantine"]}
        if codes - {"sealed_wrong_context"}:
            bad.append(f"quarantined as {codes}")
    return bad


ALL = (i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12)


def check(look, only=ALL):
    """{"I1": complaints} of what does not hold."""
    out = {}
    for function in only:
        bad = function(look)
        if bad:
            more = len(bad) - SHOWN
            out[function.__name__.upper()] = bad[:SHOWN] + (
                [f"and {more} more"] if more > 0 else [])
    return out
