#!/bin/sh
# Calls that have no place in this code, and why:
#   strcpy strcat sprintf gets strtok atoi  unbounded or without errors
#   system popen                            a shell
#   rand random                             not random
#   EVP_Cipher                              forgeable and IV-ignoring in 3.0
#   memcmp                                  not constant-time; listed users
#                                           compare public bytes only
#   json_error_t.text                       holds the input
status=0
calls='strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|system|popen|rand|random|EVP_Cipher|alloca|tmpnam|mktemp'
if git grep -nE "(^|[^A-Za-z0-9_>.])($calls)\(" -- \
    'libenvelope/*.[ch]' 'cli/*.[ch]' 'migrators/*.[ch]'; then
    status=1
fi
if git grep -nE '(jerr|json_err|parse_error|jansson)[a-z_]*(\.|->)text' -- \
    'libenvelope/*.[ch]' 'cli/*.[ch]' 'migrators/*.[ch]'; then
    status=1
fi
# Secrets are compared with sodium_memcmp or envl_secret_equal.
if git grep -nE 'memcmp\([^)]*(key|secret|mac|tag|commit)' -- \
    'libenvelope/*.[ch]' 'cli/*.[ch]' 'migrators/*.[ch]' |
    grep -v sodium_memcmp | grep -v 'public:'; then
    status=1
fi
exit $status
