/*
 * job_node.h - one place in a job file: what stands there, and how it is said.
 *
 * Every check of a job goes through these, so that every refusal names its
 * place (targets[0].fields[1].codec[0]) and says what is expected.
 */
#ifndef ENGINE_JOB_NODE_H
#define ENGINE_JOB_NODE_H

#include <stdbool.h>

#include <jansson.h>

#include "engine/slab.h"

/* What all nodes of a file share. */
struct job_reader {
    struct slab *slab; /* what the job keeps                */
    struct envl_error *err;
};

struct job_node {
    const struct job_reader *reader;
    const struct job_node *up;
    const char *name; /* of the member, or NULL: an element */
    size_t index;
    json_t *json;
};

/* A member that an object may have; a list ends with a NULL name. */
struct job_member {
    const char *name;
    enum {
        JOB_OPTIONAL,
        JOB_REQUIRED,
        JOB_LATER /* in the specification, and not carried out: JOB-5 */
    } need;
};

/**
 * job_node_member(of, name, out):
 * The member ${name} of an object; false if it has none.
 */
bool job_node_member(const struct job_node *of, const char *name,
                     struct job_node *out);

/**
 * job_node_element(of, index):
 * An element of an array.
 */
struct job_node job_node_element(const struct job_node *of, size_t index);

/**
 * job_node_fail(node, format, ...):
 * ENVL_E_USAGE with the node's place before the message.
 */
enum envl_status job_node_fail(const struct job_node *node,
                               const char *format, ...) ENVL_PRINTF(2, 3);

/**
 * job_node_object(node, members):
 * It is an object of these members and no others.
 */
enum envl_status job_node_object(const struct job_node *node,
                                 const struct job_member *members);

/**
 * job_node_array(node, max, count):
 * It is an array of 1 to ${max} elements.
 */
enum envl_status job_node_array(const struct job_node *node, size_t max,
                                size_t *count);

/**
 * job_node_string(node, out), job_node_text(node, out):
 * It is a string, borrowed from the file; a text is not empty and has no
 * U+0000.
 */
enum envl_status job_node_string(const struct job_node *node,
                                 struct envl_bytes *out);
enum envl_status job_node_text(const struct job_node *node, const char **out);

/**
 * job_node_name(node, out):
 * It is a name by the rule of key ids (spec ENV-2.1).
 */
enum envl_status job_node_name(const struct job_node *node, const char **out);

/**
 * job_node_number(node, min, max, out):
 * It is a whole number from ${min} to ${max}.
 */
enum envl_status job_node_number(const struct job_node *node, uint64_t min,
                                 uint64_t max, uint64_t *out);

/**
 * job_node_real(node, min, max, out):
 * It is a number from ${min} to ${max}.
 */
enum envl_status job_node_real(const struct job_node *node, double min,
                               double max, double *out);

/**
 * job_node_boolean(node, out):
 * It is true or false.
 */
enum envl_status job_node_boolean(const struct job_node *node, bool *out);

/**
 * job_node_word(node, words, out):
 * It is one of ${words} (up to a NULL), whose index goes to ${out}.
 */
enum envl_status job_node_word(const struct job_node *node,
                               const char *const *words, unsigned *out);

/**
 * job_node_take(node, count, size):
 * ${count} zeroed items of ${size} bytes that live as long as the job, or
 * NULL with ENVL_E_NOMEM.
 */
void *job_node_take(const struct job_node *node, size_t count, size_t size);

#endif /* ENGINE_JOB_NODE_H */
