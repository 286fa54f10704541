#include <string.h>

#include "sqlite/scrub.h"

/* The parts of a b-tree page: fileformat2.html, section 1.6. */
struct layout {
    const uint8_t *page;
    size_t size;
    size_t header;  /* 100 on page 1, else 0                     */
    size_t gap;     /* behind the cell pointers                  */
    size_t cells;   /* where the cells begin                     */
    size_t block;   /* the first free block, or 0                */
};

static size_t
get2(const uint8_t *page, size_t at)
{
    return (size_t)page[at] << 8 | page[at + 1];
}

/* Every cell pointer points behind the gap. */
static bool
read_layout(struct layout *out, enum scrub_mode mode)
{
    uint8_t type = out->page[out->header];
    bool inner = type == 2 || type == 5;
    size_t head = out->header + (inner ? 12 : 8);
    size_t count;

    if (mode == SCRUB_OFF || (!inner && type != 10 && type != 13))
        return false;
    count = get2(out->page, out->header + 3);
    if (inner && count < 3 && mode != SCRUB_SURE)
        return false;
    out->block = get2(out->page, out->header + 1);
    out->cells = get2(out->page, out->header + 5);
    if (out->cells == 0)
        out->cells = 65536;
    out->gap = head + 2 * count;
    if (out->gap > out->cells || out->cells > out->size)
        return false;
    for (size_t at = head; at < out->gap; at += 2) {
        if (get2(out->page, at) < out->cells ||
            get2(out->page, at) + 4 > out->size)
            return false;
    }
    return true;
}

/* Free blocks lie among the cells, ascending and apart. */
static bool
check_blocks(const struct layout *layout)
{
    size_t at = layout->block, least = layout->cells;

    while (at != 0) {
        if (at < least || at + 4 > layout->size)
            return false;
        least = at + get2(layout->page, at + 2);
        if (least < at + 4 || least > layout->size)
            return false;
        at = get2(layout->page, at);
    }
    return true;
}

bool
scrub_page(uint8_t *page, size_t size, bool first, enum scrub_mode mode)
{
    struct layout layout = { .page = page, .size = size,
                             .header = first ? 100 : 0 };
    size_t at;

    if (!read_layout(&layout, mode) || !check_blocks(&layout))
        return false;
    memset(page + layout.gap, 0, layout.cells - layout.gap);
    for (at = layout.block; at != 0; at = get2(page, at))
        memset(page + at + 4, 0, get2(page, at + 2) - 4);
    return true;
}
