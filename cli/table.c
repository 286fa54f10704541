#include <string.h>

#include "report.h"
#include "table.h"

#define COLUMNS_MAX 8u

void
table_row(json_t *table, size_t count, const char *const *cells)
{
    json_t *row = json_array();

    for (size_t i = 0; i < count && i < COLUMNS_MAX; i++)
        json_array_append_new(row, json_string(cells[i]));
    json_array_append_new(table, row);
}

void
table_print(json_t *table)
{
    int width[COLUMNS_MAX] = { 0 };
    const json_t *row, *cell;
    size_t i, j;

    json_array_foreach(table, i, row)
        json_array_foreach(row, j, cell)
            if ((int)json_string_length(cell) > width[j])
                width[j] = (int)json_string_length(cell);
    json_array_foreach(table, i, row) {
        const size_t last = json_array_size(row) - 1;

        json_array_foreach(row, j, cell) {
            const char *text = json_string_value(cell);

            if (j == last)
                report_text("%s\n", text != NULL ? text : "?");
            else
                report_text("%-*s  ", width[j], text != NULL ? text : "?");
        }
    }
    json_decref(table);
}
