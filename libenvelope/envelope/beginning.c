#include <string.h>

#include "envelope/beginning.h"
#include "envelope/object_version.h"

/* "env", digits, ':'; the digits as a string.  spec: ENV-8.3 */
static enum envl_status
find_text(struct envl_bytes bytes, struct beginning *out)
{
    size_t at = 3;

    if (bytes.len < 5 || memcmp(bytes.ptr, "env", 3) != 0)
        return ENVL_E_NOTENV;
    while (at < bytes.len && bytes.ptr[at] >= '0' && bytes.ptr[at] <= '9')
        at++;
    if (at == 3 || at == bytes.len || bytes.ptr[at] != ':')
        return ENVL_E_NOTENV;
    out->encoding = ENVL_ENCODING_TEXT;
    out->at = at + 1;
    return at == 4 && bytes.ptr[3] == '1' ? ENVL_OK : ENVL_E_VERSION;
}

static enum envl_status
find_binary(struct envl_bytes bytes, struct beginning *out)
{
    if (bytes.len < 3 || memcmp(bytes.ptr, "\x9e\x45\x56", 3) != 0)
        return ENVL_E_NOTENV;
    out->encoding = ENVL_ENCODING_BINARY;
    if (bytes.len == 3)
        return ENVL_E_FORMAT;
    return bytes.ptr[3] == 1 ? ENVL_OK : ENVL_E_VERSION;
}

static enum envl_status
find_object(struct envl_bytes bytes, struct beginning *out)
{
    memset(&out->scan, 0, sizeof(out->scan));
    (void)object_scan_update(&out->scan, bytes);
    if (!object_scan_begins(&out->scan))
        return ENVL_E_NOTENV;
    out->encoding = ENVL_ENCODING_OBJECT;
    return object_version(bytes, &out->scan);
}

/* spec: ENV-1.2, ENV-8.2 */
enum envl_status
beginning_find(struct envl_bytes bytes, struct beginning *out)
{
    if (bytes.len == 0)
        return ENVL_E_NOTENV;
    switch (bytes.ptr[0]) {
    case 'e':
        return find_text(bytes, out);
    case 0x9e:
        return find_binary(bytes, out);
    case '{': case ' ': case '\t': case '\n': case '\r':
        return find_object(bytes, out);
    default:
        return ENVL_E_NOTENV;
    }
}

enum envl_status
beginning_fail(enum envl_status status, struct envl_error *err)
{
    if (status == ENVL_E_NOTENV)
        return envl_fail(err, status, "it is not an envelope");
    if (status == ENVL_E_VERSION) { /* spec: ENV-8.8 */
        (void)envl_fail(err, status, "an envelope of a version that this "
                        "program does not know");
        envl_hint(err, "a newer version of this program may open it");
        return status;
    }
    return envl_fail(err, status, "an envelope that is cut short or damaged");
}

enum envl_status
envl_begins(struct envl_bytes bytes)
{
    struct beginning found;

    return beginning_find(bytes, &found) == ENVL_E_NOTENV ? ENVL_E_NOTENV
                                                          : ENVL_OK;
}
