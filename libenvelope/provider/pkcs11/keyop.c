#include "provider/pkcs11/keyop.h"

#include <string.h>

#include <sodium.h>

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* The token lacks that way of doing it: another may be there. */
static bool
is_missing(CK_RV rv)
{
    return rv == CKR_MECHANISM_INVALID || rv == CKR_FUNCTION_NOT_SUPPORTED ||
           rv == CKR_KEY_FUNCTION_NOT_PERMITTED ||
           rv == CKR_TEMPLATE_INCONSISTENT || rv == CKR_TEMPLATE_INCOMPLETE ||
           rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_SESSION_READ_ONLY ||
           rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_KEY_NOT_WRAPPABLE ||
           rv == CKR_KEY_UNEXTRACTABLE || rv == CKR_ACTION_PROHIBITED;
}

/* ---- wrapping ----------------------------------------------------------- */

static CK_RV
wrap_object(const struct token_session *session, const uint8_t *key,
            uint8_t out[KEYOP_WRAPPED_LEN])
{
    CK_MECHANISM mechanism = { CKM_AES_KEY_WRAP, NULL, 0 };
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ULONG len = KEYOP_WRAPPED_LEN;
    CK_OBJECT_HANDLE object;
    CK_ATTRIBUTE template[] = {
        { CKA_CLASS, &class, sizeof(class) },
        { CKA_KEY_TYPE, &type, sizeof(type) },
        { CKA_TOKEN, &no, sizeof(no) },
        { CKA_PRIVATE, &yes, sizeof(yes) },
        { CKA_EXTRACTABLE, &yes, sizeof(yes) },
        { CKA_VALUE, (void *)(uintptr_t)key, KEYOP_KEY_LEN },
    };
    CK_RV rv = session->calls->C_CreateObject(
        session->handle, template, sizeof(template) / sizeof(*template),
        &object);

    if (rv != CKR_OK)
        return rv;
    rv = session->calls->C_WrapKey(session->handle, &mechanism, session->key,
                                   object, out, &len);
    (void)session->calls->C_DestroyObject(session->handle, object);
    return rv == CKR_OK && len != KEYOP_WRAPPED_LEN ? CKR_GENERAL_ERROR : rv;
}

static CK_RV
encrypt(const struct token_session *session, const uint8_t *key,
        uint8_t out[KEYOP_WRAPPED_LEN])
{
    CK_MECHANISM mechanism = { CKM_AES_KEY_WRAP, NULL, 0 };
    CK_ULONG len = KEYOP_WRAPPED_LEN;
    CK_RV rv = session->calls->C_EncryptInit(session->handle, &mechanism,
                                             session->key);

    if (rv == CKR_OK)
        rv = session->calls->C_Encrypt(session->handle,
                                       (uint8_t *)(uintptr_t)key,
                                       KEYOP_KEY_LEN, out, &len);
    return rv == CKR_OK && len != KEYOP_WRAPPED_LEN ? CKR_GENERAL_ERROR : rv;
}

CK_RV
keyop_wrap(const struct token_session *session, const uint8_t *key,
           uint8_t out[KEYOP_WRAPPED_LEN])
{
    const CK_RV rv = wrap_object(session, key, out);
    CK_RV other;

    if (!is_missing(rv))
        return rv;
    other = encrypt(session, key, out);
    return is_missing(other) ? rv : other;
}

/* ---- unwrapping --------------------------------------------------------- */

static CK_RV
read_value(const struct token_session *session, CK_OBJECT_HANDLE object,
           uint8_t *out)
{
    uint8_t room[KEYOP_KEY_LEN + 1];
    CK_ATTRIBUTE value = { CKA_VALUE, room, sizeof(room) };
    CK_RV rv = session->calls->C_GetAttributeValue(session->handle, object,
                                                   &value, 1);

    if (rv == CKR_OK && value.ulValueLen != KEYOP_KEY_LEN)
        rv = CKR_WRAPPED_KEY_LEN_RANGE;
    if (rv == CKR_OK)
        memcpy(out, room, KEYOP_KEY_LEN);
    sodium_memzero(room, sizeof(room));
    return rv;
}

static CK_RV
unwrap_object(const struct token_session *session, const uint8_t *wrapped,
              uint8_t *out)
{
    CK_MECHANISM mechanism = { CKM_AES_KEY_WRAP, NULL, 0 };
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_OBJECT_HANDLE object;
    CK_ATTRIBUTE template[] = {
        { CKA_CLASS, &class, sizeof(class) },
        { CKA_KEY_TYPE, &type, sizeof(type) },
        { CKA_TOKEN, &no, sizeof(no) },
        { CKA_PRIVATE, &yes, sizeof(yes) },
        { CKA_SENSITIVE, &no, sizeof(no) },
        { CKA_EXTRACTABLE, &yes, sizeof(yes) },
    };
    CK_RV rv = session->calls->C_UnwrapKey(
        session->handle, &mechanism, session->key,
        (uint8_t *)(uintptr_t)wrapped, KEYOP_WRAPPED_LEN, template,
        sizeof(template) / sizeof(*template), &object);

    if (rv != CKR_OK)
        return rv;
    rv = read_value(session, object, out);
    (void)session->calls->C_DestroyObject(session->handle, object);
    return rv;
}

static CK_RV
decrypt(const struct token_session *session, const uint8_t *wrapped,
        uint8_t *out)
{
    CK_MECHANISM mechanism = { CKM_AES_KEY_WRAP, NULL, 0 };
    CK_ULONG len = KEYOP_KEY_LEN;
    CK_RV rv = session->calls->C_DecryptInit(session->handle, &mechanism,
                                             session->key);

    if (rv == CKR_OK)
        rv = session->calls->C_Decrypt(session->handle,
                                       (uint8_t *)(uintptr_t)wrapped,
                                       KEYOP_WRAPPED_LEN, out, &len);
    return rv == CKR_OK && len != KEYOP_KEY_LEN ? CKR_WRAPPED_KEY_LEN_RANGE
                                                : rv;
}

static CK_RV
unwrap_any(const struct token_session *session, const uint8_t *wrapped,
           uint8_t *out)
{
    const CK_RV rv = unwrap_object(session, wrapped, out);
    CK_RV other;

    if (!is_missing(rv))
        return rv;
    other = decrypt(session, wrapped, out);
    return is_missing(other) ? rv : other;
}

/* Does the token do what it is asked, with bytes that are no secret? */
static bool
works(const struct token_session *session)
{
    static const uint8_t known[KEYOP_KEY_LEN] = { 1 };
    uint8_t wrapped[KEYOP_WRAPPED_LEN], back[KEYOP_KEY_LEN];

    return keyop_wrap(session, known, wrapped) == CKR_OK &&
           unwrap_any(session, wrapped, back) == CKR_OK &&
           sodium_memcmp(known, back, sizeof(known)) == 0;
}

CK_RV
keyop_unwrap(const struct token_session *session,
             const uint8_t wrapped[KEYOP_WRAPPED_LEN], uint8_t *out)
{
    CK_RV rv = unwrap_any(session, wrapped, out);

    if (rv == CKR_OK || rv == CKR_WRAPPED_KEY_INVALID || token_is_lost(rv))
        return rv;
    if (rv == CKR_WRAPPED_KEY_LEN_RANGE || rv == CKR_ENCRYPTED_DATA_INVALID ||
        rv == CKR_ENCRYPTED_DATA_LEN_RANGE)
        return CKR_WRAPPED_KEY_INVALID;
    return works(session) ? CKR_WRAPPED_KEY_INVALID : rv;
}
