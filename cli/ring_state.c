#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "core/clock.h"
#include "core/file.h"
#include "folders.h"
#include "outfile.h"
#include "ring_state.h"

#define STATE_MAX    8192u
#define LOCK_WAIT_MS 5000

/* ---- where things are --------------------------------------------------- */

static char *
mark_path(const char *folder, const char *id)
{
    char *path = NULL;

    return asprintf(&path, "%s/rings/%s.json", folder, id) < 0 ? NULL : path;
}

/* A place is named by a hash of its path, all links resolved. */
static char *
place_path(const char *folder, const char *place)
{
    unsigned char hash[16];
    char hex[2 * sizeof(hash) + 1], *path = NULL;

    crypto_generichash(hash, sizeof(hash), (const unsigned char *)place,
                       strlen(place), NULL, 0);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    return asprintf(&path, "%s/rings/at-%s.json", folder, hex) < 0 ? NULL
                                                                   : path;
}

/* ---- reading ------------------------------------------------------------ */

static bool
from_hex(const char *text, uint8_t *out, size_t len)
{
    size_t got;
    const char *end;

    return text != NULL &&
           sodium_hex2bin(out, len, text, strlen(text), NULL, &got, &end) ==
               0 &&
           got == len && *end == '\0';
}

/* A JSON file of ours; ${out} is NULL if there is none. */
static enum envl_status
read_json(const char *path, json_t **out, struct envl_error *err)
{
    static const struct file_rules rules = { FILE_TRUSTED, "state file",
                                             NULL, 0 };
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status;
    json_error_t where;

    *out = NULL;
    status = file_read(path, &rules, STATE_MAX, &text, NULL, err);
    if (status == ENVL_OK)
        *out = json_loadb((const char *)text.ptr, text.len,
                          JSON_REJECT_DUPLICATES, &where);
    if (status == ENVL_E_NOTFOUND)
        status = ENVL_OK;
    else if (status == ENVL_OK && *out == NULL)
        *out = json_null(); /* not JSON: no parser will take it */
    envl_buf_free(&text);
    return status;
}

static enum envl_status
damaged(const char *path, struct envl_error *err)
{
    enum envl_status status =
        envl_fail(err, ENVL_E_INTEGRITY, "what this machine remembers of the "
                  "keyring is damaged: %s", path);

    envl_hint(err, "if you trust the keyring, remove that file");
    return status;
}

/* Generation, MAC and pin of ${root}, which has nothing else. */
static bool
parse_next(json_t *root, const char *id, struct envl_ring_mark *out)
{
    json_int_t generation = 0;
    const char *mac, *pin;

    if (json_unpack(root, "{s:I, s:s, s:s !}", "generation", &generation,
                    "mac", &mac, "pin", &pin) != 0 || generation <= 0 ||
        !from_hex(mac, out->mac, sizeof(out->mac)) ||
        !from_hex(pin, out->pin, sizeof(out->pin)))
        return false;
    memcpy(out->id, id, strlen(id) + 1);
    out->generation = (uint64_t)generation;
    return true;
}

static bool
parse_mark(json_t *root, const char *id, struct ring_state *out)
{
    json_int_t generation = 0, backup = 0;
    const char *mac, *pin, *name, *date = "";
    json_t *next = NULL;

    if (json_unpack(root, "{s:s, s:I, s:s, s:s, s?o, s?I, s?s !}", "id",
                    &name, "generation", &generation, "mac", &mac, "pin",
                    &pin, "next", &next, "backup_generation", &backup,
                    "backup_date", &date) != 0 ||
        (next != NULL && !parse_next(next, id, &out->next)))
        return false;
    if (strcmp(name, id) != 0 || generation <= 0 || backup < 0 ||
        strlen(date) >= sizeof(out->backup_date) ||
        !from_hex(mac, out->mark.mac, sizeof(out->mark.mac)) ||
        !from_hex(pin, out->mark.pin, sizeof(out->mark.pin)))
        return false;
    memcpy(out->mark.id, id, strlen(id) + 1);
    out->mark.generation = (uint64_t)generation;
    out->backup_generation = (uint64_t)backup;
    memcpy(out->backup_date, date, strlen(date) + 1);
    return true;
}

static enum envl_status
load_mark(const char *folder, const char *id, struct ring_state *out,
          struct envl_error *err)
{
    char *path = mark_path(folder, id);
    enum envl_status status;
    json_t *root;

    if (path == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    status = read_json(path, &root, err);
    if (status == ENVL_OK && root != NULL && !parse_mark(root, id, out))
        status = damaged(path, err);
    json_decref(root);
    free(path);
    return status;
}

static bool
parse_place(json_t *root, const char *place, const char *id,
            struct ring_state *out)
{
    const char *stored, *name;

    if (json_unpack(root, "{s:s, s:s !}", "path", &stored, "id", &name) != 0 ||
        strcmp(stored, place) != 0 || strlen(name) >= sizeof(out->other))
        return false;
    out->placed = strcmp(name, id) == 0;
    if (!out->placed)
        memcpy(out->other, name, strlen(name) + 1);
    return true;
}

static enum envl_status
load_place(const char *folder, const char *ring, const char *id,
           struct ring_state *out, struct envl_error *err)
{
    char *place = realpath(ring, NULL), *path;
    enum envl_status status;
    json_t *root;

    if (place == NULL)
        return ENVL_OK;
    if ((path = place_path(folder, place)) == NULL) {
        free(place);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    }
    status = read_json(path, &root, err);
    if (status == ENVL_OK && root != NULL &&
        !parse_place(root, place, id, out))
        status = damaged(path, err);
    json_decref(root);
    free(path);
    free(place);
    return status;
}

enum envl_status
ring_state_load(const char *folder, const char *ring, const char *id,
                struct ring_state *out, struct envl_error *err)
{
    enum envl_status status;

    *out = (struct ring_state){ 0 };
    if ((status = load_mark(folder, id, out, err)) != ENVL_OK)
        return status;
    return load_place(folder, ring, id, out, err);
}

/* ---- writing ------------------------------------------------------------ */

static json_t *
one_mark_json(const struct envl_ring_mark *mark)
{
    char mac[2 * sizeof(mark->mac) + 1], pin[2 * sizeof(mark->pin) + 1];

    sodium_bin2hex(mac, sizeof(mac), mark->mac, sizeof(mark->mac));
    sodium_bin2hex(pin, sizeof(pin), mark->pin, sizeof(mark->pin));
    return json_pack("{s:I, s:s, s:s}", "generation",
                     (json_int_t)mark->generation, "mac", mac, "pin", pin);
}

static json_t *
mark_json(const struct ring_state *state)
{
    json_t *root = one_mark_json(&state->mark);

    if (root != NULL)
        json_object_set_new(root, "id", json_string(state->mark.id));
    if (root != NULL && state->next.generation > 0)
        json_object_set_new(root, "next", one_mark_json(&state->next));
    if (root != NULL && state->backup_generation > 0) {
        json_object_set_new(root, "backup_generation", json_integer(
                                (json_int_t)state->backup_generation));
        json_object_set_new(root, "backup_date",
                            json_string(state->backup_date));
    }
    return root;
}

/* Write ${root} to ${path}, and free both. */
static enum envl_status
write_json(char *path, json_t *root, struct envl_error *err)
{
    enum envl_status status =
        path != NULL ? outfile_json(path, root, 2, err)
                     : envl_fail(err, ENVL_E_NOMEM, "out of memory");

    json_decref(root);
    free(path);
    return status;
}

/* Whoever holds it has a small file to write: a longer wait is a process that
   was stopped. */
static bool
lock_within(int fd, int64_t wait_ms)
{
    const int64_t deadline = clock_monotonic_ms() + wait_ms;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) ||
            clock_monotonic_ms() >= deadline)
            return false;
        clock_sleep_us(10000);
    }
    return true;
}

/* Hold the lock of all marks, so that two commands cannot swap their order. */
static enum envl_status
lock_marks(const char *folder, int *out, struct envl_error *err)
{
    enum envl_status status;
    char *rings = NULL;

    *out = -1;
    if (asprintf(&rings, "%s/rings", folder) < 0)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    if ((status = folders_make(rings, err)) == ENVL_OK) {
        *out = open(rings, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*out < 0 || !lock_within(*out, LOCK_WAIT_MS))
            status = envl_fail(err, errno == EWOULDBLOCK ? ENVL_E_LOCKED
                                                         : ENVL_E_IO,
                               "cannot lock %s: %s", rings, strerror(errno));
    }
    free(rings);
    return status;
}

static enum envl_status
save_mark(const char *folder, const struct ring_state *state,
          enum ring_state_how how, struct envl_error *err)
{
    struct ring_state stored = { 0 };

    if (how == RING_STATE_LATER &&
        load_mark(folder, state->mark.id, &stored, NULL) == ENVL_OK &&
        stored.mark.generation > state->mark.generation)
        return ENVL_OK;
    return write_json(mark_path(folder, state->mark.id), mark_json(state),
                      err);
}

static enum envl_status
save_place(const char *folder, const char *ring, const char *id,
           struct envl_error *err)
{
    char *place = realpath(ring, NULL);
    enum envl_status status;

    if (place == NULL)
        return ENVL_OK;
    status = write_json(place_path(folder, place),
                        json_pack("{s:s, s:s}", "path", place, "id", id),
                        err);
    free(place);
    return status;
}

enum envl_status
ring_state_save(const char *folder, const char *ring,
                const struct ring_state *state, enum ring_state_how how,
                struct envl_error *err)
{
    enum envl_status status;
    int lock;

    if ((status = lock_marks(folder, &lock, err)) == ENVL_OK) {
        status = save_mark(folder, state, how, err);
        if (status == ENVL_OK && ring != NULL && !state->placed)
            status = save_place(folder, ring, state->mark.id, err);
    }
    if (lock >= 0)
        close(lock);
    return status;
}
