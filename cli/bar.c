#include <stdio.h>
#include <string.h>

#include "bar.h"
#include "human.h"
#include "printable.h"

#define BAR_LEAST 8u
#define BAR_MOST  30u
#define PART_SIZE 96u

enum colour { PLAIN, BOLD, GREEN, YELLOW, RED };

static const char *const codes[] = { "", "\033[1m", "\033[32m", "\033[33m",
                                     "\033[31m" };

/* A line as it grows. */
struct line {
    const struct bar_style *style;
    char *out;
    size_t len;
    unsigned columns;
};

static void
put_bytes(struct line *line, const char *text, size_t len)
{
    if (line->len + len >= BAR_SIZE)
        return;
    memcpy(line->out + line->len, text, len);
    line->len += len;
    line->out[line->len] = '\0';
}

static void
paint(struct line *line, enum colour colour, bool begin)
{
    const char *code = begin ? codes[colour] : "\033[0m";

    if (line->style->colour && colour != PLAIN)
        put_bytes(line, code, strlen(code));
}

/* Text of ASCII letters that is known to fit. */
static void
put(struct line *line, enum colour colour, const char *text)
{
    paint(line, colour, true);
    put_bytes(line, text, strlen(text));
    line->columns += (unsigned)strlen(text);
    paint(line, colour, false);
}

/* The bytes and the columns of the character at ${text}, in UTF-8; what may
   be wide counts as two. */
static size_t
character(const char *text, unsigned *columns)
{
    unsigned char first = (unsigned char)text[0];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) {
            len = i;
            break;
        }
    }
    *columns = len >= 3 ? 2 : 1;
    return len;
}

/* As much of ${text} as there is room for; what would draw becomes '?'. */
static void
put_cut(struct line *line, enum colour colour, const char *text,
        unsigned room)
{
    paint(line, colour, true);
    while (*text != '\0' && room > 0) {
        size_t bad = printable_control(text), len;
        unsigned columns = 1;

        len = bad > 0 ? bad : character(text, &columns);
        if (columns > room || line->len + len + 8 >= BAR_SIZE)
            break;
        if (bad > 0)
            put_bytes(line, "?", 1);
        else
            put_bytes(line, text, len);
        line->columns += columns;
        room -= columns;
        text += len;
    }
    paint(line, colour, false);
}

/* ---- the bar itself ------------------------------------------------------ */

static void
put_bar(struct line *line, double share, unsigned width, bool waiting)
{
    static const char *const eighths[] = { " ", "▏", "▎", "▍",
                                           "▌", "▋", "▊", "▉" };
    double filled = share * width;
    unsigned whole = (unsigned)filled, rest;
    enum colour colour = waiting ? YELLOW : GREEN;

    put(line, PLAIN, "[");
    paint(line, colour, true);
    rest = (unsigned)((filled - whole) * 8);
    for (unsigned i = 0; i < width; i++) {
        if (!line->style->blocks)
            put_bytes(line, i < whole ? "#" : "-", 1);
        else if (i < whole)
            put_bytes(line, "█", strlen("█"));
        else
            put_bytes(line, eighths[i == whole ? rest : 0],
                      strlen(eighths[i == whole ? rest : 0]));
    }
    line->columns += width;
    paint(line, colour, false);
    put(line, PLAIN, "]");
}

/* ---- what stands beside it ----------------------------------------------- */

struct part {
    char text[PART_SIZE];
    enum colour colour;
};

enum { COUNTS, RATE, ETA, BATCH, QUARANTINED, CONFLICTS, PARTS };

static void
fill_parts(const struct engine_event *event, struct part parts[PARTS])
{
    char a[HUMAN_SIZE], b[HUMAN_SIZE];

    memset(parts, 0, PARTS * sizeof(*parts));
    snprintf(parts[COUNTS].text, PART_SIZE, "%s/%s",
             human_count(event->rows, a),
             human_count(event->rows_total > event->rows ? event->rows_total
                                                         : event->rows, b));
    if (event->rows_per_s > 0)
        snprintf(parts[RATE].text, PART_SIZE, "%s/s",
                 human_short(event->rows_per_s, a));
    if (event->eta_s >= 0)
        snprintf(parts[ETA].text, PART_SIZE, "ETA %s",
                 human_time(event->eta_s, a));
    if (event->batch_rows > 0)
        snprintf(parts[BATCH].text, PART_SIZE, "batch %u (%u ms)",
                 event->batch_rows, event->batch_ms);
    if (event->quarantined > 0) {
        snprintf(parts[QUARANTINED].text, PART_SIZE, "quarantined %s",
                 human_count(event->quarantined, a));
        parts[QUARANTINED].colour = RED;
    }
    if (event->conflicts > 0)
        snprintf(parts[CONFLICTS].text, PART_SIZE, "conflicts %s",
                 human_count(event->conflicts, a));
}

static unsigned
room_of(const struct part *part)
{
    return part->text[0] == '\0' ? 0 : (unsigned)strlen(part->text) + 2;
}

/* Drop what matters least until the rest fits beside a small bar. */
static void
choose(struct part parts[PARTS], unsigned room)
{
    static const int order[] = { CONFLICTS, BATCH, COUNTS, RATE, QUARANTINED,
                                 ETA };

    for (size_t i = 0; i < PARTS; i++) {
        unsigned need = 0;

        for (size_t j = 0; j < PARTS; j++)
            need += room_of(&parts[j]);
        if (need <= room)
            return;
        parts[order[i]].text[0] = '\0';
    }
}

static double
share_of(const struct engine_event *event)
{
    if (event->rows_total == 0 || event->rows >= event->rows_total)
        return 1;
    return (double)event->rows / (double)event->rows_total;
}

static unsigned
left(const struct line *line)
{
    return line->style->width > line->columns
               ? line->style->width - line->columns
               : 0;
}

static void
put_wait(struct line *line, const struct bar_state *state)
{
    char text[64], time[HUMAN_SIZE];

    snprintf(text, sizeof(text), "  waits %s: ",
             human_time(state->waited_s, time));
    if (left(line) < strlen(text) + 8)
        snprintf(text, sizeof(text), "  waits: ");
    if (left(line) < strlen(text) + 4)
        return;
    put(line, YELLOW, text);
    put_cut(line, YELLOW, state->waiting, left(line));
}

unsigned
bar_draw(const struct bar_style *style, const struct bar_state *state,
         char out[BAR_SIZE])
{
    struct line line = { .style = style, .out = out };
    const bool waiting = state->waiting[0] != '\0';
    struct part parts[PARTS];
    double share = share_of(state->event);
    unsigned need = 0, bar;
    char text[32];

    out[0] = '\0';
    put_cut(&line, BOLD, state->phase, style->width);
    snprintf(text, sizeof(text), " %.1f %%", share * 100);
    if (left(&line) < strlen(text))
        return line.columns;
    put(&line, BOLD, text);

    fill_parts(state->event, parts);
    if (waiting) { /* why is worth more than how much */
        for (int i = RATE; i < PARTS; i++)
            parts[i].text[0] = '\0';
        choose(parts, left(&line) / 3);
    } else {
        choose(parts, left(&line) > BAR_LEAST + 3
                          ? left(&line) - (BAR_LEAST + 3)
                          : left(&line));
    }
    for (int i = 0; i < PARTS; i++)
        need += room_of(&parts[i]);
    bar = left(&line) > need + 3 ? left(&line) - need - 3 : 0;
    if (waiting)
        bar = bar > 50 ? 16 : bar > 30 ? BAR_LEAST : 0;
    if (bar > BAR_MOST)
        bar = BAR_MOST;
    if (bar >= BAR_LEAST) {
        put(&line, PLAIN, " ");
        put_bar(&line, share, bar, waiting);
    }
    for (int i = 0; i < PARTS; i++) {
        if (parts[i].text[0] == '\0' || room_of(&parts[i]) > left(&line))
            continue;
        put(&line, PLAIN, "  ");
        put(&line, parts[i].colour, parts[i].text);
    }
    if (waiting)
        put_wait(&line, state);
    return line.columns;
}
