/*
 * order.h - what pause, resume and set share.
 */
#ifndef CLI_ORDER_H
#define CLI_ORDER_H

#include "command.h"
#include "engine/engine.h"

/**
 * order_give(cli, verb, err):
 * Give ${verb} to the job that the first operand names, with the operands
 * behind it, recorded in the audit log before and after; and say how the job
 * stands then.
 */
enum envl_status order_give(struct cli *cli, enum engine_verb verb,
                            struct envl_error *err);

#endif /* CLI_ORDER_H */
