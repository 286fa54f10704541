#include "provider/pkcs11/login.h"

#include <string.h>
#include <unistd.h>

#include "core/file.h"

#define PIN_MAX 256u

/* ---- reading ------------------------------------------------------------ */

static enum envl_status
read_file(const struct token_settings *settings, struct envl_secret **out,
          size_t *len, struct envl_error *err)
{
    const struct file_rules rules = { FILE_PRIVATE, "PIN file",
                                      settings->mounts,
                                      settings->mount_count };
    struct envl_secret *room = NULL;
    enum envl_status status;
    struct envl_span span;
    struct stat st;
    ssize_t got;
    int fd;

    status = file_open(settings->pin_file, &rules, &fd, &st, err);
    if (status == ENVL_E_NOTFOUND)
        return envl_fail(err, ENVL_E_PROVIDER, "provider '%s': no PIN file "
                         "at '%s'", settings->name, settings->pin_file);
    if (status != ENVL_OK)
        return status;
    status = envl_secret_new(PIN_MAX + 1, &room, err);
    if (status == ENVL_OK) {
        span = envl_secret_span(room);
        got = read(fd, span.ptr, span.len);
        *len = got > 0 ? (size_t)got : 0;
        if (got <= 0 || *len > PIN_MAX)
            status = envl_fail(err, ENVL_E_PROVIDER, "provider '%s': the PIN "
                               "file '%s' is empty, or longer than %u bytes",
                               settings->name, settings->pin_file, PIN_MAX);
    }
    close(fd);
    if (status == ENVL_OK)
        *out = room;
    else
        envl_secret_free(room);
    return status;
}

static enum envl_status
ask(const struct token_settings *settings, struct envl_secret **out,
    size_t *len, struct envl_error *err)
{
    enum envl_status status;

    if (settings->ask == NULL)
        status = envl_fail(err, ENVL_E_PROVIDER, "provider '%s' needs a PIN, "
                           "and there is nobody to ask", settings->name);
    else
        status = settings->ask(settings->cookie, "PIN of the token", out,
                               err);
    if (status == ENVL_OK)
        *len = envl_secret_bytes(*out).len;
    else
        envl_hint(err, "\"pin_file\" in its configuration names a file that "
                  "only its owner can read");
    return status;
}

static enum envl_status
read_pin(struct login *login, const struct token_settings *settings,
         struct envl_error *err)
{
    enum envl_status status;
    size_t len = 0;

    if (login->pin != NULL)
        return ENVL_OK;
    status = settings->pin_file != NULL
                 ? read_file(settings, &login->pin, &len, err)
                 : ask(settings, &login->pin, &len, err);
    if (status != ENVL_OK)
        return status;
    if (len > 0 && envl_secret_bytes(login->pin).ptr[len - 1] == '\n')
        len--;
    login->len = len;
    return ENVL_OK;
}

/* ---- trying ------------------------------------------------------------- */

static enum envl_status
fail(const struct token_settings *settings, const char *why,
     const char *remedy, struct envl_error *err)
{
    envl_fail(err, ENVL_E_PROVIDER, "provider '%s': %s", settings->name, why);
    envl_hint(err, "%s", remedy);
    return ENVL_E_PROVIDER;
}

/* spec: KEY-122 */
static enum envl_status
check_tries(const struct token_settings *settings,
            const struct token_session *session, CK_SLOT_ID slot,
            struct envl_error *err)
{
    CK_TOKEN_INFO info;

    if (session->calls->C_GetTokenInfo(slot, &info) != CKR_OK)
        return ENVL_OK; /* then the login says what is wrong */
    if (info.flags & CKF_USER_PIN_LOCKED)
        return fail(settings, "the token is locked: too many wrong PINs",
                    "its security officer can set a new PIN", err);
    if (info.flags & CKF_USER_PIN_FINAL_TRY)
        return fail(settings, "the token has one try left before it locks; "
                    "it is not used here",
                    "find out who tried a wrong PIN, then log in by hand "
                    "once: `pkcs11-tool --login -O`", err);
    if ((info.flags & CKF_USER_PIN_INITIALIZED) == 0)
        return fail(settings, "the token has no user PIN yet",
                    "initialise it: `pkcs11-tool --init-pin`", err);
    return ENVL_OK;
}

static bool
is_logged_in(const struct token_session *session)
{
    CK_SESSION_INFO info;

    return session->calls->C_GetSessionInfo(session->handle, &info) ==
               CKR_OK &&
           (info.state == CKS_RO_USER_FUNCTIONS ||
            info.state == CKS_RW_USER_FUNCTIONS);
}

enum envl_status
login_do(struct login *login, const struct token_settings *settings,
         const struct token_session *session, CK_SLOT_ID slot,
         struct envl_error *err)
{
    enum envl_status status;
    CK_RV rv;

    if (is_logged_in(session))
        return ENVL_OK;
    if (login->refused)
        return fail(settings, "the token has refused this PIN before; it is "
                    "not tried again", "correct the PIN and start anew", err);
    if ((status = check_tries(settings, session, slot, err)) != ENVL_OK ||
        (status = read_pin(login, settings, err)) != ENVL_OK)
        return status;
    rv = session->calls->C_Login(
        session->handle, CKU_USER,
        (CK_UTF8CHAR_PTR)envl_secret_span(login->pin).ptr, login->len);
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return ENVL_OK;
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID ||
        rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_LOCKED ||
        rv == CKR_PIN_EXPIRED) {
        login->refused = true;
        return fail(settings, rv == CKR_PIN_LOCKED
                                  ? "the token is locked"
                                  : "the token refuses the PIN",
                    "it was tried once and is not tried again: a token locks "
                    "after a few wrong ones", err);
    }
    return envl_fail(err, ENVL_E_PROVIDER, "provider '%s': no login to the "
                     "token (PKCS#11 %#lx)", settings->name, rv);
}

void
login_free(struct login *login)
{
    envl_secret_free(login->pin);
    login->pin = NULL;
}
