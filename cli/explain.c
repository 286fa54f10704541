#include <string.h>

#include "explain.h"

void
explain_name(struct envl_error *err, const char *name)
{
    struct envl_error old;

    if (err == NULL || name == NULL)
        return;
    old = *err;
    (void)envl_fail(err, old.status, "%s: %s", name, old.message);
    envl_hint(err, "%s", old.hint);
}

void
explain_open(struct envl_error *err)
{
    if (err == NULL || err->hint[0] != '\0')
        return;
    switch (err->status) {
    case ENVL_E_AUTH:
        envl_hint(err, "say the same --context as when it was sealed; "
                       "`envelope inspect` shows which key it names");
        break;
    case ENVL_E_NOKEY:
        envl_hint(err, "`envelope key list` shows the keys of this keyring; "
                       "--scope chooses another tenant's");
        break;
    case ENVL_E_NOTENV:
        envl_hint(err, "this is not what `envelope encrypt` makes; is it "
                       "plaintext still?");
        break;
    case ENVL_E_VERSION:
        envl_hint(err, "a newer envelope made it: upgrade this command");
        break;
    case ENVL_E_FORMAT:
        envl_hint(err, "it was cut short or changed on its way: compare its "
                       "length with the original, or restore it");
        break;
    default:
        break;
    }
}
