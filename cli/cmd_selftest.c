/* envelope selftest: known answers of what seals and opens. */
#include "command.h"
#include "report.h"
#include "selftest.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    const struct selftest *test;
    json_t *list = json_array();
    enum envl_status status;
    size_t count = 0, failed = 0;

    (void)cli;
    for (; (test = selftest_at(count)) != NULL; count++) {
        const bool ok = test->passes();

        failed += !ok;
        report_text("[%s]  %s\n", ok ? " ok " : "fail", test->name);
        json_array_append_new(list, json_pack("{s:s, s:b}", "name",
                                              test->name, "ok", ok));
    }
    report_json(json_pack("{s:i, s:b, s:o}", "schema", 1, "ok", failed == 0,
                          "tests", list));
    if (failed == 0)
        return ENVL_OK;
    status = envl_fail(err, ENVL_E_INTERNAL, "%zu of %zu self-tests failed",
                       failed, count);
    envl_hint(err, "seal and open nothing with this build on this machine: "
                   "`envelope version` shows the libraries");
    return status;
}

const struct command cmd_selftest = {
    .name = "selftest",
    .run = run,
    .summary = "known answers of what seals and opens",
    .needs_nothing = true,
    .help =
        "Compute published answers with the code that seals and opens, and\n"
        "see that forgeries are refused. It needs no keyring.",
    .examples = "envelope selftest",
};
