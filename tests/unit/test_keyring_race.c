/* Two processes that change one ring at once: one wins, the other is told. */
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "core/lock.h"
#include "keyring/ring.h"
#include "keyring_fixture.h"

#define GENERATIONS 200
#define ENOUGH      2000 /* a machine on which they never meet is not ours */

struct tally {
    uint64_t won, told, locked, others;
};

/* What both processes see: have they met yet? */
struct seen {
    atomic_bool won[2], told;
};

static struct seen *seen;

static bool
have_met(void)
{
    return atomic_load(&seen->won[0]) && atomic_load(&seen->won[1]) &&
           atomic_load(&seen->told);
}

/* Add keys until the ring has had its 200 changes, and both a hand in them. */
static struct tally
change_on(const struct fixture *f, char who)
{
    struct envl_keyring *ring = must_open(f);
    struct tally tally = { 0 };
    struct envl_ring_mark mark;

    for (unsigned n = 0;; n++) {
        char kid[16];
        struct envl_key_spec spec = { .kid = kid };
        enum envl_status status;

        envl_keyring_mark(ring, &mark);
        if (mark.generation > (have_met() ? GENERATIONS : ENOUGH))
            break;
        snprintf(kid, sizeof(kid), "%c-%u", who, n);
        status = envl_keyring_add(ring, &spec, NULL);
        if (status == ENVL_OK)
            tally.won++;
        else if (status == ENVL_E_CONFLICT)
            tally.told++;
        else if (status == ENVL_E_LOCKED)
            tally.locked++;
        else
            tally.others++;
        if (tally.won > 0)
            atomic_store(&seen->won[who - 'a'], true);
        if (tally.told > 0)
            atomic_store(&seen->told, true);
        if (status != ENVL_OK &&
            envl_keyring_reload(ring, NULL) != ENVL_OK)
            tally.others++;
    }
    envl_keyring_free(ring);
    return tally;
}

static void
of_two_processes_exactly_one_wins_each_generation(void **state)
{
    struct fixture f = fixture_with_ring();
    struct tally tallies[2], sum = { 0 };
    struct envl_keyring *ring;
    struct envl_key_info *list;
    struct envl_ring_mark mark;
    int pipes[2][2];
    pid_t child[2];
    size_t count;

    (void)state;
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(seen != MAP_FAILED);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] == 0) {
            struct tally tally = change_on(&f, i == 0 ? 'a' : 'b');

            _exit(write(pipes[i][1], &tally, sizeof(tally)) !=
                  sizeof(tally));
        }
    }
    for (int i = 0; i < 2; i++) {
        int status = -1;

        assert_int_equal(read(pipes[i][0], &tallies[i], sizeof(tallies[i])),
                         sizeof(tallies[i]));
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
        sum.won += tallies[i].won;
        sum.told += tallies[i].told;
        sum.locked += tallies[i].locked;
        sum.others += tallies[i].others;
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    print_message("won %llu and %llu, told %llu\n",
                  (unsigned long long)tallies[0].won,
                  (unsigned long long)tallies[1].won,
                  (unsigned long long)sum.told);
    assert_int_equal(sum.others, 0);
    assert_true(tallies[0].won > 0 && tallies[1].won > 0);
    assert_true(sum.told > 0);

    /* No win was lost: each is a generation, and a key. */
    ring = must_open(&f);
    envl_keyring_mark(ring, &mark);
    assert_int_equal(mark.generation, 1 + sum.won);
    assert_int_equal(envl_keyring_list(ring, &list, &count, NULL), ENVL_OK);
    assert_int_equal(count, 1 + sum.won);
    free(list);
    assert_int_equal(count_files(f.dir), 2);
    envl_keyring_free(ring);
    fixture_free(&f);
}

/* ---- the lock ----------------------------------------------------------- */

static const struct file_rules rules = { FILE_TRUSTED, "test file", NULL, 0 };

static void
a_lock_that_is_held_is_refused_with_its_holder(void **state)
{
    struct fixture f = fixture_with_ring();
    struct file_place place;
    struct envl_error err;
    char pid[32];
    int first = -1, second = -1;

    (void)state;
    assert_int_equal(file_find(f.ring, &rules, &place, NULL), ENVL_OK);
    assert_int_equal(lock_take(&place, f.ring, 0, 0, &first, NULL), ENVL_OK);
    assert_int_equal(lock_take(&place, f.ring, 0, 50, &second, &err),
                     ENVL_E_LOCKED);
    snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    assert_non_null(strstr(err.message, pid));
    close(first);
    assert_int_equal(lock_take(&place, f.ring, 0, 0, &second, NULL),
                     ENVL_OK);
    close(second);
    file_place_close(&place);
    fixture_free(&f);
}

static void
a_lock_waits_for_its_holder_and_then_locks_what_the_name_means(void **state)
{
    struct fixture f = fixture_with_ring();
    struct file_place place;
    struct stat locked, named;
    int ready[2], fd = -1, status = -1;
    char byte;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(file_find(f.ring, &rules, &place, NULL), ENVL_OK);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char copy[256];

        if (lock_take(&place, f.ring, 0, 0, &fd, NULL) != ENVL_OK ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        usleep(150000);
        snprintf(copy, sizeof(copy), "%s.new", f.ring);
        write_file(copy, envl_bytes_of("new"), 0600);
        _exit(rename(copy, f.ring) != 0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(lock_take(&place, f.ring, 0, 5000, &fd, NULL), ENVL_OK);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(fstat(fd, &locked), 0);
    assert_int_equal(stat(f.ring, &named), 0);
    assert_int_equal(locked.st_ino, named.st_ino);
    close(fd);
    close(ready[0]);
    close(ready[1]);
    file_place_close(&place);
    fixture_free(&f);
}

static void
what_is_not_there_or_is_a_link_is_not_locked(void **state)
{
    struct fixture f = fixture_with_ring();
    struct file_place place;
    int fd = -1;

    (void)state;
    assert_int_equal(file_find(f.ring, &rules, &place, NULL), ENVL_OK);
    assert_int_equal(unlink(f.ring), 0);
    assert_int_equal(lock_take(&place, f.ring, 0, 0, &fd, NULL),
                     ENVL_E_NOTFOUND);
    assert_int_equal(symlink(f.key, f.ring), 0);
    assert_int_equal(lock_take(&place, f.ring, 0, 0, &fd, NULL), ENVL_E_IO);
    file_place_close(&place);
    fixture_free(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_processes_exactly_one_wins_each_generation),
        cmocka_unit_test(a_lock_that_is_held_is_refused_with_its_holder),
        cmocka_unit_test(
            a_lock_waits_for_its_holder_and_then_locks_what_the_name_means),
        cmocka_unit_test(what_is_not_there_or_is_a_link_is_not_locked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
