/*
 * A program of somebody else's: seals and opens one value with the installed
 * headers and library.  use RING KEYFILE
 */
#include <stdio.h>
#include <string.h>

#include <envelope.h>

int
main(int argc, char **argv)
{
    struct envl_provider *provider = NULL;
    struct envl_keyring *ring = NULL;
    struct envl_buf envelope = ENVL_BUF_INIT;
    struct envl_plain plain = { 0 };
    struct envl_error err = { 0 };
    struct envl_pair pair = { envl_bytes_of("id"), envl_bytes_of("42") };
    struct envl_context context = { &pair, 1 };
    struct envl_keyring_options options = { .size = sizeof(options) };
    int rc = 1;

    if (argc != 3)
        return 2;
    if (envl_keyfile_provider_new(argv[2], &provider, &err) != ENVL_OK)
        goto out;
    options.path = argv[1];
    options.providers = &provider;
    options.provider_count = 1;
    if (envl_keyring_open(&options, &ring, &err) != ENVL_OK ||
        envl_seal(ring, NULL, &context, envl_bytes_of("sk-live"), &envelope,
                  &err) != ENVL_OK ||
        envl_open(ring, NULL, &context, envl_buf_view(&envelope), &plain,
                  &err) != ENVL_OK)
        goto out;
    rc = plain.value.len == 7 && memcmp(plain.value.ptr, "sk-live", 7) == 0
             ? 0 : 1;
    printf("%s %s\n", envl_version(), plain.kid);

out:
    if (rc != 0)
        fprintf(stderr, "use: %s\n", err.message);
    envl_plain_free(&plain);
    envl_buf_free(&envelope);
    envl_keyring_free(ring);
    envl_provider_free(provider);
    return rc;
}
