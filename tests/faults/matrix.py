"""The fault matrix: 45 rows, what is promised in each, and what shows it.

A row is shown by scenarios (they say which rows they show) and by tests of a
part, named here by file and function and checked to be there.  A row that
nothing shows is printed as such.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

UNIT, PG, LITE = "tests/unit/test_", "tests/postgres/test_", "tests/sqlite/test_"

# number: (the fault, what is promised, tests of parts, a remark)
ROWS = {
    1: ("kill -9 anywhere", "a batch is all or nothing; a rerun goes on from "
        "the fenced cursor",
        ("{U}sweep_fault.c:resumes_after_a_death_before_any_call",
         "{U}sweep_fault.c:resumes_after_a_death_after_any_call"), ""),
    2: ("COMMIT sent, answer lost", "the record is read again; a replay "
        "changes nothing",
        ("{U}sweep_fault.c:survives_a_connection_lost_after_any_call",), ""),
    3: ("the server crashes", "reconnect, then go on", (
        "{P}connect.c:a_server_that_crashes_keeps_what_was_committed",), ""),
    4: ("failover to a replica that lost the tail", "rows and cursor go back "
        "together", (), ""),
    5: ("MongoDB: stepdown, rollback of w:1", "majority only; retried", (
        "tests/integration/faults_mongo.py:stepDown",
        "tests/integration/faults_mongo.py:writeConcern"), ""),
    6: ("connection reset while reading", "an error is never the end", (
        "{P}connect.c:a_lost_connection_is_said_and_never_an_end",), ""),
    7: ("a short page", "not the end", (
        "{U}sweep.c:takes_short_and_empty_pages_for_no_end",
        "{U}sweep.c:gives_up_on_a_store_without_rows_and_without_end"), ""),
    8: ("deadlock, lock timeout, statement timeout", "halve, retry, go on", (
        "{U}sweep_fault.c:survives_a_lock_at_any_call",
        "{U}pace.c:halves_on_trouble_down_to_one_row"), ""),
    9: ("serializable by default", "READ COMMITTED is asked for", (
        "{P}connect.c:a_serializable_default_changes_nothing",), ""),
    10: ("a writer updates the field between read and write", "never "
         "overwritten", (
             "{P}write.c:a_row_that_changed_is_never_overwritten",
             "{P}write.c:a_change_that_commits_while_we_wait_is_kept",
             "{L}sqlite_write.c:a_write_lands_only_on_what_was_read"), ""),
    11: ("a writer updates another column", "sealed all the same, by value "
         "in the end", (
             "{U}sweep.c:seals_rows_whose_other_columns_are_hot",), ""),
    12: ("a writer deletes, or brings the key back", "vanished, or judged "
         "anew", (
             "{U}sweep.c:counts_a_row_that_was_deleted_meanwhile_nowhere",),
         ""),
    13: ("rows inserted behind the cursor", "found before it is done", (
        "{U}sweep.c:finds_a_row_that_was_inserted_behind_it",), ""),
    14: ("a key is updated across the cursor", "found before it is done", (),
         ""),
    15: ("plaintext after the row was sealed", "verify finds it, a rerun "
         "seals it", ("{U}sweep.c:says_that_plaintext_still_arrives",), ""),
    16: ("an application reads an envelope as a secret", "out of the tool: "
         "docs say in which order to deploy", (), "not the sweep's"),
    17: ("the schema changes", "stop or go on, never write elsewhere", (
        "{P}connect.c:a_table_that_is_altered_meanwhile_stops_the_sweep",
        "{L}sqlite_file.c:a_changed_schema_stops_with_a_clear_error"), ""),
    18: ("VACUUM FULL, CLUSTER", "rows that were moved are not mistaken", (
        "{P}write.c:rows_that_were_moved_are_not_mistaken",), ""),
    19: ("disk full", "stop or wait, resumable", (
        "{L}sqlite_file.c:a_disk_that_takes_no_more_loses_nothing",), ""),
    20: ("key revoked, disabled, gone midway", "stop; what stands opens", (
        "tests/cli/29-a-ring-put-back-stops-a-sweep.t",), ""),
    21: ("wrong material under the right kid", "refused at the start", (
        "{U}engine.c:obeys_no_record_that_was_changed",
        "{U}transform.c:what_was_sealed_wrongly_is_not_handed_out"), ""),
    22: ("an ephemeral key", "refused before the first write", (
        "{U}engine.c:writes_nothing_under_a_key_that_is_not_on_disk",
        "{U}engine.c:seals_only_under_an_active_key"), ""),
    23: ("two migrators on one job", "they share it, or the second is told "
         "who has it", (
             "{U}engine.c:takes_part_in_a_job_that_another_process_leads",
             "{U}engine.c:names_the_living_owner_of_the_job"), ""),
    24: ("asleep beyond the lease", "fenced in the batch's transaction", (
        "{U}engine.c:fences_a_worker_whose_range_was_taken_over",
        "{P}state.c:a_batch_behind_a_lost_fence_is_undone",
        "{L}sqlite_state.c:a_batch_behind_a_lost_lease_is_rolled_back"), ""),
    25: ("two jobs on one field", "compare-and-swap keeps them apart", (
        "{U}engine.c:refuses_two_fields_at_one_place",), ""),
    26: ("the clock jumps", "leases by the store's clock, pace by a "
         "monotonic one", (), ""),
    27: ("replica lag, archive backlog, a stuck slot", "yield, and say so", (
        "tests/integration/steer_postgres.py:check_replica_lag",
        "tests/integration/steer_postgres.py:check_archive"), ""),
    28: ("a transaction that holds the horizon for hours", "yield", (
        "tests/integration/steer_postgres.py:check_xmin_age",
        "tests/integration/steer_postgres.py:check_prepared_transaction"),
        ""),
    29: ("a row lock held for minutes", "left, told, tried again", (
        "{U}sweep.c:leaves_a_row_locked_for_long_to_a_closing_pass",
        "{U}sweep.c:does_not_call_it_done_while_a_row_stays_locked",
        "{P}refused.c:a_locked_row_is_waited_for_shortly_then_left_out"), ""),
    30: ("too large for the column, the index, the document", "too_large, "
         "listed, left", (
             "{U}sweep.c:lists_rows_that_the_store_refuses",
             "{P}refused.c:only_the_rows_that_are_refused_are_left",
             "{U}transform_values.c:too_large_is_exact"), ""),
    31: ("no UTF-8, NUL, BOM", "bytes in are bytes out", (
        "{P}read.c:bytes_of_no_encoding_come_and_go_unchanged",
        "{P}read.c:another_servers_encoding_is_read_as_utf8"), ""),
    32: ("bad base64, odd JSON", "bad_codec, listed, left", (
        "{U}codec.c:each_case_decodes_or_does_not",
        "{L}sqlite_json.c:an_edit_splices_and_keeps_every_other_byte"), ""),
    33: ("NULL, '', JSON null, missing, a number", "never wiped, never made",
         ("{P}jsonb.c:a_member_that_is_not_there_is_never_made",
          "{P}jsonb.c:a_member_that_is_no_text_says_what_it_is"), ""),
    34: ("sealed already, under this or another kid", "skipped, or rotated "
         "once", ("{U}sweep.c:rotates_to_a_new_key",), ""),
    35: ("unknown kid, wrong place, cut short", "listed, never sealed again",
         ("{U}state.c:a_sealed_source_is_never_plaintext_whatever_its_verdict",
          "{U}sweep.c:quarantines_what_is_not_its_own_and_goes_on"), ""),
    36: ("plaintext that begins like an envelope", "prefix_collision, listed",
         ("{U}state.c:the_state_is_total_and_only_sound_plaintext_is_plaintext",
          ), ""),
    37: ("another scheme's ciphertext", "legacy_cipher, listed", (
        "{U}legacy.c:each_shape_is_known_and_what_resembles_it_is_not",), ""),
    38: ("the same value in all rows; keys twice", "each in its place; a key "
         "that is not unique is refused", (
             "{P}bind.c:what_cannot_be_swept_is_refused_by_its_name",
             "{L}sqlite_bind.c:what_cannot_be_swept_is_refused_by_name"), ""),
    39: ("a trigger rewrites it, a policy hides rows", "undone and stopped; "
         "refused", (
             "{L}sqlite_range.c:"
             "a_trigger_that_rewrites_the_envelope_stops_the_batch",
             "{P}refused.c:a_trigger_that_skips_the_row_is_not_called_written",
             "{P}bind.c:rows_hidden_from_the_role_refuse_the_table"), ""),
    40: ("a pooler restarts, a prepared statement is lost", "prepared anew on "
         "a new connection", (), ""),
    41: ("a backup is put back midway", "what stands is what counts", (
        "{L}sqlite_file.c:a_file_that_was_replaced_is_not_written",), ""),
    42: ("^C, ^C ^C, SIGTERM, SIGHUP, the terminal", "as 1, and the exit code "
         "says so", (
             "{U}engine.c:stops_after_the_batch_and_goes_on_where_it_was",
             "tests/cli/25-sweeps-tell-how-they-ended.t"), ""),
    43: ("the audit file's disk is full", "nothing that is not recorded", (
        "{U}engine.c:does_nothing_that_it_cannot_record",
        "tests/cli/28-a-full-disk-loses-nothing.t"), ""),
    44: ("directions mixed", "refused until the first is finished", (
        "{U}engine.c:refuses_another_direction_while_one_is_unfinished",), ""),
    45: ("MongoDB: _id of many types, arrays, TTL, capped", "by index bounds; "
         "compare-and-swap on the element", (
             "tests/integration/mongo_documents.py:key_of",
             "tests/integration/sweep_mongo.py:can_turn"),
         "chunk migrations, orphans and TTL are met by no test"),
}


def tests_of(row):
    return [t.format(U=UNIT, P=PG, L=LITE) for t in ROWS[row][2]]


def is_there(test):
    """FILE:FUNCTION, or a file alone."""
    path, _, function = test.partition(":")
    file = ROOT / path
    if not file.is_file():
        return False
    return not function or re.search(rf"\b{re.escape(function)}\b",
                                     file.read_text()) is not None


def scenarios_of(row, scenarios):
    return [s for s in scenarios.values() if row in s.rows]


MARK = "<!-- made by tests/faults/faults.py --write-docs -->\n"


def table(scenarios):
    """The matrix as docs/faults.md shows it."""
    lines = [MARK, "| # | fault | what is promised | what shows it |",
             "|---|---|---|---|"]
    for row, (fault, promise, _, remark) in ROWS.items():
        shown = [f"`{s.name}` ({', '.join(s.stores)})"
                 for s in scenarios_of(row, scenarios)]
        shown += [f"`{test.split('/')[-1]}`" for test in tests_of(row)]
        if not shown:
            shown = ["**not shown**"]
        if remark:
            shown.append(remark)
        lines.append(f"| {row} | {fault} | {promise} | {'; '.join(shown)} |")
    lines += ["", "## The scenarios", ""]
    for one in sorted(scenarios.values(), key=lambda s: s.name):
        lines += [f"- `{one.name}`: {one.text}"]
    return "\n".join(lines) + "\n"


def document(scenarios, write=False):
    """Whether docs/faults.md holds the matrix as it is; or make it so."""
    path = ROOT / "docs/faults.md"
    text = path.read_text()
    now = text.split(MARK)[0] + table(scenarios)
    if write:
        path.write_text(now)
    return now == path.read_text()


def show(scenarios):
    """Print it; 1 if a test that is named is not there."""
    missing, bare = [], []
    for row, (fault, promise, _, remark) in ROWS.items():
        shown = [f"{s.name} ({', '.join(s.stores)})"
                 for s in scenarios_of(row, scenarios)]
        for test in tests_of(row):
            shown.append(test)
            if not is_there(test):
                missing.append((row, test))
        print(f"{row:2d}  {fault}\n      {promise}"
              f"{' (' + remark + ')' if remark else ''}")
        for what in shown:
            print(f"      - {what}")
        if not shown:
            bare.append(row)
            print(f"      - NOT SHOWN{': ' + remark if remark else ''}")
    print(f"matrix: {len(ROWS)} rows, {len(bare)} not shown"
          f"{': ' + ', '.join(map(str, bare)) if bare else ''}")
    for row, test in missing:
        print(f"FAIL row {row} names {test}, which is not there")
    if not document(scenarios):
        print("FAIL docs/faults.md is older than the scenarios: "
              "tests/faults/faults.py --write-docs")
        return 1
    return 1 if missing else 0
