/*
 * schema.h - the SQL of the tables that hold the state of jobs (spec JOB-63).
 */
#ifndef SQLITE_SCHEMA_H
#define SQLITE_SCHEMA_H

/* The three tables; `process` is process.h's, lease_until is milliseconds
   since 1970. */
#define SCHEMA_TABLES \
    "CREATE TABLE IF NOT EXISTS envelope_job (\n" \
    "    job TEXT NOT NULL PRIMARY KEY,\n" \
    "    epoch INTEGER NOT NULL,\n" \
    "    owner TEXT NOT NULL,\n" \
    "    process TEXT NOT NULL,\n" \
    "    lease_until INTEGER NOT NULL,\n" \
    "    body BLOB NOT NULL,\n" \
    "    mac BLOB NOT NULL) WITHOUT ROWID;\n" \
    "CREATE TABLE IF NOT EXISTS envelope_range (\n" \
    "    job TEXT NOT NULL,\n" \
    "    number INTEGER NOT NULL,\n" \
    "    epoch INTEGER NOT NULL,\n" \
    "    owner TEXT NOT NULL,\n" \
    "    process TEXT NOT NULL,\n" \
    "    lease_until INTEGER NOT NULL,\n" \
    "    body BLOB NOT NULL,\n" \
    "    mac BLOB NOT NULL,\n" \
    "    PRIMARY KEY (job, number)) WITHOUT ROWID;\n" \
    "CREATE TABLE IF NOT EXISTS envelope_quarantine (\n" \
    "    job TEXT NOT NULL,\n" \
    "    target TEXT NOT NULL,\n" \
    "    field TEXT NOT NULL,\n" \
    "    key BLOB NOT NULL,\n" \
    "    digest BLOB NOT NULL,\n" \
    "    row TEXT NOT NULL,\n" \
    "    state TEXT NOT NULL,\n" \
    "    PRIMARY KEY (job, target, field, key, digest)) WITHOUT ROWID;\n"

/* What guards count; only while there is one. */
#define SCHEMA_GUARD \
    "CREATE TABLE IF NOT EXISTS envelope_guard (\n" \
    "    guard TEXT NOT NULL PRIMARY KEY,\n" \
    "    job TEXT NOT NULL,\n" \
    "    stage TEXT NOT NULL,\n" \
    "    since INTEGER NOT NULL,\n" \
    "    writes INTEGER NOT NULL) WITHOUT ROWID"

/* The clock of the store. */
#define SCHEMA_NOW \
    "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"

#define SCHEMA_COUNT \
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN " \
    "('envelope_job', 'envelope_range', 'envelope_quarantine')"

#endif /* SQLITE_SCHEMA_H */
