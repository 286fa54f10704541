/*
 * A PKCS#11 module for tests: all is done by the module that the variable
 * ENVL_TEST_P11 names, but for what struct p11_shim asks for.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "p11_shim.h"

#define EXPORT __attribute__((visibility("default")))

extern struct p11_shim p11_shim;
CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out);

EXPORT struct p11_shim p11_shim;

static CK_FUNCTION_LIST *real, shim;
static CK_SLOT_ID last_slot;

static CK_RV
open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *cookie, CK_NOTIFY notify,
             CK_SESSION_HANDLE *out)
{
    last_slot = slot;
    return real->C_OpenSession(slot, flags, cookie, notify, out);
}

static CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin,
      CK_ULONG len)
{
    p11_shim.logins++;
    return real->C_Login(session, user, pin, len);
}

static CK_RV
token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = real->C_GetTokenInfo(slot, info);

    info->flags |= p11_shim.flags;
    return rv;
}

/* As if the token had been pulled and put back. */
static void
maybe_lose(void)
{
    if (p11_shim.lose > 0) {
        p11_shim.lose--;
        real->C_CloseAllSessions(last_slot);
    }
}

static CK_RV
create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template,
              CK_ULONG count, CK_OBJECT_HANDLE *out)
{
    maybe_lose();
    if (p11_shim.no_objects)
        return CKR_ACTION_PROHIBITED;
    return real->C_CreateObject(session, template, count, out);
}

static CK_RV
wrap_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
         CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE object, CK_BYTE *out,
         CK_ULONG *len)
{
    if (p11_shim.broken != CKR_OK)
        return p11_shim.broken;
    return real->C_WrapKey(session, mechanism, key, object, out, len);
}

static CK_RV
unwrap_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
           CK_OBJECT_HANDLE key, CK_BYTE *wrapped, CK_ULONG len,
           CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *out)
{
    maybe_lose();
    if (p11_shim.broken != CKR_OK)
        return p11_shim.broken;
    if (p11_shim.no_objects)
        return CKR_FUNCTION_NOT_SUPPORTED;
    return real->C_UnwrapKey(session, mechanism, key, wrapped, len, template,
                             count, out);
}

EXPORT CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    const char *path = getenv("ENVL_TEST_P11");
    void *library = path != NULL ? dlopen(path, RTLD_NOW) : NULL;
    union {
        void *object;
        CK_C_GetFunctionList function;
    } symbol = { NULL };

    if (library != NULL)
        symbol.object = dlsym(library, "C_GetFunctionList");
    if (symbol.object == NULL || symbol.function(&real) != CKR_OK)
        return CKR_GENERAL_ERROR;
    shim = *real;
    shim.C_OpenSession = open_session;
    shim.C_Login = login;
    shim.C_GetTokenInfo = token_info;
    shim.C_CreateObject = create_object;
    shim.C_WrapKey = wrap_key;
    shim.C_UnwrapKey = unwrap_key;
    *out = &shim;
    return CKR_OK;
}
