#include "provider/http/secret_file.h"

#include <string.h>

#include "core/file.h"

enum envl_status
secret_file_read(const struct secret_file *file, struct envl_secret **out,
                 struct envl_error *err)
{
    const struct file_rules rules = { FILE_PRIVATE, file->what, file->mounts,
                                      file->mount_count };
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status;

    status = file_read(file->path, &rules, SECRET_FILE_MAX, &text, NULL, err);
    if (status == ENVL_E_NOTFOUND) {
        status = envl_fail(err, ENVL_E_NOKEY, "there is no %s at '%s'",
                           file->what, file->path);
        envl_hint(err, "put the credential there, mode 0600, or name "
                  "another file in the configuration");
    }
    if (status == ENVL_OK && text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (status == ENVL_OK && text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    if (status == ENVL_OK && text.len == 0)
        status = envl_fail(err, ENVL_E_NOKEY, "the %s '%s' is empty",
                           file->what, file->path);
    if (status == ENVL_OK)
        status = envl_secret_new(text.len, out, err);
    if (status == ENVL_OK)
        memcpy(envl_secret_span(*out).ptr, text.ptr, text.len);
    envl_buf_free(&text);
    return status;
}
