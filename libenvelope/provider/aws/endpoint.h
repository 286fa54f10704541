/*
 * endpoint.h - credentials that a cloud hands out over HTTP: the endpoint of
 * a container (ECS, EKS), and that of an instance (IMDSv2).
 */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "provider/aws/credentials.h"

/**
 * endpoint_container(options, out, err):
 * By AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or ..._FULL_URI, with the token
 * of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or ..._TOKEN.  ENVL_E_NOKEY if
 * neither URI is set; ENVL_E_PROVIDER.
 */
enum envl_status endpoint_container(const struct credentials_options *options,
                                    struct credentials_keys *out,
                                    struct envl_error *err);

/**
 * endpoint_instance(options, out, err):
 * By IMDSv2 (a token first; version 1 is not tried), at
 * AWS_EC2_METADATA_SERVICE_ENDPOINT or 169.254.169.254.  ENVL_E_NOKEY if
 * AWS_EC2_METADATA_DISABLED is true, or the instance has no role;
 * ENVL_E_PROVIDER.
 */
enum envl_status endpoint_instance(const struct credentials_options *options,
                                   struct credentials_keys *out,
                                   struct envl_error *err);

#endif /* AWS_ENDPOINT_H */
