#include "keyring/change.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "core/lock.h"
#include "keyring/reload.h"
#include "keyring/ring_text.h"

/* Long enough for another's Argon2 of 2 GiB to end. */
#define WAIT_FOR_LOCK_MS 30000u
#define LAST_GENERATION  9007199254740991u

static const struct file_rules ring_rules = { FILE_TRUSTED, "keyring", NULL,
                                              0 };

/* Read what is there now; it must be what this process has loaded. */
static enum envl_status
read_again(const struct change *change, struct envl_error *err)
{
    const struct envl_ring_mark *mark = &change->view->mark;
    struct load_file file;
    enum envl_status status;

    status = load_read(change->ring->path, &file, err);
    if (status != ENVL_OK)
        return status;
    /* spec: KEY-9 */
    if (strcmp(file.doc.id, mark->id) != 0 ||
        file.doc.generation != mark->generation ||
        sodium_memcmp(file.doc.mac, mark->mac, RING_MAC_LEN) != 0) {
        status = envl_fail(err, ENVL_E_CONFLICT,
                           "keyring '%s' was changed by another process",
                           change->ring->path);
        envl_hint(err, "nothing was written: look at it again, and repeat "
                  "the command if it is still wanted");
    } else if (!load_mac_holds(&change->view->guard->ring, &file)) {
        status = envl_fail(err, ENVL_E_INTEGRITY,
                           "keyring '%s' is not what its writer wrote: "
                           "wrong mac", change->ring->path);
    }
    load_file_free(&file);
    return status;
}

static enum envl_status
begin_locked(struct change *change, struct envl_error *err)
{
    struct envl_keyring *ring = change->ring;
    enum envl_status status;

    if ((status = file_find(ring->path, &ring_rules, &change->place, err)) !=
        ENVL_OK)
        return status;
    if ((status = lock_take(&change->place, ring->path, 0, WAIT_FOR_LOCK_MS,
                            &change->lock, err)) != ENVL_OK ||
        (status = read_again(change, err)) != ENVL_OK)
        return status;
    if (change->view->doc.generation >= LAST_GENERATION)
        return envl_fail(err, ENVL_E_LIMIT,
                         "the keyring has no generation left");
    return ring_doc_copy(&change->view->doc, 1, &change->doc, err);
}

enum envl_status
change_begin(struct envl_keyring *ring, struct change *change,
             struct envl_error *err)
{
    enum envl_status status;

    *change = (struct change){ .ring = ring, .lock = -1,
                               .place = { .dir = -1 } };
    if (ring->path == NULL)
        return envl_fail(err, ENVL_E_USAGE,
                         "a keyring in memory cannot be changed");
    pthread_mutex_lock(&ring->lock);
    change->view = ring_current(ring);
    change->keys = &change->view->guard->ring;
    if ((status = begin_locked(change, err)) != ENVL_OK)
        change_end(change);
    return status;
}

void
change_end(struct change *change)
{
    ring_doc_free(&change->doc);
    sodium_free(change->new_keys);
    change->new_keys = NULL;
    if (change->lock >= 0)
        close(change->lock);
    file_place_close(&change->place);
    pthread_mutex_unlock(&change->ring->lock);
}

enum envl_status
change_write(struct atomic_file *file, struct ring_doc *doc,
             const struct ring_keys *keys, struct envl_error *err)
{
    struct envl_buf text = ENVL_BUF_INIT;
    uint8_t mac[HMAC512_LEN];
    struct envl_bytes line;
    enum envl_status status;

    if ((status = ring_text_print(doc, &text, err)) != ENVL_OK)
        goto out;
    line = envl_buf_view(&text);
    hmac512(&keys->mac, &line, 1, mac);
    if ((status = ring_text_finish(mac, &text, err)) != ENVL_OK)
        goto out;
    if (text.len > RING_FILE_LIMIT) {
        status = envl_fail(err, ENVL_E_LIMIT,
                           "the keyring would be longer than %u bytes",
                           RING_FILE_LIMIT);
        goto out;
    }
    if ((status = atomic_file_write(file, envl_buf_view(&text), err)) ==
        ENVL_OK)
        status = atomic_file_sync(file, err);

out:
    envl_buf_free(&text);
    return status;
}

enum envl_status
change_prove(int fd, const char *path, const struct ring_keys *keys,
             struct ring_view **out, struct envl_error *err)
{
    struct load_request request = { .path = path, .known = keys };
    struct load_file file = { .text = ENVL_BUF_INIT };
    struct envl_error why = { .status = ENVL_OK };
    enum envl_status status = ENVL_E_IO;

    if (lseek(fd, 0, SEEK_SET) == 0)
        status = file_read_fd(fd, RING_FILE_LIMIT, &file.text, &why);
    if (status == ENVL_OK)
        status = load_parse(&file, &why);
    if (status == ENVL_OK && !load_mac_holds(keys, &file))
        status = envl_fail(&why, ENVL_E_INTEGRITY, "wrong mac");
    if (status == ENVL_OK)
        status = load_open(&request, &file, out, &why);
    load_file_free(&file);
    if (status == ENVL_OK)
        return ENVL_OK;
    return envl_fail(err, status == ENVL_E_NOMEM ? status : ENVL_E_IO,
                     "keyring '%s': what was written cannot be read back "
                     "(%.120s)", path, why.message);
}

/* Give the written file its name, and the ring its view. */
static enum envl_status
take_over(struct change *change, struct atomic_file *file,
          struct ring_view *view, struct envl_error *err)
{
    struct envl_keyring *ring = change->ring;
    enum envl_status status;
    struct stat st;

    status = atomic_file_commit(file, ATOMIC_FILE_REPLACE, err);
    if (!file->renamed) {
        view_free(view);
        return status;
    }
    /* Renaming has changed its times: ask by name, we hold the lock. */
    if (fstatat(change->place.dir, change->place.name, &st,
                AT_SYMLINK_NOFOLLOW) == 0)
        view->file = file_id_of(&st);
    for (size_t i = 0; i < view->doc.key_count; i++)
        for (size_t p = 0; p < ring->provider_count; p++)
            load_bind(&view->doc.keys[i].key, view->doc.id,
                      ring->providers[p]);
    /* What was remembered of the ring before this, our own, change. */
    if (ring->has_pin)
        memcpy(ring->pin, view->mark.pin, sizeof(ring->pin));
    change->view = NULL;
    ring_publish(ring, view);
    return status;
}

enum envl_status
change_commit(struct change *change, struct envl_error *err)
{
    const char *path = change->ring->path;
    struct ring_view *view = NULL;
    struct atomic_file file;
    enum envl_status status;

    change->doc.generation++;
    status = atomic_file_begin_locked(&file, &change->place, path, err);
    if (status != ENVL_OK)
        return status;
    if ((status = change_write(&file, &change->doc, change->keys, err)) !=
            ENVL_OK ||
        (status = change_prove(file.fd, path, change->keys, &view, err)) !=
            ENVL_OK) {
        atomic_file_abort(&file);
        return status;
    }
    /* spec: KEY-53 */
    if (change->new_keys != NULL && change->ring->next_fn != NULL)
        change->ring->next_fn(change->ring->next_cookie, &view->mark);
    return take_over(change, &file, view, err);
}
