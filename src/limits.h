/* Every bound of the program, with its reason. Sizes that come from outside are checked against these. */
#ifndef ALMANAC_LIMITS_H
#define ALMANAC_LIMITS_H

/* Input files */
#define LIMIT_CSV_FILE_BYTES                                                                                 \
    (1LL << 30) /* a season is 0.2 MB; mapped, so memory is not the reason: a typo is */
#define LIMIT_CSV_LINE_BYTES (1 << 20) /* 67 real headers stay under 2 kB; a 2 GB line is refused, not read */
#define LIMIT_CSV_FIELDS     4096      /* per line; real files have up to 140 */
#define LIMIT_NAME_BYTES     128       /* team, league, bookmaker */
#define LIMIT_GOALS          99 /* the highest professional score on record is 149; 36-0 the highest without protest */
#define LIMIT_ODDS           10001.0 /* bookmakers quote up to 1000/1; above is a typing error */
#define LIMIT_OVERROUND_MIN  1.00 /* outside [1.00, 1.20] a set of prices is kept but flagged (REFERENCE) */
#define LIMIT_OVERROUND_MAX  1.20
/* Tables */
#define LIMIT_FRAME_ROWS (1u << 30)
#define LIMIT_LEAGUES    256
#define LIMIT_FEATURES   4096
/* JSON and HTTP */
#define LIMIT_JSON_BYTES       (64LL << 20) /* files of our own; HTTP bodies are bounded by LIMIT_BODY_BYTES */
#define LIMIT_JSON_DEPTH       64
#define LIMIT_BODY_BYTES       (1 << 20)
#define LIMIT_HEADER_BYTES     (16 << 10) /* the connection's memory in libmicrohttpd */
#define LIMIT_CONNECTIONS      4096
#define LIMIT_UNTAKEN_BYTES    (256LL << 20) /* answers under way to clients, all together */
#define LIMIT_REQUEST_TIME_MS  10000         /* a client that sends its request slower than this is dropped */
#define LIMIT_HISTORY_ENTITIES 1000  /* of one point-in-time question over HTTP; more go through a file */
#define LIMIT_RANGE_ROWS       10000 /* of a view in one answer: about 15 MB with all features */
/* WebSocket */
#define LIMIT_WS_CLIENTS        12000      /* fewer where the system does not allow as many open files */
#define LIMIT_WS_MESSAGE_BYTES  (16 << 10) /* from a client: the longest request is a list of topics */
#define LIMIT_WS_MESSAGES_PER_S 100        /* of a client, pings included */
#define LIMIT_WS_UNSENT_BYTES   (1 << 20)  /* to a client: more means that it does not read */
#define LIMIT_WS_UNSENT_FRAMES  1024
#define LIMIT_WS_FOLLOWED_LOGS  8    /* of a client */
#define LIMIT_FOLLOWED_LOGS     1024 /* of all clients: every line looks at each */
/* Feature store */
#define LIMIT_FEATURE_KEYS 500 /* rows of one batch read: about 1 MB of answer */
/* Models and jobs */
#define LIMIT_MODEL_BYTES       (1LL << 30)
#define LIMIT_DESCRIPTION_BYTES (1 << 20) /* the JSON inside a model file */
#define LIMIT_TREES             100000
#define LIMIT_WORKER_LINE_BYTES (1 << 20)    /* one protocol line of a child */
#define LIMIT_RESULT_BYTES      (64LL << 20) /* JSON result of a task */
#define LIMIT_JOB_LOG_BYTES     (32LL << 20) /* in parts of 4 MiB: the first and the newest seven are kept */
#define LIMIT_JOB_TAKEOVERS     5 /* of a job whose server died; one more and it fails: it may be the cause */
#define LIMIT_BATCH_JOBS        1000 /* trainings of one start-auto: 25 leagues x 2 targets x 20 bots */
#define LIMIT_ARENA_BYTES       (8LL << 30)

#endif
