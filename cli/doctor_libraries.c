/* Which libraries run, and whether they compute what they must. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <sodium.h>

#include <envelope/version.h>

#include "doctor.h"
#include "selftest.h"

/* Versions that should not run, and why; up to, not including, ${fixed}. */
static const struct bad {
    const char *library;
    int major, minor, from, fixed; /* minor -1: versions are MAJOR.PATCH */
    const char *why;
} bad[] = {
    { "libcrypto", 3, 0, 0, 13, "CVE-2023-5363 and others; update OpenSSL" },
    { "libcrypto", 3, 1, 0, 5, "CVE-2023-5363 and others; update OpenSSL" },
    { "libsodium", 1, 0, 0, 18, "too old: Argon2id and AES-GCM are untried "
                                "there" },
    { "jansson", 2, 0, 0, 1000, "too old: 2.14 refuses what it must" },
    { "libpq", 15, -1, 0, 4, "CVE-2023-39417 and others; update libpq" },
    { "libcurl", 7, -1, 0, 85, "too old: 7.85 is needed" },
    { "libsqlite3", 3, 32, 0, 3, "CVE-2020-15358; update SQLite" },
};

static void
say_version(struct doctor *doctor, const char *library, const char *version)
{
    int major = 0, minor = 0, patch = 0;
    char *end;

    major = (int)strtol(version, &end, 10);
    if (*end == '.')
        minor = (int)strtol(end + 1, &end, 10);
    if (*end == '.')
        patch = (int)strtol(end + 1, &end, 10);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const struct bad *b = &bad[i];
        const int last = b->minor < 0 ? minor : patch;

        if (strcmp(b->library, library) == 0 && major == b->major &&
            (b->minor < 0 || minor == b->minor) && last >= b->from &&
            last < b->fixed) {
            doctor_say(doctor, DOCTOR_WARN, b->why, "%s %s", library,
                       version);
            return;
        }
    }
    doctor_say(doctor, DOCTOR_OK, NULL, "%s %s", library, version);
}

/* Libraries of the plugins: asked for only if they are on this machine. */
static void
say_libpq(struct doctor *doctor)
{
    void *library = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
    union {
        void *object;
        int (*function)(void);
    } symbol = { NULL };
    char version[32];
    int number;

    if (library != NULL)
        symbol.object = dlsym(library, "PQlibVersion");
    if (symbol.object == NULL) {
        doctor_say(doctor, DOCTOR_OK, NULL,
                   "libpq is not here; only PostgreSQL sweeps need it");
    } else {
        number = symbol.function(); /* 150018: 15.18 */
        snprintf(version, sizeof(version), "%d.%d", number / 10000,
                 number % 10000);
        say_version(doctor, "libpq", version);
    }
    if (library != NULL)
        dlclose(library);
}

static void
say_sqlite(struct doctor *doctor)
{
    void *library = dlopen("libsqlite3.so.0", RTLD_LAZY | RTLD_LOCAL);
    union {
        void *object;
        const char *(*function)(void);
    } symbol = { NULL };

    if (library != NULL)
        symbol.object = dlsym(library, "sqlite3_libversion");
    if (symbol.object == NULL)
        doctor_say(doctor, DOCTOR_OK, NULL,
                   "libsqlite3 is not here; only SQLite sweeps need it");
    else
        say_version(doctor, "libsqlite3", symbol.function());
    if (library != NULL)
        dlclose(library);
}

static void
say_curl(struct doctor *doctor)
{
    void *library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
    union {
        void *object;
        const char *(*function)(void);
    } symbol = { NULL };
    char version[32] = "";

    if (library != NULL)
        symbol.object = dlsym(library, "curl_version");
    /* "libcurl/7.88.1 OpenSSL/3.0.19 ..." */
    if (symbol.object != NULL)
        sscanf(symbol.function(), "libcurl/%31[0-9.]", version);
    if (version[0] == '\0')
        doctor_say(doctor, DOCTOR_OK, NULL, "libcurl is not here; only the "
                   "providers vault and aws need it");
    else
        say_version(doctor, "libcurl", version);
    /* It stays open: libraries below it do not go without a trace. */
}

static void
say_selftest(struct doctor *doctor)
{
    const struct selftest *test;
    size_t count = 0, failed = 0;

    for (; (test = selftest_at(count)) != NULL; count++)
        if (!test->passes()) {
            failed++;
            doctor_say(doctor, DOCTOR_FAIL,
                       "seal and open nothing with this build on this machine",
                       "self-test: %s", test->name);
        }
    if (failed == 0)
        doctor_say(doctor, DOCTOR_OK, NULL, "self-test: %zu known answers",
                   count);
}

void
doctor_libraries(struct doctor *doctor)
{
    doctor_section(doctor, "libraries");
    doctor_say(doctor, DOCTOR_OK, NULL, "envelope %s", envl_version());
    say_version(doctor, "libcrypto",
                OpenSSL_version(OPENSSL_VERSION_STRING));
    say_version(doctor, "libsodium", sodium_version_string());
    say_version(doctor, "jansson", jansson_version_str());
    say_libpq(doctor);
    say_sqlite(doctor);
    say_curl(doctor);
    say_selftest(doctor);
}
