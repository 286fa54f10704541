/*
 * stage.h - what one stage of a pipeline, or a projection, makes of a
 * document.
 */
#ifndef PEER_STAGE_H
#define PEER_STAGE_H

#include "value.h"

/**
 * stage_one(doc, stage, out, trouble):
 * $set, $addFields, $unset, $project, $replaceWith, $replaceRoot.  False
 * without trouble for another stage.  ${out} is initialised by the caller.
 */
bool stage_one(const bson_t *doc, const bson_t *stage, bson_t *out,
               struct trouble *trouble);

/**
 * stage_project(doc, spec, out, trouble):
 * As the projection of a find or the stage $project: members put in, or left
 * out, or computed; `_id` is put in unless it is left out.
 */
bool stage_project(const bson_t *doc, const bson_t *spec, bson_t *out,
                   struct trouble *trouble);

#endif /* PEER_STAGE_H */
