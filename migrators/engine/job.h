/*
 * job.h - the job file, checked (spec JOB, product.md section 4).
 *
 * Parsing is strict: an unknown, missing or repeated member, a wrong type or a
 * member that this version does not carry out is refused by its place in the
 * file (targets[0].fields[1].colum), never ignored.
 */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include <jansson.h>

#include <envelope/envelope.h>
#include <envelope/migrator.h>

#include "engine/state.h"

enum job_codec { JOB_CODEC_BASE64, JOB_CODEC_HEX, JOB_CODEC_JSON };
enum job_action { JOB_SKIP, JOB_SEAL, JOB_QUARANTINE, JOB_STOP };
enum job_source { JOB_CONSTANT, JOB_COLUMN, JOB_ELEMENT };

#define JOB_MAX_CODECS 8u

/* One pair that a field's `context` adds or replaces. */
struct job_pair {
    struct envl_bytes name;
    enum job_source source;
    struct envl_bytes value; /* CONSTANT; may hold U+0000              */
    uint32_t extra;          /* COLUMN: index into the target's extras */
};

struct job_field {
    const struct envl_field_spec *spec; /* in the target's array         */
    bool has_encoding;
    enum envl_encoding encoding;
    enum job_codec codecs[JOB_MAX_CODECS];
    uint32_t codec_count;
    struct envl_path select;    /* inside the decoded value; count 0: none */
    int type;                   /* enum envl_type, or -1: from the value */
    int pad;                    /* as in struct envl_seal_options        */
    bool seal_empty;            /* empty: seal                           */
    const struct job_pair *context;
    uint32_t context_count;
};

struct job_target {
    struct envl_target_spec spec; /* what the plugin is given */
    const struct job_field *fields; /* spec.field_count of them */
};

#define JOB_MAX_YIELDS 8u

/* When a sweep may write: minutes of the day in a time zone. */
struct job_window {
    const char *text; /* as in the file; NULL: always   */
    const char *zone; /* "Europe/Berlin"                */
    uint32_t from, to; /* from > to: over midnight      */
};

struct job_pace {
    uint32_t target_ms;           /* 200                     */
    uint32_t rows_min, rows_max;  /* 50, 5000                */
    uint64_t bytes;               /* 4 MiB of values a batch */
    bool rows_given, bytes_given; /* by the job              */
    uint32_t workers;             /* 1                       */
    uint32_t max_rows_per_s;      /* 0: no limit             */
    struct job_window window;
    const char *flag_file;        /* yield_to.flag_file      */
};

struct job {
    const char *name;
    const char *driver;       /* [a-z0-9-]+                          */
    const char *source_json;  /* the "source" object, for the plugin */
    const struct job_target *targets;
    uint32_t target_count;
    const char *kid;          /* NULL: the active key of the scope   */
    const char *scope;        /* NULL: "default"                     */
    enum job_action on[ROW_STATE_COUNT]; /* all set, by default too  */
    struct job_pace pace;
    struct envl_limit yields[JOB_MAX_YIELDS]; /* the plugin's part of
                                 yield_to                        */
    uint32_t yield_count;
    uint32_t lock_ms, statement_ms;
    uint64_t max_blocked;     /* values; UINT64_MAX: no limit        */
    double max_error_rate;    /* 0 to 1; above 1: no limit           */
    const char *audit_file;   /* NULL: the command's                 */
    bool tls_any;
    bool allow_log_exposure;  /* JOB-9                               */
    char digest[65];          /* SHA-256 of the file, hex            */
    void *owned;              /* private: everything above lies here */
};

/**
 * job_load(path, out, err):
 * Read and check a job file (at most 1 MiB).  Fails with ENVL_E_NOTFOUND,
 * ENVL_E_IO, or ENVL_E_USAGE naming the member, what is wrong and what is
 * expected.
 */
enum envl_status job_load(const char *path, struct job **out,
                          struct envl_error *err);

/**
 * job_parse(text, out, err):
 * The same from memory.
 */
enum envl_status job_parse(struct envl_bytes text, struct job **out,
                           struct envl_error *err);

/**
 * job_free(job):
 * Release; NULL is ignored.
 */
void job_free(struct job *job);

#endif /* ENGINE_JOB_H */
