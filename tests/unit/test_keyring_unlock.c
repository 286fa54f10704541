/* Who can open a ring: added, changed, removed; and a new ring key. */
#include <sodium.h>

#include "keyring/ring.h"
#include "keyring/ring_text.h"
#include "keyring_fixture.h"

static enum envl_status
open_by(const struct fixture *f, struct envl_provider *const *providers,
        size_t count, struct envl_keyring **out)
{
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f->ring, .providers = providers,
        .provider_count = count, .fixed = true,
    };

    return envl_keyring_open(&options, out, NULL);
}

static enum envl_status
opens(const struct fixture *f, struct envl_provider *provider)
{
    struct envl_keyring *ring = NULL;
    enum envl_status status = open_by(f, &provider, 1, &ring);

    envl_keyring_free(ring);
    return status;
}

static struct envl_provider *
another_keyfile(const struct fixture *f, const char *name)
{
    struct envl_provider *provider = NULL;
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    assert_int_equal(envl_keyfile_create(path, NULL), ENVL_OK);
    assert_int_equal(envl_keyfile_provider_new(path, &provider, NULL),
                     ENVL_OK);
    return provider;
}

static struct envl_ring_mark
mark_of(struct envl_keyring *ring)
{
    struct envl_ring_mark mark;

    envl_keyring_mark(ring, &mark);
    return mark;
}

static void
either_secret_opens_and_a_wrong_one_does_not(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_provider *people = cheap_passphrase("correct horse\n");
    struct envl_provider *same = cheap_passphrase("correct horse");
    struct envl_provider *wrong = cheap_passphrase("correct horse\n\n");
    struct envl_provider *other = another_keyfile(&f, "other.key");
    struct envl_ring_mark before = mark_of(ring);

    (void)state;
    assert_int_equal(envl_keyring_unlock_add(ring, "people", people, NULL),
                     ENVL_OK);
    assert_int_equal(opens(&f, f.provider), ENVL_OK);
    assert_int_equal(opens(&f, same), ENVL_OK);     /* spec: KEY-21 */
    assert_int_equal(opens(&f, wrong), ENVL_E_AUTH); /* spec: KEY-25 */
    assert_int_equal(opens(&f, other), ENVL_E_AUTH);
    assert_memory_equal(mark_of(ring).pin, before.pin, 16);
    envl_provider_free(people);
    envl_provider_free(same);
    envl_provider_free(wrong);
    envl_provider_free(other);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
names_of_entries_are_unique(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);

    (void)state;
    /* spec: KEY-18 */
    assert_int_equal(envl_keyring_unlock_add(ring, "main", f.provider, NULL),
                     ENVL_E_POLICY);
    assert_int_equal(envl_keyring_unlock_add(ring, "Main", f.provider, NULL),
                     ENVL_E_USAGE);
    assert_int_equal(envl_keyring_unlock_change(ring, "none", f.provider,
                                                NULL), ENVL_E_NOTFOUND);
    assert_int_equal(mark_of(ring).generation, 1);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
a_changed_entry_opens_by_the_new_secret_only(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_provider *next = another_keyfile(&f, "next.key");
    struct envl_ring_mark before = mark_of(ring), after;

    (void)state;
    assert_int_equal(envl_keyring_unlock_change(ring, "main", next, NULL),
                     ENVL_OK);
    assert_int_equal(opens(&f, f.provider), ENVL_E_AUTH);
    assert_int_equal(opens(&f, next), ENVL_OK);
    after = mark_of(ring);
    assert_int_equal(after.generation, before.generation + 1);
    assert_memory_equal(after.pin, before.pin, 16); /* the same ring key */
    envl_provider_free(next);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
an_entry_can_be_asked_for_by_name(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f), *by_name = NULL;
    struct envl_provider *next = another_keyfile(&f, "next.key");
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f.ring, .providers = &next,
        .provider_count = 1, .fixed = true, .entry = "main",
    };

    (void)state;
    assert_int_equal(envl_keyring_unlock_add(ring, "next", next, NULL),
                     ENVL_OK);
    assert_int_equal(envl_keyring_open(&options, &by_name, NULL),
                     ENVL_E_AUTH);
    options.entry = "next";
    assert_int_equal(envl_keyring_open(&options, &by_name, NULL), ENVL_OK);
    envl_keyring_free(by_name);
    options.entry = "none";
    assert_int_equal(envl_keyring_open(&options, &by_name, NULL),
                     ENVL_E_NOTFOUND);
    envl_provider_free(next);
    envl_keyring_free(ring);
    fixture_free(&f);
}

/* ---- a new ring key ----------------------------------------------------- */

static void
destroying_a_key_leaves_nothing_of_it(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f), *again;
    struct envl_key_spec spec = { .kid = "k2" };
    struct envl_ring_mark before = mark_of(ring), after;
    struct keyring_hold hold;
    struct ring_doc doc;
    struct envl_bytes line;
    char old[16384], new[16384];
    uint8_t k1[32];

    (void)state;
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_set_state(ring, "k2", ENVL_KEY_DISABLED,
                                            NULL), ENVL_OK);
    hold = keyring_enter(ring);
    memcpy(k1, keyring_key(hold.view, envl_bytes_of("k1"))->secret->bytes,
           32);
    keyring_leave(ring, hold);
    read_whole(f.ring, old, sizeof(old));
    assert_int_equal(envl_keyring_destroy(ring, "k2", false, NULL), ENVL_OK);

    /* spec: KEY-31, KEY-45: no material, and everything wrapped anew */
    read_whole(f.ring, new, sizeof(new));
    assert_int_equal(ring_text_parse(envl_bytes_of(new), &doc, &line, NULL),
                     ENVL_OK);
    assert_false(ring_doc_find(&doc, envl_bytes_of("k2"))->has_material);
    assert_null(strstr(strstr(new, "\"kid\":\"k2\""), "wrapped"));
    ring_doc_free(&doc);
    after = mark_of(ring);
    assert_string_equal(after.id, before.id);
    assert_int_equal(after.generation, 4);
    assert_memory_not_equal(after.pin, before.pin, 16);
    for (const char *at = old; (at = strstr(at, "\"wrapped\":\"")) != NULL;
         at++) {
        char wrapped[80];

        snprintf(wrapped, sizeof(wrapped), "%.64s", at);
        assert_null(strstr(new, wrapped));
    }

    /* What is left opens, and is what it was. */
    again = must_open(&f);
    hold = keyring_enter(again);
    assert_memory_equal(
        keyring_key(hold.view, envl_bytes_of("k1"))->secret->bytes, k1, 32);
    assert_null(keyring_key(hold.view, envl_bytes_of("k2"))->secret);
    keyring_leave(again, hold);
    envl_keyring_free(again);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
entries_without_their_secret_are_dropped_only_with_consent(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_provider *away = another_keyfile(&f, "away.key");
    struct envl_key_spec spec = { .kid = "k2" };
    struct envl_rekey_plan would;
    struct envl_error err;

    (void)state;
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_set_state(ring, "k2", ENVL_KEY_DISABLED,
                                            NULL), ENVL_OK);
    assert_int_equal(envl_keyring_unlock_add(ring, "away", away, NULL),
                     ENVL_OK);
    assert_int_equal(envl_keyring_rekey_plan(ring, NULL, &would, NULL),
                     ENVL_OK);
    assert_int_equal(would.kept, 1);
    assert_int_equal(would.dropped, 1);
    assert_string_equal(would.names, "away");
    assert_int_equal(envl_keyring_destroy(ring, "k2", false, &err),
                     ENVL_E_POLICY);
    assert_non_null(strstr(err.message, "away"));
    assert_int_equal(opens(&f, away), ENVL_OK);
    assert_int_equal(envl_keyring_destroy(ring, "k2", true, NULL), ENVL_OK);
    assert_int_equal(opens(&f, away), ENVL_E_AUTH);
    assert_int_equal(opens(&f, f.provider), ENVL_OK);
    envl_provider_free(away);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
entries_whose_secret_is_at_hand_are_all_kept(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f), *both = NULL;
    struct envl_provider *people = cheap_passphrase("correct horse");
    struct envl_provider *given[2] = { f.provider, people };
    struct envl_key_spec spec = { .kid = "k2" };
    char text[16384];

    (void)state;
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_set_state(ring, "k2", ENVL_KEY_DISABLED,
                                            NULL), ENVL_OK);
    assert_int_equal(envl_keyring_unlock_add(ring, "people", people, NULL),
                     ENVL_OK);
    assert_int_equal(open_by(&f, given, 2, &both), ENVL_OK);
    assert_int_equal(envl_keyring_destroy(both, "k2", false, NULL), ENVL_OK);
    assert_int_equal(opens(&f, f.provider), ENVL_OK);
    assert_int_equal(opens(&f, people), ENVL_OK);
    read_whole(f.ring, text, sizeof(text)); /* its cost is kept */
    assert_non_null(strstr(text, "\"opslimit\":2,\"memlimit\":67108864,"));
    envl_provider_free(people);
    envl_keyring_free(both);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
a_removed_entry_opens_no_more(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_provider *leaver = another_keyfile(&f, "leaver.key");
    struct envl_ring_mark before = mark_of(ring);
    char backup[16384];

    (void)state;
    assert_int_equal(envl_keyring_unlock_add(ring, "leaver", leaver, NULL),
                     ENVL_OK);
    read_whole(f.ring, backup, sizeof(backup));
    assert_int_equal(envl_keyring_unlock_remove(ring, "leaver", false, NULL),
                     ENVL_OK);
    assert_int_equal(opens(&f, leaver), ENVL_E_AUTH);
    assert_int_equal(opens(&f, f.provider), ENVL_OK);
    assert_memory_not_equal(mark_of(ring).pin, before.pin, 16);

    /* Said in the spec, and true: a backup still opens with what it had. */
    write_file(f.ring, envl_bytes_of(backup), 0600);
    assert_int_equal(opens(&f, leaver), ENVL_OK);
    envl_provider_free(leaver);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
the_last_entry_cannot_be_removed(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_provider *away = another_keyfile(&f, "away.key");

    (void)state;
    assert_int_equal(envl_keyring_unlock_remove(ring, "main", true, NULL),
                     ENVL_E_POLICY);
    assert_int_equal(envl_keyring_unlock_remove(ring, "none", true, NULL),
                     ENVL_E_NOTFOUND);
    /* Nor the last one that is proven to open. */
    assert_int_equal(envl_keyring_unlock_add(ring, "away", away, NULL),
                     ENVL_OK);
    assert_int_equal(envl_keyring_unlock_remove(ring, "main", true, NULL),
                     ENVL_E_POLICY);
    assert_int_equal(opens(&f, f.provider), ENVL_OK);
    envl_provider_free(away);
    envl_keyring_free(ring);
    fixture_free(&f);
}

/* A recovery entry, made as one with the public key alone would. */
static void
add_recovery(struct fixture *f, struct envl_keyring *ring,
             const uint8_t public_key[32])
{
    struct ring_view *view = ring_current(ring);
    struct envl_unlock_entry *entry;
    struct ring_doc doc;
    struct envl_buf text = ENVL_BUF_INIT;
    struct envl_bytes line;
    uint8_t box[80], mac[64];

    assert_int_equal(ring_doc_copy(&view->doc, 1, &doc, NULL), ENVL_OK);
    entry = &doc.unlocks[doc.unlock_count++];
    snprintf(entry->name, sizeof(entry->name), "safe");
    snprintf(entry->type, sizeof(entry->type), "recovery");
    memcpy(entry->public_key, public_key, 32);
    crypto_box_seal(box, view->guard->ring.ring, 32, public_key);
    assert_int_equal(envl_buf_append(&entry->wrapped,
                                     (struct envl_bytes){ box, 80 }, NULL),
                     ENVL_OK);
    doc.generation++;
    assert_int_equal(ring_text_print(&doc, &text, NULL), ENVL_OK);
    line = envl_buf_view(&text);
    hmac512(&view->guard->ring.mac, &line, 1, mac);
    assert_int_equal(ring_text_finish(mac, &text, NULL), ENVL_OK);
    write_file(f->ring, envl_buf_view(&text), 0600);
    envl_buf_free(&text);
    ring_doc_free(&doc);
}

static void
a_recovery_entry_is_made_again_from_its_public_key(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    uint8_t public_key[32], private_key[32], ring_key[32];
    struct envl_key_spec spec = { .kid = "k2" };
    const struct envl_unlock_entry *entry;
    struct keyring_hold hold;

    (void)state;
    crypto_box_keypair(public_key, private_key);
    add_recovery(&f, ring, public_key);
    assert_int_equal(envl_keyring_reload(ring, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_set_state(ring, "k2", ENVL_KEY_DISABLED,
                                            NULL), ENVL_OK);
    assert_int_equal(envl_keyring_destroy(ring, "k2", false, NULL), ENVL_OK);

    hold = keyring_enter(ring);
    assert_int_equal(hold.view->doc.unlock_count, 2);
    entry = &hold.view->doc.unlocks[1];
    assert_string_equal(entry->name, "safe");
    assert_int_equal(crypto_box_seal_open(ring_key, entry->wrapped.ptr,
                                          entry->wrapped.len, public_key,
                                          private_key), 0);
    assert_memory_equal(ring_key, hold.view->guard->ring.ring, 32);
    keyring_leave(ring, hold);
    envl_keyring_free(ring);
    fixture_free(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_secret_opens_and_a_wrong_one_does_not),
        cmocka_unit_test(names_of_entries_are_unique),
        cmocka_unit_test(a_changed_entry_opens_by_the_new_secret_only),
        cmocka_unit_test(an_entry_can_be_asked_for_by_name),
        cmocka_unit_test(destroying_a_key_leaves_nothing_of_it),
        cmocka_unit_test(
            entries_without_their_secret_are_dropped_only_with_consent),
        cmocka_unit_test(entries_whose_secret_is_at_hand_are_all_kept),
        cmocka_unit_test(a_removed_entry_opens_no_more),
        cmocka_unit_test(the_last_entry_cannot_be_removed),
        cmocka_unit_test(a_recovery_entry_is_made_again_from_its_public_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
