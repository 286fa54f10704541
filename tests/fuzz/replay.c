/*
 * replay.c - run a fuzz target without a fuzzer, the same way every time.
 *
 *   fuzz_X SEED...   each seed file, each of its beginnings, and so many
 *                    (REPLAY_ROUNDS) changed copies of seeds and of noise
 *
 * With clang, `make BUILD=fuzz CC=clang fuzz-build` links libFuzzer in place
 * of this file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX   65536u
#define SEEDS_MAX  256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seed {
    uint8_t *bytes;
    size_t len;
};

static struct seed seeds[SEEDS_MAX];
static size_t seed_count;
static uint64_t ran;

/* From memory of exactly that size, so that a sanitizer sees one byte more. */
static void
run(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    if (copy == NULL)
        abort();
    if (len > 0)
        memcpy(copy, bytes, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    ran++;
}

static void
load(const char *path)
{
    struct seed *seed = &seeds[seed_count];
    FILE *file = fopen(path, "rb");

    if (file == NULL || seed_count == SEEDS_MAX) {
        fprintf(stderr, "replay: cannot take %s\n", path);
        exit(1);
    }
    seed->bytes = malloc(SEED_MAX);
    if (seed->bytes == NULL)
        abort();
    seed->len = fread(seed->bytes, 1, SEED_MAX, file);
    (void)fclose(file);
    seed_count++;
}

static uint32_t
next(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return below == 0 ? 0 : (*state >> 8) % below;
}

/* Up to four changes: a byte set, a piece dropped, doubled, or from another. */
static size_t
change(uint8_t *out, uint32_t *state)
{
    const struct seed *from = &seeds[next(state, (uint32_t)seed_count)];
    size_t len = from->len;

    memcpy(out, from->bytes, len);
    for (uint32_t n = 1 + next(state, 4); n > 0 && len > 0; n--) {
        const struct seed *other = &seeds[next(state, (uint32_t)seed_count)];
        size_t at = next(state, (uint32_t)len);
        size_t piece = 1 + next(state, 16);

        if (piece > len - at)
            piece = len - at;
        switch (next(state, 4)) {
        case 0:
            out[at] = (uint8_t)next(state, 256);
            break;
        case 1:
            memmove(out + at, out + at + piece, len - at - piece);
            len -= piece;
            break;
        case 2:
            if (len + piece <= SEED_MAX) {
                memmove(out + at + piece, out + at, len - at);
                len += piece;
            }
            break;
        default:
            for (size_t i = 0; i < piece && at + i < other->len; i++)
                out[at + i] = other->bytes[at + i];
        }
    }
    return len;
}

int
main(int argc, char **argv)
{
    static uint8_t room[SEED_MAX];
    const char *given = getenv("REPLAY_ROUNDS");
    unsigned long rounds = given == NULL ? 20000 : strtoul(given, NULL, 10);
    uint32_t state = 1;

    for (int i = 1; i < argc; i++)
        load(argv[i]);
    for (size_t i = 0; i < seed_count; i++) {
        size_t step = 1 + seeds[i].len / 512;

        for (size_t len = 0; len <= seeds[i].len; len += step)
            run(seeds[i].bytes, len);
    }
    for (unsigned long i = 0; i < rounds; i++) {
        size_t len;

        if (seed_count > 0 && i % 4 != 0) {
            len = change(room, &state);
        } else {
            len = next(&state, 64);
            for (size_t b = 0; b < len; b++)
                room[b] = (uint8_t)next(&state, 256);
        }
        run(room, len);
    }
    printf("%s: %llu inputs\n", argv[0], (unsigned long long)ran);
    for (size_t i = 0; i < seed_count; i++)
        free(seeds[i].bytes);
    return 0;
}
