#!/bin/sh
# Every requirement of spec/*.md is cited by number in code or tests; a cited
# number exists.  Vectors count as tests.
status=0
defined=$(mktemp) cited=$(mktemp)
trap 'rm -f "$defined" "$cited"' EXIT
git grep -hoE '^(- )?\*\*[A-Z]{3}-[0-9]+(\.[0-9]+)?\*\*' -- 'spec/*.md' |
    grep -oE '[A-Z]{3}-[0-9]+(\.[0-9]+)?' | sort -u >"$defined"
git grep -hoE '(ENV|CTX|KEY|JOB|MIG|AUD|MAN)-[0-9]+(\.[0-9]+)?' -- \
    'include/' 'libenvelope/' 'cli/' 'migrators/' 'tests/' 'spec/vectors/' \
    ':!tests/lint' | sort -u >"$cited"
if unknown=$(comm -13 "$defined" "$cited" | grep -E '\.[0-9]+$'); then
    echo "cited, but not in spec/:" $unknown
    status=1
fi
uncited=$(comm -23 "$defined" "$cited" | wc -l)
echo "requirements: $(wc -l <"$defined"), not cited: $uncited"
exit $status
