/*
 * p11_shim.h - what a test tells the shim to do, and what it has counted.
 */
#ifndef MODULES_P11_SHIM_H
#define MODULES_P11_SHIM_H

#include <stdatomic.h>

#include <p11-kit/pkcs11.h>

struct p11_shim {
    atomic_int logins;   /* tries of C_Login                              */
    atomic_int lose;     /* so many calls more lose all sessions first    */
    atomic_ulong flags;  /* added to the token's                          */
    atomic_ulong broken; /* CKR_OK, or the answer to wrap and unwrap      */
    atomic_int no_objects; /* C_CreateObject and C_UnwrapKey are missing  */
};

#endif /* MODULES_P11_SHIM_H */
