#!/bin/sh
# Layers point one way: cli -> migrators/engine -> libenvelope's audit,
# envelope -> keyring -> provider -> crypto -> core.  An include that points
# up is refused.
status=0
rank() {
    case "$1" in
    core) echo 0 ;; detect) echo 1 ;; crypto) echo 1 ;; provider) echo 2 ;; keyring) echo 3 ;;
    http) echo 3 ;; vault|aws|pkcs11) echo 3 ;;
    envelope|audit) echo 4 ;; common) echo 5 ;; sqlite|postgres|mongo) echo 6 ;;
    engine) echo 6 ;; cli) echo 7 ;; *) echo 9 ;;
    esac
}
for file in $(git ls-files 'libenvelope/*.[ch]' 'migrators/*.[ch]' 'cli/*.[ch]'); do
    case "$file" in
    cli/*) here=cli ;;
    *) here=$(basename "$(dirname "$file")") ;;
    esac
    for there in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file"); do
        case "$there" in envelope) [ "$here" = envelope ] && continue ;; esac
        if [ "$(rank "$there")" -gt "$(rank "$here")" ]; then
            echo "$file includes $there/"
            status=1
        fi
    done
    # A plugin never sees the engine, a key or another plugin.
    case "$here" in
    sqlite|postgres|mongo|common)
        if grep -nE '^#include "(engine|keyring|provider|envelope|audit)/' "$file" ||
           grep -nE '^#include <envelope/(keyring|provider|secret|envelope)\.h>' "$file"; then
            echo "$file: a plugin sees keys or the engine"
            status=1
        fi ;;
    esac
    # A provider's module knows neither keyring nor envelope, nor another one.
    case "$here" in
    http|vault|aws|pkcs11)
        if grep -nE '^#include "(keyring|envelope|audit)/' "$file" ||
           grep -nE '^#include <envelope/(keyring|envelope)\.h>' "$file"; then
            echo "$file: a provider's module sees more than it needs"
            status=1
        fi ;;
    esac
    # Libraries of the modules only in them: the library stays light.
    case "$file" in
    libenvelope/provider/http/*) ;;
    *) grep -nE '^#include <curl/' "$file" && status=1 ;;
    esac
    case "$file" in
    libenvelope/provider/pkcs11/*) ;;
    *) grep -nE '^#include <p11-kit/' "$file" && status=1 ;;
    esac
    # Databases only in their plugin, crypto libraries only where they belong.
    case "$file" in
    migrators/postgres/*|cli/*doctor*|cli/*version*) ;;
    *) grep -nE '^#include <libpq' "$file" && status=1 ;;
    esac
    case "$file" in
    libenvelope/crypto/*|libenvelope/provider/http/wire.c|cli/*) ;;
    *) grep -nE '^#include <openssl/' "$file" && status=1 ;;
    esac
done
exit $status
