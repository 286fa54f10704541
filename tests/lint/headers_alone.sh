#!/bin/sh
# Every header compiles alone; the public ones also as C++.
status=0
for header in $(git ls-files '*.h'); do
    printf '#include "%s"\n' "$header" | ${CC:-gcc} -std=c17 -Wall -Wextra \
        -Werror -D_GNU_SOURCE -Iinclude -Ilibenvelope -Imigrators -Icli -I. \
        $(pkg-config --cflags libpq sqlite3 p11-kit-1 2>/dev/null) \
        $(pkg-config --cflags libmongoc-1.0 2>/dev/null |
            sed 's/-I/-isystem /g') \
        -fsyntax-only -x c - || { echo "$header"; status=1; }
done
for header in $(git ls-files 'include/*.h'); do
    printf '#include "%s"\n' "$header" | ${CXX:-g++} -Wall -Wextra -Werror \
        -Iinclude -I. -fsyntax-only -x c++ - || { echo "$header"; status=1; }
done
exit $status
