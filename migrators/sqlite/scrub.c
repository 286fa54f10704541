#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "sqlite/scrub.h"

struct scrub {
    sqlite3_vfs vfs;
    sqlite3_vfs *base;
    char name[48];
    enum scrub_mode mode;
    uint8_t *copy; /* a page as it is written */
    size_t cap;
};

/* The base's file lies behind it. */
struct scrub_file {
    sqlite3_file file;
    struct scrub *scrub;
    sqlite3_file *base;
    sqlite3_io_methods methods; /* of the version that the base has */
};

static sqlite3_file *
base_of(sqlite3_file *file)
{
    return ((struct scrub_file *)file)->base;
}

static sqlite3_vfs *
below(sqlite3_vfs *vfs)
{
    return ((struct scrub *)vfs)->base;
}

/* ---- writing ------------------------------------------------------------ */

static bool
is_page(int len, sqlite3_int64 at)
{
    return len >= 512 && len <= 65536 && (len & (len - 1)) == 0 &&
           at % len == 0;
}

static int
write_file(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    struct scrub *scrub = ((struct scrub_file *)file)->scrub;
    sqlite3_file *base = base_of(file);

    if (scrub->mode == SCRUB_OFF || !is_page(len, at))
        return base->pMethods->xWrite(base, bytes, len, at);
    if (scrub->cap < (size_t)len) {
        uint8_t *copy = realloc(scrub->copy, (size_t)len);

        if (copy == NULL)
            return SQLITE_IOERR_NOMEM;
        scrub->copy = copy;
        scrub->cap = (size_t)len;
    }
    memcpy(scrub->copy, bytes, (size_t)len);
    scrub_page(scrub->copy, (size_t)len, at == 0, scrub->mode);
    return base->pMethods->xWrite(base, scrub->copy, len, at);
}

/* ---- the rest is the base's --------------------------------------------- */

static int
close_file(sqlite3_file *file)
{
    return base_of(file)->pMethods->xClose(base_of(file));
}

static int
read_file(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
    return base_of(file)->pMethods->xRead(base_of(file), bytes, len, at);
}

static int
truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    return base_of(file)->pMethods->xTruncate(base_of(file), size);
}

static int
sync_file(sqlite3_file *file, int flags)
{
    return base_of(file)->pMethods->xSync(base_of(file), flags);
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return base_of(file)->pMethods->xFileSize(base_of(file), size);
}

static int
lock_file(sqlite3_file *file, int level)
{
    return base_of(file)->pMethods->xLock(base_of(file), level);
}

static int
unlock_file(sqlite3_file *file, int level)
{
    return base_of(file)->pMethods->xUnlock(base_of(file), level);
}

static int
check_lock(sqlite3_file *file, int *reserved)
{
    return base_of(file)->pMethods->xCheckReservedLock(base_of(file),
                                                       reserved);
}

static int
control_file(sqlite3_file *file, int what, void *argument)
{
    return base_of(file)->pMethods->xFileControl(base_of(file), what,
                                                 argument);
}

static int
sector_size(sqlite3_file *file)
{
    return base_of(file)->pMethods->xSectorSize(base_of(file));
}

static int
device(sqlite3_file *file)
{
    return base_of(file)->pMethods->xDeviceCharacteristics(base_of(file));
}

static int
shm_map(sqlite3_file *file, int page, int size, int extend,
        void volatile **out)
{
    return base_of(file)->pMethods->xShmMap(base_of(file), page, size, extend,
                                            out);
}

static int
shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return base_of(file)->pMethods->xShmLock(base_of(file), offset, count,
                                             flags);
}

static void
shm_barrier(sqlite3_file *file)
{
    base_of(file)->pMethods->xShmBarrier(base_of(file));
}

static int
shm_unmap(sqlite3_file *file, int remove)
{
    return base_of(file)->pMethods->xShmUnmap(base_of(file), remove);
}

static int
fetch(sqlite3_file *file, sqlite3_int64 at, int len, void **out)
{
    return base_of(file)->pMethods->xFetch(base_of(file), at, len, out);
}

static int
unfetch(sqlite3_file *file, sqlite3_int64 at, void *page)
{
    return base_of(file)->pMethods->xUnfetch(base_of(file), at, page);
}

static const sqlite3_io_methods methods = {
    3, close_file, read_file, write_file, truncate_file, sync_file, file_size,
    lock_file, unlock_file, check_lock, control_file, sector_size, device,
    shm_map, shm_lock, shm_barrier, shm_unmap, fetch, unfetch
};

static int
open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
          int *out_flags)
{
    struct scrub_file *opened = (struct scrub_file *)file;
    sqlite3_vfs *base = below(vfs);
    int code;

    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return base->xOpen(base, name, file, flags, out_flags);
    memset(opened, 0, sizeof(*opened));
    opened->scrub = (struct scrub *)vfs;
    opened->base = (sqlite3_file *)(void *)(opened + 1);
    code = base->xOpen(base, name, opened->base, flags, out_flags);
    /* Close is called if there are methods, whatever the code. */
    if (opened->base->pMethods != NULL) {
        opened->methods = methods;
        if (opened->base->pMethods->iVersion < 3)
            opened->methods.iVersion = opened->base->pMethods->iVersion;
        opened->file.pMethods = &opened->methods;
    }
    return code;
}

static int
delete_file(sqlite3_vfs *vfs, const char *name, int sync)
{
    return below(vfs)->xDelete(below(vfs), name, sync);
}

static int
access_file(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    return below(vfs)->xAccess(below(vfs), name, flags, out);
}

static int
full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    return below(vfs)->xFullPathname(below(vfs), name, size, out);
}

static int
randomness(sqlite3_vfs *vfs, int len, char *out)
{
    return below(vfs)->xRandomness(below(vfs), len, out);
}

static int
nap(sqlite3_vfs *vfs, int us)
{
    return below(vfs)->xSleep(below(vfs), us);
}

static int
current_time(sqlite3_vfs *vfs, double *out)
{
    return below(vfs)->xCurrentTime(below(vfs), out);
}

static int
last_error(sqlite3_vfs *vfs, int len, char *out)
{
    return below(vfs)->xGetLastError(below(vfs), len, out);
}

static int
current_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    return below(vfs)->xCurrentTimeInt64(below(vfs), out);
}

/* ---- life --------------------------------------------------------------- */

int
scrub_new(struct scrub **out)
{
    static atomic_uint number;
    sqlite3_vfs *base = sqlite3_vfs_find(NULL);
    struct scrub *scrub = calloc(1, sizeof(*scrub));
    int code;

    if (base == NULL || scrub == NULL) {
        free(scrub);
        return base == NULL ? SQLITE_ERROR : SQLITE_NOMEM;
    }
    sqlite3_snprintf(sizeof(scrub->name), scrub->name, "envelope-%u",
                     atomic_fetch_add(&number, 1));
    scrub->base = base;
    scrub->vfs = (sqlite3_vfs){
        .iVersion = base->iVersion < 2 ? base->iVersion : 2,
        .szOsFile = (int)sizeof(struct scrub_file) + base->szOsFile,
        .mxPathname = base->mxPathname,
        .zName = scrub->name,
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = full_path,
        .xRandomness = randomness,
        .xSleep = nap,
        .xCurrentTime = current_time,
        .xGetLastError = last_error,
        .xCurrentTimeInt64 = current_ms,
    };
    code = sqlite3_vfs_register(&scrub->vfs, 0);
    if (code == SQLITE_OK)
        *out = scrub;
    else
        free(scrub);
    return code;
}

const char *
scrub_name(const struct scrub *scrub)
{
    return scrub->name;
}

void
scrub_turn(struct scrub *scrub, enum scrub_mode mode)
{
    scrub->mode = mode;
}

void
scrub_free(struct scrub *scrub)
{
    if (scrub == NULL)
        return;
    sqlite3_vfs_unregister(&scrub->vfs);
    if (scrub->copy != NULL)
        sodium_memzero(scrub->copy, scrub->cap);
    free(scrub->copy);
    free(scrub);
}
