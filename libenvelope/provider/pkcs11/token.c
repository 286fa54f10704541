#include "provider/pkcs11/token.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "provider/pkcs11/find.h"
#include "provider/pkcs11/login.h"

struct token {
    struct token_settings settings;
    pthread_mutex_t lock;
    CK_FUNCTION_LIST **modules; /* NULL-ended; NULL: not loaded yet */
    bool registered;            /* by p11-kit's own configuration   */
    CK_FUNCTION_LIST *calls;    /* the one that has the token       */
    CK_SLOT_ID slot;
    struct login login;
    struct token_session *idle;
};

enum envl_status
token_new(const struct token_settings *settings, struct token **out,
          struct envl_error *err)
{
    struct token *token = calloc(1, sizeof(*token));

    if (token == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    token->settings = *settings;
    pthread_mutex_init(&token->lock, NULL);
    *out = token;
    return ENVL_OK;
}

bool
token_is_lost(CK_RV rv)
{
    return rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED ||
           rv == CKR_DEVICE_REMOVED || rv == CKR_DEVICE_ERROR ||
           rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_USER_NOT_LOGGED_IN ||
           rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_KEY_HANDLE_INVALID ||
           rv == CKR_CRYPTOKI_NOT_INITIALIZED;
}

/* ---- loading ------------------------------------------------------------ */

/* A module is code that runs here: the same rules as for a command. */
static enum envl_status
check_module(const struct token *token, struct envl_error *err)
{
    static const struct file_rules rules = { FILE_TRUSTED, "PKCS#11 module",
                                             NULL, 0 };
    const char *path = token->settings.module;
    enum envl_status status;
    struct stat st;
    int fd;

    if (path[0] != '/')
        return envl_fail(err, ENVL_E_USAGE, "provider '%s': the module is "
                         "not named by an absolute path",
                         token->settings.name);
    status = file_open(path, &rules, &fd, &st, err);
    if (status == ENVL_OK)
        close(fd);
    if (status == ENVL_E_NOTFOUND || status == ENVL_E_IO)
        status = envl_fail(err, ENVL_E_PROVIDER, "provider '%s': no PKCS#11 "
                           "module at '%s'", token->settings.name, path);
    return status;
}

static enum envl_status
load_one(struct token *token, struct envl_error *err)
{
    CK_FUNCTION_LIST **list;
    enum envl_status status = check_module(token, err);

    if (status != ENVL_OK)
        return status;
    if ((list = calloc(2, sizeof(*list))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    list[0] = p11_kit_module_load(token->settings.module, 0);
    if (list[0] != NULL && p11_kit_module_initialize(list[0]) != CKR_OK) {
        p11_kit_module_release(list[0]);
        list[0] = NULL;
    }
    if (list[0] == NULL) {
        free(list);
        envl_fail(err, ENVL_E_PROVIDER, "provider '%s': the PKCS#11 module "
                  "'%s' does not start", token->settings.name,
                  token->settings.module);
        envl_hint(err, "see whether `pkcs11-tool --module %s -L` works for "
                  "this user", token->settings.module);
        return ENVL_E_PROVIDER;
    }
    token->modules = list;
    return ENVL_OK;
}

static void
unload(struct token *token)
{
    if (token->modules == NULL)
        return;
    if (token->registered) {
        p11_kit_modules_finalize_and_release(token->modules);
    } else {
        p11_kit_module_finalize(token->modules[0]);
        p11_kit_module_release(token->modules[0]);
        free(token->modules);
    }
    token->modules = NULL;
    token->calls = NULL;
}

static enum envl_status
load(struct token *token, struct envl_error *err)
{
    if (token->modules != NULL)
        return ENVL_OK;
    if (token->settings.module != NULL)
        return load_one(token, err);
    token->modules = p11_kit_modules_load_and_initialize(0);
    token->registered = token->modules != NULL;
    if (token->modules != NULL)
        return ENVL_OK;
    envl_fail(err, ENVL_E_PROVIDER, "provider '%s': no PKCS#11 module is "
              "registered with p11-kit", token->settings.name);
    envl_hint(err, "name one: \"module\": \"/usr/lib/.../libX.so\"");
    return ENVL_E_PROVIDER;
}

/* ---- sessions ----------------------------------------------------------- */

static void
drop_idle(struct token *token)
{
    while (token->idle != NULL) {
        struct token_session *session = token->idle;

        token->idle = session->next;
        (void)session->calls->C_CloseSession(session->handle);
        free(session);
    }
}

static enum envl_status
open_session(struct token *token, struct token_session *session,
             struct envl_error *err)
{
    const char *name = token->settings.name;
    enum envl_status status;
    CK_RV rv;

    if ((status = load(token, err)) != ENVL_OK ||
        (token->calls == NULL &&
         (status = find_token(token->modules, token->settings.uri, name,
                              &token->calls, &token->slot, err)) != ENVL_OK))
        return status;
    session->calls = token->calls;
    rv = token->calls->C_OpenSession(token->slot, CKF_SERIAL_SESSION, NULL,
                                     NULL, &session->handle);
    if (rv != CKR_OK) {
        token->calls = NULL; /* look for it again next time */
        return envl_fail(err, ENVL_E_PROVIDER, "provider '%s': the token "
                         "opens no session (PKCS#11 %#lx)", name, rv);
    }
    status = ENVL_OK;
    if (token->settings.login)
        status = login_do(&token->login, &token->settings, session,
                          token->slot, err);
    if (status == ENVL_OK)
        status = find_key(session, token->settings.uri, name, err);
    if (status != ENVL_OK)
        (void)token->calls->C_CloseSession(session->handle);
    return status;
}

/* Opening is under the lock: a person is asked for the PIN once. */
static enum envl_status
enter(struct token *token, struct token_session **out, struct envl_error *err)
{
    struct token_session *session = token->idle;
    enum envl_status status;

    if (session != NULL) {
        token->idle = session->next;
        *out = session;
        return ENVL_OK;
    }
    if ((session = calloc(1, sizeof(*session))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a session");
    if ((status = open_session(token, session, err)) == ENVL_OK)
        *out = session;
    else
        free(session);
    return status;
}

enum envl_status
token_enter(struct token *token, struct token_session **out,
            struct envl_error *err)
{
    enum envl_status status;

    pthread_mutex_lock(&token->lock);
    status = enter(token, out, err);
    pthread_mutex_unlock(&token->lock);
    return status;
}

void
token_leave(struct token *token, struct token_session *session, bool lost)
{
    pthread_mutex_lock(&token->lock);
    session->next = token->idle;
    token->idle = session;
    if (lost) {
        drop_idle(token);
        token->calls = NULL;
    }
    pthread_mutex_unlock(&token->lock);
}

void
token_free(struct token *token)
{
    if (token == NULL)
        return;
    drop_idle(token);
    unload(token);
    login_free(&token->login);
    p11_kit_uri_free(token->settings.uri);
    pthread_mutex_destroy(&token->lock);
    free(token);
}
