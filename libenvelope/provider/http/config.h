/*
 * config.h - the settings of a provider, read strictly.
 *
 * A JSON object whose members are all known, each of the type it should be;
 * the first thing that is wrong is told and everything after it is skipped,
 * so that a reader asks for one member after the other and judges once.
 */
#ifndef HTTP_CONFIG_H
#define HTTP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <envelope/error.h>

struct config {
    json_t *root;        /* owned by the outermost */
    const char *name;    /* of the provider        */
    const char *where;   /* "", or "auth."         */
    const char *taken[32];
    size_t taken_count;
    enum envl_status status;
    struct envl_error *err;
};

/**
 * config_open(text, name, out, err):
 * Begin with the settings ${text} of the provider ${name} (borrowed).  The
 * caller ends with config_close.
 */
void config_open(const char *text, const char *name, struct config *out,
                 struct envl_error *err);

/**
 * config_text(config, member, out), config_need_text(config, member, out):
 * A string of 1 to 4096 bytes, borrowed until config_close; NULL if the
 * member is not there, which is an error for need.
 */
void config_text(struct config *config, const char *member,
                 const char **out);
void config_need_text(struct config *config, const char *member,
                      const char **out);

/**
 * config_path(config, member, out):
 * The same; it must be an absolute path.
 */
void config_path(struct config *config, const char *member,
                 const char **out);

/* A number and its bounds. */
struct config_number {
    const char *member;
    int64_t least, most, otherwise;
};

/**
 * config_number(config, rule, out):
 * A whole number.
 */
void config_number(struct config *config, const struct config_number *rule,
                   int64_t *out);

/**
 * config_flag(config, member, out):
 * true or false; false if it is not there.
 */
void config_flag(struct config *config, const char *member, bool *out);

/**
 * config_inner(config, member, where, out):
 * The object ${member}, to be read in the same way and ended by config_done;
 * empty if it is not there.  ${where} is its name and a dot.
 */
void config_inner(struct config *config, const char *member,
                  const char *where, struct config *out);

/**
 * config_refuse(config, member, what):
 * Say that ${member} ${what}, unless something was wrong before.
 */
void config_refuse(struct config *config, const char *member,
                   const char *what);

/**
 * config_done(inner, outer):
 * Refuse members nobody asked for, and hand what is wrong to ${outer} (NULL
 * for the outermost).
 */
void config_done(struct config *inner, struct config *outer);

/**
 * config_close(config):
 * Release, and return ENVL_OK or what was wrong (ENVL_E_USAGE).
 */
enum envl_status config_close(struct config *config);

#endif /* HTTP_CONFIG_H */
