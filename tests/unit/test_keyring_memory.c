/*
 * Every allocation fails once: in opening, changing and listing a ring, and
 * in writing and checking a log.  What fails says so, and leaks nothing (the
 * sanitized build looks).
 *
 * The allocators are replaced at link time (--wrap, see the Makefile).
 */
#include <sodium.h>

#include "audit_fixture.h"

static int fail_at = -1;

static bool
strike(void)
{
    return fail_at >= 0 && fail_at-- == 0;
}

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *block, size_t len);
void *__real_aligned_alloc(size_t align, size_t len);
char *__real_strdup(const char *text);
void *__real_sodium_malloc(size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *block, size_t len);
void *__wrap_aligned_alloc(size_t align, size_t len);
char *__wrap_strdup(const char *text);
void *__wrap_sodium_malloc(size_t len);

void *
__wrap_malloc(size_t len)
{
    return strike() ? NULL : __real_malloc(len);
}

void *
__wrap_calloc(size_t count, size_t len)
{
    return strike() ? NULL : __real_calloc(count, len);
}

void *
__wrap_realloc(void *block, size_t len)
{
    return strike() ? NULL : __real_realloc(block, len);
}

void *
__wrap_aligned_alloc(size_t align, size_t len)
{
    return strike() ? NULL : __real_aligned_alloc(align, len);
}

char *
__wrap_strdup(const char *text)
{
    return strike() ? NULL : __real_strdup(text);
}

void *
__wrap_sodium_malloc(size_t len)
{
    return strike() ? NULL : __real_sodium_malloc(len);
}

/* ---- the operations: each undoes what it has done ----------------------- */

static enum envl_status
do_open(struct log *log)
{
    struct envl_keyring *ring = NULL;
    enum envl_status status = try_open(&log->f, &ring, NULL);

    assert_int_equal(status == ENVL_OK, ring != NULL);
    envl_keyring_free(ring);
    return status;
}

static enum envl_status
do_reload(struct log *log)
{
    return envl_keyring_reload(log->ring, NULL);
}

static enum envl_status
do_list(struct log *log)
{
    struct envl_key_info *keys = NULL;
    struct envl_unlock_info *unlocks = NULL;
    struct envl_rekey_plan plan;
    enum envl_status status;
    size_t count;

    status = envl_keyring_list(log->ring, &keys, &count, NULL);
    if (status == ENVL_OK)
        status = envl_keyring_unlocks(log->ring, &unlocks, &count, NULL);
    if (status == ENVL_OK)
        status = envl_keyring_rekey_plan(log->ring, NULL, &plan, NULL);
    if (status == ENVL_OK)
        assert_int_equal(plan.kept, 1);
    free(keys);
    free(unlocks);
    return status;
}

static unsigned made;

static enum envl_status
do_add(struct log *log)
{
    char kid[32];
    struct envl_key_spec spec = { .kid = kid };

    snprintf(kid, sizeof(kid), "k-%u", made++);
    return envl_keyring_add(log->ring, &spec, NULL);
}

static enum envl_status
do_destroy(struct log *log)
{
    return envl_keyring_destroy(log->ring, "gone", false, NULL);
}

static enum envl_status
do_create(struct log *log)
{
    struct envl_key_spec spec = { .kid = "k" };
    enum envl_status status;
    char path[256];

    snprintf(path, sizeof(path), "%s/another.json", log->f.dir);
    status = envl_keyring_create(path, log->f.provider, "main", &spec, NULL);
    assert_int_equal(access(path, F_OK) == 0, status == ENVL_OK);
    unlink(path);
    return status;
}

static enum envl_status
do_append(struct log *log)
{
    struct envl_audit *audit = NULL;
    enum envl_status status = envl_audit_open(log->path, log->ring, &audit,
                                              NULL);

    if (status == ENVL_OK)
        status = log_append(audit, "migrate", NULL);
    envl_audit_free(audit);
    return status;
}

static enum envl_status
do_verify(struct log *log)
{
    struct envl_audit_report report = { .broken_line = 1 };
    enum envl_status status = envl_audit_verify(log->path, log->ring,
                                                &report, NULL);

    assert_int_equal(report.broken_line, status == ENVL_OK ? 0 : 1);
    return status;
}

static enum envl_status
do_providers(struct log *log)
{
    struct envl_passphrase_cost cost = { 2, 64u << 20 };
    struct envl_provider *a = NULL, *b = NULL;
    struct envl_secret *text = NULL;
    enum envl_status status;

    status = envl_keyfile_provider_new(log->f.key, &a, NULL);
    if (status == ENVL_OK)
        status = envl_secret_new(4, &text, NULL);
    if (status == ENVL_OK) {
        memcpy(envl_secret_span(text).ptr, "test", 4);
        status = envl_passphrase_provider_new(text, &cost, &b, NULL);
    }
    if (status == ENVL_OK)
        status = envl_keyfile_provider_allow(a, "/keys", NULL);
    envl_secret_free(text);
    envl_provider_free(a);
    envl_provider_free(b);
    return status;
}

/* ---- the loop ----------------------------------------------------------- */

static const struct operation {
    const char *name;
    enum envl_status (*act)(struct log *log);
    enum envl_status failure;
    int at_least; /* allocations */
} operations[] = {
    { "opening_survives_every_allocation", do_open, ENVL_E_NOMEM, 10 },
    { "reloading_survives_every_allocation", do_reload, ENVL_E_NOMEM, 5 },
    { "listing_survives_every_allocation", do_list, ENVL_E_NOMEM, 5 },
    { "adding_survives_every_allocation", do_add, ENVL_E_NOMEM, 15 },
    { "destroying_survives_every_allocation", do_destroy, ENVL_E_NOMEM, 30 },
    { "creating_survives_every_allocation", do_create, ENVL_E_NOMEM, 15 },
    { "recording_survives_every_allocation", do_append, ENVL_E_AUDIT, 8 },
    { "verifying_survives_every_allocation", do_verify, ENVL_E_NOMEM, 4 },
    { "providers_survive_every_allocation", do_providers, ENVL_E_NOMEM, 7 },
};

static void
run_operation(void **state)
{
    const struct operation *row = *state;
    struct log log = log_new();
    struct envl_key_spec spec = { .kid = "gone" };
    enum envl_status status;
    int n = 0;

    assert_int_equal(envl_keyring_add(log.ring, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_set_state(log.ring, "gone",
                                            ENVL_KEY_DISABLED, NULL),
                     ENVL_OK);
    write_records(&log, log.ring, 1);
    do {
        fail_at = n++;
        status = row->act(&log);
        if (status != ENVL_OK && status != row->failure) {
            fail_at = -1;
            fail_msg("allocation %d: %s", n - 1, envl_status_name(status));
        }
    } while (fail_at < 0 && n < 10000);
    fail_at = -1;
    assert_int_equal(status, ENVL_OK);
    print_message("%d allocations\n", n - 1);
    assert_true(n - 1 >= row->at_least);
    log_free(&log);
}

int
main(void)
{
    const size_t rows = sizeof(operations) / sizeof(*operations);
    struct CMUnitTest tests[sizeof(operations) / sizeof(*operations)];

    for (size_t i = 0; i < rows; i++)
        tests[i] = (struct CMUnitTest){
            .name = operations[i].name, .test_func = run_operation,
            .initial_state = (void *)(uintptr_t)&operations[i],
        };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
