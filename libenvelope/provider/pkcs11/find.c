#include "provider/pkcs11/find.h"

#include <stdlib.h>
#include <string.h>

#define SLOT_LIMIT      256u
#define ATTRIBUTE_LIMIT 16u
#define AES_256_LEN     32u

/* ---- the token ---------------------------------------------------------- */

static bool
slot_fits(CK_FUNCTION_LIST *calls, CK_SLOT_ID slot, P11KitUri *uri)
{
    CK_TOKEN_INFO token;
    CK_SLOT_INFO info;

    return calls->C_GetSlotInfo(slot, &info) == CKR_OK &&
           p11_kit_uri_match_slot_info(uri, &info) &&
           calls->C_GetTokenInfo(slot, &token) == CKR_OK &&
           (token.flags & CKF_TOKEN_INITIALIZED) != 0 &&
           p11_kit_uri_match_token_info(uri, &token);
}

static size_t
find_in_module(CK_FUNCTION_LIST *calls, P11KitUri *uri, CK_SLOT_ID *slot)
{
    const CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(uri);
    CK_SLOT_ID slots[SLOT_LIMIT];
    CK_ULONG count = SLOT_LIMIT;
    size_t found = 0;
    CK_INFO info;

    if (calls->C_GetInfo(&info) != CKR_OK ||
        !p11_kit_uri_match_module_info(uri, &info) ||
        calls->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        return 0;
    for (CK_ULONG i = 0; i < count; i++)
        if ((wanted == (CK_SLOT_ID)-1 || wanted == slots[i]) &&
            slot_fits(calls, slots[i], uri)) {
            *slot = slots[i];
            found++;
        }
    return found;
}

enum envl_status
find_token(CK_FUNCTION_LIST **modules, P11KitUri *uri, const char *name,
           CK_FUNCTION_LIST **calls, CK_SLOT_ID *slot, struct envl_error *err)
{
    CK_FUNCTION_LIST *holder = NULL;
    size_t found = 0;

    for (; *modules != NULL; modules++) {
        const size_t here = find_in_module(*modules, uri, slot);

        if (here > 0)
            holder = *modules;
        found += here;
    }
    if (found == 1) {
        *calls = holder;
        return ENVL_OK;
    }
    envl_fail(err, ENVL_E_PROVIDER, "provider '%s': %s token fits its uri",
              name, found == 0 ? "no" : "more than one");
    envl_hint(err, found == 0
                  ? "is it connected, and may this user reach it? `p11tool "
                    "--list-tokens` or `pkcs11-tool -L` shows what is there"
                  : "add serial= or slot-id= to the uri");
    return ENVL_E_PROVIDER;
}

/* ---- the key ------------------------------------------------------------ */

static enum envl_status
refuse(const char *name, const char *what, struct envl_error *err)
{
    envl_fail(err, ENVL_E_POLICY, "provider '%s': the key on the token %s",
              name, what);
    envl_hint(err, "make it on the token: AES-256, sensitive, not "
              "extractable, for wrap and unwrap; docs/providers.md shows the "
              "command");
    return ENVL_E_POLICY;
}

static bool
is_true(const struct token_session *session, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attribute = { type, &value, sizeof(value) };

    return session->calls->C_GetAttributeValue(session->handle, session->key,
                                               &attribute, 1) == CKR_OK &&
           value == CK_TRUE;
}

/* spec: KEY-121 */
static enum envl_status
check_key(const struct token_session *session, const char *name,
          struct envl_error *err)
{
    CK_ULONG type = 0, len = 0;
    CK_ATTRIBUTE attributes[] = { { CKA_KEY_TYPE, &type, sizeof(type) },
                                  { CKA_VALUE_LEN, &len, sizeof(len) } };

    if (session->calls->C_GetAttributeValue(session->handle, session->key,
                                            attributes, 2) != CKR_OK ||
        type != CKK_AES || len != AES_256_LEN)
        return refuse(name, "is not an AES key of 256 bits", err);
    if (!is_true(session, CKA_SENSITIVE) ||
        is_true(session, CKA_EXTRACTABLE))
        return refuse(name, "could leave it", err);
    if (!is_true(session, CKA_WRAP) || !is_true(session, CKA_UNWRAP))
        return refuse(name, "may not wrap and unwrap", err);
    return ENVL_OK;
}

/* What the URI says of the object, and that it is a secret key. */
static bool
make_template(P11KitUri *uri, CK_ATTRIBUTE *out, CK_ULONG *count,
              CK_OBJECT_CLASS *class)
{
    CK_ULONG given = 0, used = 0;
    const CK_ATTRIBUTE *attributes = p11_kit_uri_get_attributes(uri, &given);

    if (given + 1 > ATTRIBUTE_LIMIT)
        return false;
    for (CK_ULONG i = 0; i < given; i++)
        if (attributes[i].type != CKA_CLASS)
            out[used++] = attributes[i];
    out[used++] = (CK_ATTRIBUTE){ CKA_CLASS, class, sizeof(*class) };
    *count = used;
    return true;
}

enum envl_status
find_key(struct token_session *session, P11KitUri *uri, const char *name,
         struct envl_error *err)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_ATTRIBUTE template[ATTRIBUTE_LIMIT];
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0, hits = 0;
    CK_RV rv = CKR_GENERAL_ERROR;

    if (make_template(uri, template, &count, &class))
        rv = session->calls->C_FindObjectsInit(session->handle, template,
                                               count);
    if (rv == CKR_OK) {
        rv = session->calls->C_FindObjects(session->handle, found, 2, &hits);
        (void)session->calls->C_FindObjectsFinal(session->handle);
    }
    if (rv != CKR_OK)
        return envl_fail(err, ENVL_E_PROVIDER, "provider '%s': the token "
                         "cannot be searched (PKCS#11 %#lx)", name, rv);
    if (hits != 1) {
        envl_fail(err, ENVL_E_PROVIDER, "provider '%s': %s key on the token "
                  "fits its uri", name, hits == 0 ? "no" : "more than one");
        envl_hint(err, "object= names a key by its label, id= by its id: "
                  "`pkcs11-tool --login -O` lists them");
        return ENVL_E_PROVIDER;
    }
    session->key = found[0];
    return check_key(session, name, err);
}
