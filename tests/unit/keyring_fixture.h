/*
 * keyring_fixture.h - a folder of its own, and rings in it, for tests.
 *
 * Keys here are TEST DATA.
 */
#ifndef UNIT_KEYRING_FIXTURE_H
#define UNIT_KEYRING_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <envelope/keyring.h>

#include "cmocka_all.h"

/* Only a release build, and not under valgrind, is held to times. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    !defined(__OPTIMIZE__)
#define SLOW true
#else
#define SLOW (getenv("LD_PRELOAD") != NULL)
#endif

struct fixture {
    char dir[128];
    char ring[160];
    char key[160];
    struct envl_provider *provider; /* of the key file */
};

static inline void
write_file(const char *path, struct envl_bytes bytes, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* The whole file in ${room}, which is ended by a NUL; return its length. */
static inline size_t
read_whole(const char *path, char *room, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    assert_true(fd >= 0);
    got = read(fd, room, size - 1);
    assert_true(got >= 0);
    room[got] = '\0';
    close(fd);
    return (size_t)got;
}

static inline int
remove_one(const char *path, const struct stat *st, int type,
           struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void
remove_folder(const char *dir)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline unsigned
count_files(const char *dir)
{
    DIR *list = opendir(dir);
    unsigned count = 0;

    assert_non_null(list);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count - 2;
}

/* An empty folder, its key file, and a provider for it. */
static inline struct fixture
fixture_new(void)
{
    const char *tmp = getenv("TMPDIR");
    struct fixture f;

    snprintf(f.dir, sizeof(f.dir), "%s/envl-unit-XXXXXX",
             tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(f.dir));
    snprintf(f.ring, sizeof(f.ring), "%s/keyring.json", f.dir);
    snprintf(f.key, sizeof(f.key), "%s/keyring.key", f.dir);
    assert_int_equal(envl_keyfile_create(f.key, NULL), ENVL_OK);
    assert_int_equal(envl_keyfile_provider_new(f.key, &f.provider, NULL),
                     ENVL_OK);
    return f;
}

/* The same with a ring that has one active key, k1. */
static inline struct fixture
fixture_with_ring(void)
{
    struct fixture f = fixture_new();
    struct envl_key_spec spec = { .kid = "k1" };
    struct envl_error err;

    if (envl_keyring_create(f.ring, f.provider, "main", &spec, &err) !=
        ENVL_OK)
        fail_msg("%s", err.message);
    return f;
}

static inline void
fixture_free(struct fixture *f)
{
    envl_provider_free(f->provider);
    remove_folder(f->dir);
}

static inline enum envl_status
try_open(const struct fixture *f, struct envl_keyring **out,
         struct envl_error *err)
{
    struct envl_keyring_options options = {
        .size = sizeof(options),
        .path = f->ring,
        .providers = &f->provider,
        .provider_count = 1,
        .fixed = true,
    };

    return envl_keyring_open(&options, out, err);
}

static inline struct envl_keyring *
must_open(const struct fixture *f)
{
    struct envl_keyring *ring = NULL;
    struct envl_error err;

    if (try_open(f, &ring, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    return ring;
}

/* Disable a key, and destroy it. */
static inline void
destroy_key(struct envl_keyring *ring, const char *kid)
{
    struct envl_error err;

    if (envl_keyring_set_state(ring, kid, ENVL_KEY_DISABLED, &err) !=
            ENVL_OK ||
        envl_keyring_destroy(ring, kid, false, &err) != ENVL_OK)
        fail_msg("%s", err.message);
}

static inline struct envl_secret *
secret_of(const char *text)
{
    struct envl_secret *secret = NULL;

    assert_int_equal(envl_secret_new(strlen(text), &secret, NULL), ENVL_OK);
    memcpy(envl_secret_span(secret).ptr, text, strlen(text));
    return secret;
}

/* A passphrase at the lowest cost that is allowed. */
static inline struct envl_provider *
cheap_passphrase(const char *text)
{
    struct envl_passphrase_cost cost = { 2, 64u << 20 };
    struct envl_secret *secret = secret_of(text);
    struct envl_provider *provider = NULL;

    assert_int_equal(envl_passphrase_provider_new(secret, &cost, &provider,
                                                  NULL), ENVL_OK);
    envl_secret_free(secret);
    return provider;
}

#endif /* UNIT_KEYRING_FIXTURE_H */
