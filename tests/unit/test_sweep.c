/* The sweep against a store that does what it is told. */
#include "sweep_fixture.h"

static void
seals_every_row_and_counts_them(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(1000);
    fake_put(7, COLUMN_A, NULL);
    fake_put(8, COLUMN_A, "");

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "sealed"), 998);
    assert_int_equal(scene_count(&scene, "skipped"), 2);
    assert_int_equal(scene_count(&scene, "values"), 1000);
    scene_adds_up(&scene);
    assert_null(fake_get(7, COLUMN_A));
    assert_string_equal(fake_get(8, COLUMN_A), "");
    assert_int_equal(fake_db->finishes, 1);
    fake_put(7, COLUMN_A, "secret 7");
    fake_put(8, COLUMN_A, "secret 8");
    scene_must(&scene, ENVL_OK);
    assert_int_equal(scene_count(&scene, "sealed"), 2);
    assert_int_equal(scene_count(&scene, "skipped"), 998);
    assert_int_equal(scene_count(&scene, "pass"), 2);
    scene_all_sealed(&scene, 1000, "k1");
    scene_free(&scene);
}

static void
does_nothing_to_an_empty_table(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "sealed"), 0);
    assert_int_equal(fake_db->writes, 0);
    scene_free(&scene);
}

static void
takes_short_and_empty_pages_for_no_end(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(500);
    fake_db->page_most = 7;
    fake_db->empty_pages = 3;

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "sealed"), 500);
    scene_all_sealed(&scene, 500, "k1");
    scene_free(&scene);
}

static void
gives_up_on_a_store_without_rows_and_without_end(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(5);
    scene.options.patience_ms = 50;
    fake_db->empty_pages = 1;

    scene_must(&scene, ENVL_E_DATABASE);

    assert_int_equal(fake_db->writes, 0);
    scene_free(&scene);
}

static void
fills_a_sibling_and_empties_the_source(void **state)
{
    struct scene scene;
    char got[64];

    (void)state;
    scene_new(&scene, "{\"column\":\"a\",\"into\":\"a_enc\"}", NO_PACE);
    scene_fill(30);

    scene_must(&scene, ENVL_OK);

    for (unsigned id = 1; id <= 30; id++) {
        assert_null(fake_get(id, COLUMN_A));
        assert_true(scene_opens(&scene, id, COLUMN_A_ENC, "t.a_enc", "k1",
                                got, sizeof(got)));
    }
    scene_free(&scene);
}

static void
quarantines_what_is_not_its_own_and_goes_on(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(100);
    scene_must(&scene, ENVL_OK);
    /* Row 2 holds row 1's envelope; row 3 is damaged beyond its beginning. */
    fake_put(2, COLUMN_A, fake_get(1, COLUMN_A));
    fake_put(3, COLUMN_A, "env1:k1:!");
    fake_put(4, COLUMN_A, "secret 4");

    scene_must(&scene, ENVL_E_PARTIAL);

    assert_int_equal(scene_count(&scene, "sealed"), 1);
    assert_int_equal(scene_count(&scene, "quarantined"), 2);
    assert_int_equal(scene_count(&scene, "skipped"), 97);
    scene_adds_up(&scene);
    assert_int_equal(fake_db->quarantine_count, 2);
    assert_string_equal(fake_db->quarantine[0].row, "id=2");
    assert_string_equal(fake_db->quarantine[0].state, "sealed_wrong_context");
    assert_string_equal(fake_db->quarantine[1].state, "prefix_collision");
    assert_string_equal(fake_db->quarantine[1].field, "a");
    scene_free(&scene);
}

static void
lists_rows_that_the_store_refuses(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(50);
    fake_row(13)->refuse = true;

    scene_must(&scene, ENVL_E_PARTIAL);

    assert_int_equal(scene_count(&scene, "sealed"), 49);
    assert_int_equal(scene_count(&scene, "quarantined"), 1);
    scene_adds_up(&scene);
    assert_string_equal(fake_db->quarantine[0].row, "id=13");
    assert_string_equal(fake_db->quarantine[0].state, "too_large");
    assert_string_equal(fake_get(13, COLUMN_A), "secret 13");
    scene_free(&scene);
}

static void
sweeps_with_several_workers(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(20000);
    scene.options.workers = 4;

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "sealed"), 20000);
    scene_adds_up(&scene);
    scene_all_sealed(&scene, 20000, "k1");
    scene_free(&scene);
}

static void
refuses_more_workers_than_the_store_takes(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(10);
    fake_db->max_workers = 1;
    scene.options.workers = 2;

    scene_must(&scene, ENVL_E_USAGE);

    assert_int_equal(fake_db->writes, 0);
    assert_false(fake_db->tables);
    scene_free(&scene);
}

static void
holds_few_rows_whatever_the_table(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, ",\"pace\":{\"rows\":[100,100]}");
    scene_fill(10000);

    scene_must(&scene, ENVL_OK);

    assert_true(fake_db->high_water <= 300); /* three pages */
    scene_free(&scene);
}

static void
rotates_to_a_new_key(void **state)
{
    struct envl_key_spec k2 = { .kid = "k2", .activate = true };
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(100);
    scene_must(&scene, ENVL_OK);
    assert_int_equal(envl_keyring_add(scene.ring, &k2, NULL), ENVL_OK);
    scene.options.kid = "k2";

    assert_int_equal(scene_goal(&scene, ENGINE_ROTATE), ENVL_OK);

    assert_int_equal(scene_count(&scene, "rotated"), 100);
    assert_int_equal(scene_count(&scene, "sealed"), 0);
    scene_adds_up(&scene);
    scene_all_sealed(&scene, 100, "k2");
    scene_free(&scene);
}

/* ---- writers ------------------------------------------------------------- */

struct writer {
    unsigned rows;         /* ids 1.. that it writes to */
    unsigned every;        /* calls between two writes  */
    unsigned seed, left;
    unsigned versions[4096];
    bool inserts;
};

static unsigned
dice(struct writer *writer)
{
    writer->seed = writer->seed * 1103515245u + 12345u;
    return writer->seed >> 8;
}

/* An application that writes plaintext, and would wait for a row's lock. */
static void
write_something(struct fake_db *db, enum fake_call call)
{
    struct writer *writer = db->cookie;
    struct fake_row *row;
    char text[64];
    unsigned id;

    (void)call;
    if (writer->left == 0 || dice(writer) % writer->every != 0)
        return;
    writer->left--;
    id = 1 + dice(writer) % writer->rows;
    row = fake_row(id);
    if (row != NULL && row->holder != 0)
        return;
    snprintf(text, sizeof(text), "secret %u v%u", id, ++writer->versions[id]);
    fake_put(id, COLUMN_A, text);
}

static void
no_write_is_lost(const struct scene *scene, const struct writer *writer)
{
    char got[128], want[64];

    for (unsigned id = 1; id <= writer->rows; id++) {
        if (writer->versions[id] == 0)
            snprintf(want, sizeof(want), "secret %u", id);
        else
            snprintf(want, sizeof(want), "secret %u v%u", id,
                     writer->versions[id]);
        if (!scene_opens(scene, id, COLUMN_A, "t.a", "k1", got, sizeof(got)))
            fail_msg("row %u does not open", id);
        assert_string_equal(got, want);
    }
    assert_int_equal(fake_db->double_seals, 0);
}

static void
loses_no_write_of_an_application(void **state)
{
    struct writer writer = { .rows = 1000, .every = 1, .seed = 1,
                             .left = 300 };
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(1000);
    fake_db->cookie = &writer;
    fake_db->on_call = write_something;
    scene_run(&scene);
    fake_db->on_call = NULL;
    assert_true(scene.status == ENVL_OK || scene.status == ENVL_E_FINDINGS);

    scene_must(&scene, ENVL_OK);

    no_write_is_lost(&scene, &writer);
    scene_free(&scene);
}

static void
says_that_plaintext_still_arrives(void **state)
{
    struct writer writer = { .rows = 200, .every = 2, .seed = 5,
                             .left = UINT32_MAX };
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(200);
    fake_db->cookie = &writer;
    fake_db->on_call = write_something;

    scene_must(&scene, ENVL_E_FINDINGS);

    assert_int_equal(scene_count(&scene, "closing_passes"), 2);
    assert_non_null(strstr(scene.err.message, "plaintext"));
    fake_db->on_call = NULL;
    scene_must(&scene, ENVL_OK);
    no_write_is_lost(&scene, &writer);
    scene_free(&scene);
}

/* Column b of every row changes at every call: versions never stand still. */
static void
heat(struct fake_db *db, enum fake_call call)
{
    unsigned *count = db->cookie;
    char text[32];

    (void)call;
    snprintf(text, sizeof(text), "hot %u", ++*count);
    for (size_t i = 0; i < db->row_count; i++)
        if (db->rows[i].holder == 0)
            fake_put(db->rows[i].id, COLUMN_B, text);
}

static void
seals_rows_whose_other_columns_are_hot(void **state)
{
    unsigned count = 0;
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(25);
    fake_db->cookie = &count;
    fake_db->on_call = heat;

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "sealed"), 25);
    assert_true(scene_count(&scene, "retried") >= 25);
    scene_adds_up(&scene);
    scene_all_sealed(&scene, 25, "k1");
    scene_free(&scene);
}

static void
leaves_a_row_locked_for_long_to_a_closing_pass(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(40);
    fake_row(17)->busy = 7; /* one more than a pass tries */

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "sealed"), 40);
    assert_int_equal(scene_count(&scene, "conflicts"), 0);
    scene_adds_up(&scene);
    scene_all_sealed(&scene, 40, "k1");
    scene_free(&scene);
}

/* A process that sleeps holds its rows until its server gives it up. */
static void
a_closing_pass_waits_for_a_row_that_stays_locked_longer(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene.options.patience_ms = 60000;
    scene_fill(40);
    fake_row(17)->busy = 22; /* more than three passes of six tries */

    scene_must(&scene, ENVL_OK);

    scene_adds_up(&scene);
    scene_all_sealed(&scene, 40, "k1");
    scene_free(&scene);
}

static void
does_not_call_it_done_while_a_row_stays_locked(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(40);
    fake_row(17)->busy = UINT32_MAX;

    scene_must(&scene, ENVL_E_FINDINGS);

    assert_int_equal(scene_count(&scene, "sealed"), 39);
    assert_int_equal(scene_count(&scene, "conflicts"), 1);
    assert_string_equal(fake_get(17, COLUMN_A), "secret 17");
    scene_free(&scene);
}

/* Delete row 33 just before the write of its page. */
static void
delete_33(struct fake_db *db, enum fake_call call)
{
    (void)db;
    if (call == FAKE_WRITE_BEGIN && fake_row(33) != NULL &&
        fake_row(33)->holder == 0)
        fake_delete(33);
}

static void
counts_a_row_that_was_deleted_meanwhile_nowhere(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, ",\"pace\":{\"rows\":[1000,1000]}");
    scene_fill(50);
    fake_db->on_call = delete_33;

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "sealed"), 49);
    scene_adds_up(&scene);
    scene_free(&scene);
}

/* A row appears behind the cursor as soon as a range is under way. */
static void
insert_behind(struct fake_db *db, enum fake_call call)
{
    if (call == FAKE_COMMIT_END && db->commits == 5 && fake_row(0) == NULL)
        fake_put(0, COLUMN_A, "secret 0");
}

static void
finds_a_row_that_was_inserted_behind_it(void **state)
{
    char got[64];
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(200);
    fake_db->on_call = insert_behind;

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "sealed"), 201);
    assert_int_equal(scene_count(&scene, "closing_passes"), 2);
    assert_true(scene_opens(&scene, 0, COLUMN_A, "t.a", "k1", got,
                            sizeof(got)));
    scene_free(&scene);
}

static void
spares_the_closing_pass_where_a_search_finds_nothing(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(200);
    fake_db->finds_unsealed = true;

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "closing_passes"), 0);
    assert_int_equal(fake_db->searches, 1);
    assert_int_equal(fake_db->rows_read, 200);
    scene_adds_up(&scene);
    scene_all_sealed(&scene, 200, "k1");
    scene_free(&scene);
}

static void
makes_a_closing_pass_where_a_search_finds_something(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(200);
    fake_db->finds_unsealed = true;
    fake_db->on_call = insert_behind;

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "closing_passes"), 1);
    assert_int_equal(scene_count(&scene, "sealed"), 201);
    assert_int_equal(fake_db->searches, 2);
    scene_free(&scene);
}

static void
seals_beside_the_writing_where_the_store_leaves_no_time(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(500);
    fake_db->immediate = true;
    fake_db->max_workers = 1;

    scene_must(&scene, ENVL_OK);

    scene_adds_up(&scene);
    scene_all_sealed(&scene, 500, "k1");
    scene_free(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seals_every_row_and_counts_them),
        cmocka_unit_test(does_nothing_to_an_empty_table),
        cmocka_unit_test(takes_short_and_empty_pages_for_no_end),
        cmocka_unit_test(gives_up_on_a_store_without_rows_and_without_end),
        cmocka_unit_test(fills_a_sibling_and_empties_the_source),
        cmocka_unit_test(quarantines_what_is_not_its_own_and_goes_on),
        cmocka_unit_test(lists_rows_that_the_store_refuses),
        cmocka_unit_test(sweeps_with_several_workers),
        cmocka_unit_test(refuses_more_workers_than_the_store_takes),
        cmocka_unit_test(holds_few_rows_whatever_the_table),
        cmocka_unit_test(rotates_to_a_new_key),
        cmocka_unit_test(loses_no_write_of_an_application),
        cmocka_unit_test(says_that_plaintext_still_arrives),
        cmocka_unit_test(seals_rows_whose_other_columns_are_hot),
        cmocka_unit_test(leaves_a_row_locked_for_long_to_a_closing_pass),
        cmocka_unit_test(
            a_closing_pass_waits_for_a_row_that_stays_locked_longer),
        cmocka_unit_test(does_not_call_it_done_while_a_row_stays_locked),
        cmocka_unit_test(counts_a_row_that_was_deleted_meanwhile_nowhere),
        cmocka_unit_test(finds_a_row_that_was_inserted_behind_it),
        cmocka_unit_test(spares_the_closing_pass_where_a_search_finds_nothing),
        cmocka_unit_test(makes_a_closing_pass_where_a_search_finds_something),
        cmocka_unit_test(
            seals_beside_the_writing_where_the_store_leaves_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
