/* envelope version: ours, and of what is linked. */
#include <openssl/crypto.h>
#include <sodium.h>

#include <envelope/version.h>

#include "command.h"
#include "report.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    (void)cli;
    (void)err;
    report_text("envelope %s\nlibcrypto %s\nlibsodium %s\njansson %s\n",
                envl_version(), OpenSSL_version(OPENSSL_VERSION_STRING),
                sodium_version_string(), jansson_version_str());
    report_json(json_pack("{s:i, s:s, s:s, s:s, s:s}", "schema", 1, "version",
                          envl_version(), "libcrypto",
                          OpenSSL_version(OPENSSL_VERSION_STRING),
                          "libsodium", sodium_version_string(), "jansson",
                          jansson_version_str()));
    return ENVL_OK;
}

const struct command cmd_version = {
    .name = "version",
    .run = run,
    .summary = "which envelope, libcrypto, libsodium and jansson this is",
    .needs_nothing = true,
    .help = "Print the versions in use at this moment, not at build time.",
    .examples = "envelope version\nenvelope version --json",
};
