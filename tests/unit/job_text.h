/*
 * job_text.h - pieces that the texts of test jobs are put together from.
 */
#ifndef UNIT_JOB_TEXT_H
#define UNIT_JOB_TEXT_H

#define HEAD "\"envelope_job\":1,\"name\":\"j\","
#define LITE "\"source\":{\"driver\":\"sqlite\",\"path\":\"d.db\"},"
#define MONGO "\"source\":{\"driver\":\"mongo\",\"database\":\"d\"," \
              "\"dsn_env\":\"M\"},"
#define TARGETS(t) "\"targets\":[" t "]"
#define FIELDS(f) "{\"table\":\"t\",\"key\":[\"id\"],\"fields\":[" f "]}"
#define WITH(more) "{" HEAD LITE more TARGETS(FIELDS("{\"column\":\"c\"}")) "}"
#define FIELD(f) "{" HEAD LITE TARGETS(FIELDS(f)) "}"
#define TARGET(t) "{" HEAD LITE TARGETS(t) "}"
#define SOURCE(s) "{" HEAD "\"source\":" s "," \
                  TARGETS(FIELDS("{\"column\":\"c\"}")) "}"

#endif /* UNIT_JOB_TEXT_H */
