#include "provider/http/address.h"

#include <arpa/inet.h>
#include <string.h>

#include <curl/curl.h>

/* localhost is ours too: libcurl resolves that name itself, to loopback. */
static bool
is_loopback(const char *host)
{
    struct in_addr v4;

    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 &&
           (ntohl(v4.s_addr) >> 24) == 127;
}

/* EC2, ECS and EKS; link-local, none of them with TLS. */
static bool
is_metadata(const char *host)
{
    static const char *const known[] = {
        "169.254.169.254", "[fd00:ec2::254]", "169.254.170.2",
        "169.254.170.23", "[fd00:ec2::23]",
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(host, known[i]) == 0)
            return true;
    return false;
}

static bool
has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

    curl_free(text);
    return has;
}

static enum envl_status
not_an_address(const char *name, struct envl_error *err)
{
    envl_fail(err, ENVL_E_USAGE, "the address of provider '%s' is no URL that "
              "can be used", name);
    envl_hint(err, "it is https://HOST[:PORT][/PATH], without user, password, "
              "query or fragment");
    return ENVL_E_USAGE;
}

static enum envl_status
check_parts(CURLU *url, const char *name, bool metadata,
            struct envl_error *err)
{
    char *scheme = NULL, *host = NULL;
    enum envl_status status = ENVL_OK;

    if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) ||
        has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT) ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        status = not_an_address(name, err);
    } else if (strcmp(scheme, "http") == 0 && !is_loopback(host) &&
               !(metadata && is_metadata(host))) {
        /* spec: KEY-63 */
        envl_fail(err, ENVL_E_POLICY, "provider '%s' would be asked without "
                  "TLS", name);
        envl_hint(err, "use https; plain http is only for this machine "
                  "itself");
        status = ENVL_E_POLICY;
    } else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
        status = not_an_address(name, err);
    }
    curl_free(scheme);
    curl_free(host);
    return status;
}

enum envl_status
address_check(const char *name, const char *address, bool metadata,
              struct envl_error *err)
{
    CURLU *url = curl_url();
    enum envl_status status;

    if (url == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for an address");
    if (strstr(address, "://") == NULL ||
        address[strcspn(address, "\\ \t\r\n")] != '\0' ||
        curl_url_set(url, CURLUPART_URL, address, 0) != CURLUE_OK)
        status = not_an_address(name, err);
    else
        status = check_parts(url, name, metadata, err);
    curl_url_cleanup(url);
    return status;
}
