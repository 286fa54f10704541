/*
 * engine.h - the sweep engine, as the command calls it.
 *
 * plan, run, verify and status for a job, on whatever store its driver names.
 * Reports are JSON documents exactly as --json prints them (product.md
 * section 7); text is rendered from the same document.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <signal.h>

#include <jansson.h>

#include <envelope/audit.h>
#include <envelope/envelope.h>

#include "engine/job.h"

enum engine_goal {
    ENGINE_SEAL,   /* migrate: plaintext becomes envelopes              */
    ENGINE_ROTATE  /* rotate and rewrap --job: and other kids become ours */
};

enum engine_event_kind {
    ENGINE_PROGRESS,  /* rows so far, at most 10 times a second          */
    ENGINE_PHASE,     /* ${text} names it: "sweep", "closing pass 1", ... */
    ENGINE_NOTE,      /* ${text}: a side effect or something to know     */
    ENGINE_WAITING    /* ${text}: what is waited for; "" when it is over;
                         said once more every 30 s while it lasts         */
};

struct engine_event {
    enum engine_event_kind kind;
    const char *text;
    const char *reason;      /* of WAITING: one of a small set, such as
                                "paused", "replica_lag_s"; else NULL   */
    bool again;              /* of WAITING: it was said before and lasts */
    const char *target;      /* label, may be NULL                     */
    uint64_t rows, rows_total; /* of this phase; total is an estimate  */
    uint64_t sealed, rotated, skipped, conflicts, quarantined; /* values of
                                the whole pass, earlier runs included  */
    double rows_per_s;       /* smoothed                               */
    double eta_s;            /* < 0: not known yet                     */
    uint32_t batch_rows, batch_ms; /* of the latest batch that wrote   */
    int64_t guard_writes;    /* of plaintext, counted by the guard; < 0: no
                                count (see options->count_guard)       */
};

typedef void engine_event_fn(void *cookie, const struct engine_event *event);

/* A run has the job's lease, and is about to write to ${store} (as the plugin
   names it); a failure ends it. */
typedef enum envl_status engine_begin_fn(void *cookie, const char *store,
                                         struct envl_error *err);

/* Zero-initialise; ring is needed by all but status and plugins. */
struct engine_options {
    struct envl_keyring *ring;
    struct envl_keyring *proof; /* the same ring opened a second time from
                                   disk, to prove that the key is durable
                                   before the first write (I3); NULL: ${ring}
                                   is reloaded for it                  */
    struct envl_audit *audit;  /* a run needs it: its begin and end      */
    const char *plugin_dir;    /* NULL: beside the command, then PLUGDIR  */
    const struct envl_migrator *plugin; /* NULL, or a plugin that is linked
                                  in, used instead of a file            */
    const char *kid;           /* NULL: the job's, else the active one    */
    uint32_t workers;          /* 0: the job's                            */
    const char *accept_ring;   /* --accept-ring: if it is the ring's id, the
                                  records of another or a newer ring, and
                                  damaged ones, give way to a new pass  */
    uint32_t patience_ms;      /* how long to wait for a database that is
                                  gone or locked; 0: 60000              */
    uint64_t backup_generation; /* plan: of the ring's last backup, or 0  */
    const char *backup_date;   /* plan: when that was; may be NULL        */
    bool count_guard;          /* a run asks the guard for its count now
                                  and then                               */
    const char *readers;       /* plan: folder of readers' reports, or NULL */
    bool no_wait;              /* end, instead of waiting while the job is
                                  paused or its window is closed         */
    const volatile sig_atomic_t *stop; /* NULL; 1: after this batch; 2: now */
    engine_event_fn *event;    /* may be NULL; called from the caller's
                                  thread, between begin and end of a call */
    void *cookie;
    engine_begin_fn *begin;    /* may be NULL                             */
    void *begin_cookie;
};

/**
 * engine_plan(job, options, ddl, report, err):
 * Connect, bind, read a bounded sample, write nothing: rows by state
 * (sampled), the context of each field as the application must use it, notes
 * on side effects and grants; with ${ddl} the state schema and grants.
 * ENVL_OK, or ENVL_E_FINDINGS where a decision is needed; else a failure.
 */
enum envl_status engine_plan(const struct job *job,
                             const struct engine_options *options, bool ddl,
                             json_t **report, struct envl_error *err);

/**
 * engine_run(job, goal, options, report, err):
 * Sweep, or go on with a sweep that was cut short, or take part in one that
 * another process leads and has left ranges of; then closing passes until
 * nothing is left.  ${report} is the summary, given whenever work was begun.
 * ENVL_OK; ENVL_E_PARTIAL (quarantined, or the job says stop);
 * ENVL_E_FINDINGS (plaintext still arriving after two closing passes);
 * ENVL_E_INTERRUPTED; ENVL_E_LOCKED (another process has the job, and nothing
 * for us to do); ENVL_E_INTEGRITY (a record is not ours or damaged, or the
 * ring is older than the job has seen); ENVL_E_POLICY (another direction is
 * unfinished; the key is not active); ENVL_E_DATABASE; ENVL_E_AUDIT; and what
 * the key side says.
 */
enum envl_status engine_run(const struct job *job, enum engine_goal goal,
                            const struct engine_options *options,
                            json_t **report, struct envl_error *err);

/**
 * engine_verify(job, options, report, err):
 * Open every envelope in its place; the census.  ENVL_OK only if every value
 * is sealed under an active key and opens (or is absent, null, or empty by
 * policy); else ENVL_E_FINDINGS, with the report.
 */
enum envl_status engine_verify(const struct job *job,
                               const struct engine_options *options,
                               json_t **report, struct envl_error *err);

/**
 * engine_status(job, options, report, err):
 * What the store's records say of the job, without taking part; needs no
 * ring, and says with one whether the job's record is authentic.  Fails with
 * ENVL_E_NOTFOUND if the job was never run on this store.
 */
enum envl_status engine_status(const struct job *job,
                               const struct engine_options *options,
                               json_t **report, struct envl_error *err);

enum engine_verb { ENGINE_SHOW, ENGINE_PAUSE, ENGINE_RESUME, ENGINE_SET };

/* What an operator wants of a job, wherever it runs. */
struct engine_order {
    enum engine_verb verb;
    const char *const *settings; /* of SET: "name=value", up to a NULL */
};

/**
 * engine_order(job, options, order, report, err):
 * Write it into the store, where every process that works on the job sees it
 * within a second, and whoever works on it later, too (spec JOB-75).
 * ${report}: {"schema":1,"type":"control","job","running","control":{...}}.
 * Fails with ENVL_E_NOTFOUND if the job was never run on this store,
 * ENVL_E_USAGE (a setting; and without a ring all but SHOW and PAUSE).
 */
enum envl_status engine_order(const struct job *job,
                              const struct engine_options *options,
                              const struct engine_order *order,
                              json_t **report, struct envl_error *err);

/**
 * engine_guard(job, options, stage, report, err):
 * Bring the guard of every target to ${stage}, "off", "observe", "moderate"
 * or "strict" (NULL: only look), and report what is in force.  A change needs
 * an audit log.  ENVL_E_FINDINGS: plaintext is left, so strict is not given,
 * or a guard is not as it was set, with the report; ENVL_E_POLICY: the store
 * cannot do this here; ENVL_E_LOCKED.
 */
enum envl_status engine_guard(const struct job *job,
                              const struct engine_options *options,
                              const char *stage, json_t **report,
                              struct envl_error *err);

/**
 * engine_plugins(options, report, err):
 * For doctor: the plugins found, their path and whether they load.
 */
enum envl_status engine_plugins(const struct engine_options *options,
                                json_t **report, struct envl_error *err);

#endif /* ENGINE_ENGINE_H */
