#!/bin/sh
# Lines of at most 80 columns, files of at most 500 lines (a module's tests,
# which are tables, 600), functions of at most 70, nothing left for later, no
# absolute path of a machine.
status=0
sources=$(git ls-files '*.c' '*.h')
for file in $sources; do
    limit=500
    case "$file" in tests/*) limit=600 ;; esac
    awk -v file="$file" -v limit="$limit" '
        length($0) > 80 { printf "%s:%d: %d columns\n", file, FNR, length($0); bad = 1 }
        /\t/ { printf "%s:%d: a tab\n", file, FNR; bad = 1 }
        /^\{/ { start = FNR }
        /^\}/ { if (start && FNR - start > 71) {
                    printf "%s:%d: a function of %d lines\n", file, start, FNR - start - 1
                    bad = 1 }
                start = 0 }
        END { if (FNR > limit) { printf "%s: %d lines\n", file, FNR; bad = 1 }
              exit bad }' "$file" || status=1
done
if git grep -nIwE 'TODO|FIXME|XXX' -- '*.c' '*.h' '*.sh' '*.py' ':!tests/lint'; then
    status=1
fi
if git grep -nIE '(^|[^A-Za-z0-9_.~$}*])/(work|root|home|farm)/[a-z]' -- . \
    ':!tests/lint' ':!*.json'; then
    status=1
fi
exit $status
