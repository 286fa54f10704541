#include <string.h>

#include "detect/charset.h"
#include "detect/token.h"

#define LOOK 512u

struct issuer {
    const char *prefix;
    enum charset set; /* of what follows the prefix        */
    uint16_t least;   /* characters of it                  */
    uint16_t most;    /* 0: as many as there are           */
    const char *rule;
    enum hit_sure sure;
};

/* Longer prefixes before those that begin them. */
static const struct issuer issuers[] = {
    { "AKIA", CHARSET_UPPER, 16, 16, "aws-access-key", HIT_HIGH },
    { "ASIA", CHARSET_UPPER, 16, 16, "aws-access-key", HIT_HIGH },
    { "AIza", CHARSET_WORD, 35, 35, "google-api-key", HIT_HIGH },
    { "AGE-SECRET-KEY-1", CHARSET_UPPER, 40, 0, "age-key", HIT_HIGH },
    { "ATATT3", CHARSET_WORD, 60, 0, "atlassian-token", HIT_HIGH },
    { "CFPAT-", CHARSET_WORD, 40, 0, "contentful-token", HIT_HIGH },
    { "EAAC", CHARSET_ALNUM, 40, 0, "facebook-token", HIT_MEDIUM },
    { "GOCSPX-", CHARSET_WORD, 28, 28, "google-oauth-secret", HIT_HIGH },
    { "NRAK-", CHARSET_UPPER, 27, 0, "newrelic-key", HIT_HIGH },
    { "PMAK-", CHARSET_WORD, 40, 0, "postman-key", HIT_HIGH },
    { "SG.", CHARSET_DOTTED, 60, 0, "sendgrid-key", HIT_HIGH },
    { "SK", CHARSET_HEX, 32, 32, "twilio-key", HIT_MEDIUM },
    { "dapi", CHARSET_HEX, 32, 32, "databricks-token", HIT_HIGH },
    { "dckr_pat_", CHARSET_WORD, 27, 0, "docker-token", HIT_HIGH },
    { "doo_v1_", CHARSET_HEX, 64, 64, "digitalocean-token", HIT_HIGH },
    { "dop_v1_", CHARSET_HEX, 64, 64, "digitalocean-token", HIT_HIGH },
    { "dor_v1_", CHARSET_HEX, 64, 64, "digitalocean-token", HIT_HIGH },
    { "dp.pt.", CHARSET_ALNUM, 40, 0, "doppler-token", HIT_HIGH },
    { "dp.st.", CHARSET_DOTTED, 40, 0, "doppler-token", HIT_HIGH },
    { "figd_", CHARSET_WORD, 40, 0, "figma-token", HIT_HIGH },
    { "gho_", CHARSET_ALNUM, 36, 0, "github-token", HIT_HIGH },
    { "ghp_", CHARSET_ALNUM, 36, 0, "github-token", HIT_HIGH },
    { "ghr_", CHARSET_ALNUM, 36, 0, "github-token", HIT_HIGH },
    { "ghs_", CHARSET_ALNUM, 36, 0, "github-token", HIT_HIGH },
    { "ghu_", CHARSET_ALNUM, 36, 0, "github-token", HIT_HIGH },
    { "github_pat_", CHARSET_WORD, 60, 0, "github-token", HIT_HIGH },
    { "glc_", CHARSET_BASE64, 32, 0, "grafana-token", HIT_HIGH },
    { "gldt-", CHARSET_WORD, 20, 0, "gitlab-token", HIT_HIGH },
    { "glpat-", CHARSET_DOTTED, 20, 0, "gitlab-token", HIT_HIGH },
    { "glrt-", CHARSET_DOTTED, 20, 0, "gitlab-token", HIT_HIGH },
    { "glsa_", CHARSET_WORD, 32, 0, "grafana-token", HIT_HIGH },
    { "gsk_", CHARSET_ALNUM, 40, 0, "groq-key", HIT_HIGH },
    { "hf_", CHARSET_ALNUM, 30, 0, "huggingface-token", HIT_HIGH },
    { "hvb.", CHARSET_WORD, 24, 0, "vault-token", HIT_HIGH },
    { "hvs.", CHARSET_WORD, 24, 0, "vault-token", HIT_HIGH },
    { "key-", CHARSET_HEX, 32, 32, "mailgun-key", HIT_MEDIUM },
    { "lin_api_", CHARSET_ALNUM, 32, 0, "linear-key", HIT_HIGH },
    { "npm_", CHARSET_ALNUM, 36, 36, "npm-token", HIT_HIGH },
    { "ntn_", CHARSET_ALNUM, 40, 0, "notion-token", HIT_HIGH },
    { "nvapi-", CHARSET_WORD, 50, 0, "nvidia-key", HIT_HIGH },
    { "phc_", CHARSET_ALNUM, 40, 0, "posthog-key", HIT_MEDIUM },
    { "pplx-", CHARSET_ALNUM, 40, 0, "perplexity-key", HIT_HIGH },
    { "pul-", CHARSET_HEX, 40, 40, "pulumi-token", HIT_HIGH },
    { "pypi-", CHARSET_WORD, 60, 0, "pypi-token", HIT_HIGH },
    { "r8_", CHARSET_ALNUM, 37, 0, "replicate-token", HIT_HIGH },
    { "rk_live_", CHARSET_ALNUM, 20, 0, "stripe-key", HIT_HIGH },
    { "rk_test_", CHARSET_ALNUM, 20, 0, "stripe-key", HIT_MEDIUM },
    { "rubygems_", CHARSET_HEX, 48, 48, "rubygems-key", HIT_HIGH },
    { "sbp_", CHARSET_HEX, 40, 40, "supabase-token", HIT_HIGH },
    { "secret_", CHARSET_ALNUM, 43, 43, "notion-token", HIT_HIGH },
    { "shpat_", CHARSET_HEX, 32, 32, "shopify-token", HIT_HIGH },
    { "shpss_", CHARSET_HEX, 32, 32, "shopify-token", HIT_HIGH },
    { "sk-ant-", CHARSET_WORD, 32, 0, "anthropic-key", HIT_HIGH },
    { "sk-live-", CHARSET_WORD, 20, 0, "api-key", HIT_HIGH },
    { "sk-or-", CHARSET_WORD, 32, 0, "openrouter-key", HIT_HIGH },
    { "sk-proj-", CHARSET_WORD, 32, 0, "openai-key", HIT_HIGH },
    { "sk-svcacct-", CHARSET_WORD, 32, 0, "openai-key", HIT_HIGH },
    { "sk-", CHARSET_ALNUM, 32, 0, "openai-key", HIT_HIGH },
    { "sk_live_", CHARSET_ALNUM, 20, 0, "stripe-key", HIT_HIGH },
    { "sk_test_", CHARSET_ALNUM, 20, 0, "stripe-key", HIT_MEDIUM },
    { "sntrys_", CHARSET_BASE64, 40, 0, "sentry-token", HIT_HIGH },
    { "sntryu_", CHARSET_HEX, 64, 64, "sentry-token", HIT_HIGH },
    { "sq0atp-", CHARSET_WORD, 22, 22, "square-token", HIT_HIGH },
    { "sq0csp-", CHARSET_WORD, 43, 43, "square-secret", HIT_HIGH },
    { "tskey-", CHARSET_WORD, 20, 0, "tailscale-key", HIT_HIGH },
    { "whsec_", CHARSET_BASE64, 24, 0, "webhook-secret", HIT_HIGH },
    { "xai-", CHARSET_ALNUM, 60, 0, "xai-key", HIT_HIGH },
    { "xapp-", CHARSET_WORD, 30, 0, "slack-token", HIT_HIGH },
    { "xoxa-", CHARSET_WORD, 20, 0, "slack-token", HIT_HIGH },
    { "xoxb-", CHARSET_WORD, 20, 0, "slack-token", HIT_HIGH },
    { "xoxe-", CHARSET_WORD, 20, 0, "slack-token", HIT_HIGH },
    { "xoxp-", CHARSET_WORD, 20, 0, "slack-token", HIT_HIGH },
    { "xoxr-", CHARSET_WORD, 20, 0, "slack-token", HIT_HIGH },
    { "xoxs-", CHARSET_WORD, 20, 0, "slack-token", HIT_HIGH },
    { "ya29.", CHARSET_WORD, 20, 0, "google-oauth-token", HIT_HIGH },
};

#define ISSUER_COUNT (sizeof(issuers) / sizeof(*issuers))

bool
token_first(uint8_t c)
{
    return memchr("ACEGNPSadfghklnprstwxy", c, 22) != NULL;
}

/* So much of ${text} is enough to tell: many false beginnings in one long
   word take time in proportion to its length, not to its square. */
static struct envl_bytes
near(struct envl_bytes text, size_t at)
{
    if (text.len - at > LOOK)
        text.len = at + LOOK;
    return text;
}

/* One character over and over is a mask or an example. */
static bool
varied(struct envl_bytes text, size_t at, size_t len)
{
    unsigned changes = 0;

    for (size_t i = 1; i < len && changes < 4; i++)
        changes += text.ptr[at + i] != text.ptr[at + i - 1];
    return changes >= 4;
}

bool
token_at(struct envl_bytes text, size_t at, struct hit *hit)
{
    if (at >= text.len || !token_first(text.ptr[at]) ||
        charset_glued(text, at))
        return false;
    for (size_t i = 0; i < ISSUER_COUNT; i++) {
        const struct issuer *issuer = &issuers[i];
        size_t prefix = strlen(issuer->prefix), run;

        if (issuer->prefix[0] != (char)text.ptr[at] ||
            text.len - at < prefix + issuer->least ||
            memcmp(text.ptr + at, issuer->prefix, prefix) != 0)
            continue;
        run = charset_run(issuer->set, near(text, at), at + prefix);
        /* A dot that ends a sentence is not the token's. */
        while (run > 0 && text.ptr[at + prefix + run - 1] == '.')
            run--;
        if (run < issuer->least || (issuer->most > 0 && run > issuer->most) ||
            !varied(text, at + prefix, run))
            continue;
        if (run > LOOK / 2)
            run = charset_run(issuer->set, text, at + prefix);
        *hit = (struct hit){ at, prefix + run, issuer->rule,
                             "begins as its issuer's tokens do",
                             issuer->sure };
        return true;
    }
    return false;
}
