/* Where secrets stand in code, configuration, prose and contracts. */
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "detect/contract.h"
#include "detect/source.h"

struct told {
    char text[512]; /* "line:column rule name;" of each */
};

static enum envl_status
tell(void *cookie, const struct source_finding *finding,
     struct envl_error *err)
{
    struct told *told = cookie;
    size_t len = strlen(told->text);

    (void)err;
    snprintf(told->text + len, sizeof(told->text) - len, "%zu:%zu %s %.*s;",
             finding->line, finding->column, finding->hit.rule,
             (int)finding->name.len, (const char *)finding->name.ptr);
    return ENVL_OK;
}

/* Values are test data. */
static const struct {
    const char *path, *text, *told;
} cases[] = {
    { "a.py", "password = get_password()\n", "" },
    { "a.py", "password = 'Hunter2-really'\n",
      "1:13 named-secret password;" },
    { "a.py", "token: str = None\nmax_tokens = 4096\n", "" },
    { "a.ts", "const apiKey = process.env.API_KEY;\n", "" },
    { "a.ts", "const apiKey = \"q8Zx2LmN7vKp4RtY9wBc3HdF\";\n",
      "1:17 named-secret apiKey;" },
    { "compose.yml", "x:\n  POSTGRES_PASSWORD: postgres\n",
      "2:22 default-password POSTGRES_PASSWORD;" },
    { "compose.yml", "  POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}\n", "" },
    { "compose.yml", "  - MYSQL_ROOT_PASSWORD=root\n",
      "1:25 default-password MYSQL_ROOT_PASSWORD;" },
    { ".env", "# comment\nDB_PASSWORD=\"Tr0ub4dor&3\"\nDEBUG=true\n",
      "2:14 named-secret DB_PASSWORD;" },
    { ".env", "DATABASE_URL=postgres://app:w8rT3kQp@db/app\n",
      "1:29 url-password DATABASE_URL;" },
    { "redis.conf", "port 6379\nrequirepass Tr0ub4dor3\n",
      "2:13 named-secret ;" },
    { "grafana.ini", "admin_user = admin\nadmin_password = admin\n",
      "2:18 default-password admin_password;" },
    { "values.yaml", "auth:\n  password: correct horse battery 9\n", "" },
    { "a.json", "{\n \"client_secret\": \"w8rT3kQp-9x\"\n}\n",
      "2:20 named-secret client_secret;" },
    { "readme.md", "Set `password: hunter2222` and go.\n", "" },
    { "readme.md", "token ghp_q8Zx2LmN7vKp4RtY9wBc3HdFq8Zx2LmN7vKp here\n",
      "1:7 github-token ;" },
    { "a.pem", "x\n-----BEGIN PRIVATE KEY-----\nAAAA\n"
      "-----END PRIVATE KEY-----\npassword=Hunter2-really\n",
      "2:1 private-key ;5:10 named-secret password;" },
    { ".env", "API_KEY=env1:k1:AN7IJKgVGEFggaNjUbOqhKEWh3\n", "" },
    { "x.log", "", "" },
};

static void
finds_the_place_and_the_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct told told = { "" };

        assert_int_equal(source_scan(envl_bytes_of(cases[i].text),
                                     source_kind_of(cases[i].path), tell,
                                     &told, NULL),
                         ENVL_OK);
        if (strcmp(told.text, cases[i].told) != 0)
            fail_msg("%zu %s: %s", i, cases[i].path, told.text);
    }
}

static const struct {
    const char *text, *told;
} contracts[] = {
    { "openapi: 3.0.0\ncomponents:\n  schemas:\n    User:\n"
      "      properties:\n        name:\n          type: string\n"
      "        api_key:\n          type: string\n        password:\n"
      "          type: string\n          writeOnly: true\n"
      "        secret:\n          type: string\n"
      "          format: password\n        token_count:\n"
      "          type: integer\n",
      "8:9 contract-secret api_key;" },
    { "{\"$schema\":\"x\",\"properties\":{\"user\":{\"type\":\"object\","
      "\"properties\":{\"client_secret\":{\"type\":\"string\"}}},"
      "\"token\":{\"type\":\"string\",\"writeOnly\":true},"
      "\"password\":{\"type\":\"object\"}}}",
      "1:69 contract-secret client_secret;" },
    { "{\"properties\":{\"secret\":{\"type\":\"string\"}}}", "" },
    { "{\"$schema\":\"x\",\"properties\":{\"properties\":{\"type\":"
      "\"string\"},\"refresh_token\":{}}}",
      "1:62 contract-secret refresh_token;" },
    { "{\"openapi\": broken", "" },
    { "swagger: '2.0'\ndefinitions:\n  X:\n    properties:\n"
      "      accessToken:\n        type: string\n  Y:\n    type: string\n",
      "5:7 contract-secret accessToken;" },
};

static void
finds_what_a_contract_hands_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(contracts) / sizeof(*contracts); i++) {
        struct told told = { "" };

        assert_int_equal(contract_scan(envl_bytes_of(contracts[i].text),
                                       tell, &told, NULL),
                         ENVL_OK);
        if (strcmp(told.text, contracts[i].told) != 0)
            fail_msg("%zu: %s", i, told.text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_place_and_the_name),
        cmocka_unit_test(finds_what_a_contract_hands_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
