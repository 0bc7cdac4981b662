/* TOPIC(SYMBOL, name, doc): what clients of /ws and /api/events can follow, beside the log of a job (logs:<id>@<offset>). At most
 * 64 rows. docs/protocols/websocket.md says what the data of each is. */
TOPIC(JOBS, "jobs", "A job whose state, progress or place changed.")
TOPIC(QUEUES, "queues", "A queue whose state or length changed.")
TOPIC(TRAINING, "training", "The training status.")
TOPIC(SCHEDULE, "schedule", "A schedule task that changed.")
TOPIC(MODELS, "models", "A version that was trained, promoted, archived or cleared.")
TOPIC(DRIFT, "drift", "The drift status of a model.")
TOPIC(PREDICTIONS, "predictions", "Predictions that were made.")
TOPIC(VALUE_BETS, "value_bets", "Prices above what the model in production thinks, after each scan.")
TOPIC(NOTIFICATIONS, "notifications", "What was sent to whom, and what came of it.")
TOPIC(STATS, "stats", "Counters of the server, every second.")
