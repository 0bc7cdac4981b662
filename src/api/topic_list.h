/* TOPIC(name, doc): what clients of /ws and /api/events can follow, beside the log of a job (logs:<id>@<offset>). At most
 * 64 rows. docs/protocols/websocket.md says what the data of each is. */
TOPIC("jobs", "A job whose state, progress or place changed.")
TOPIC("queues", "A queue whose state or length changed.")
TOPIC("training", "The training status.")
TOPIC("schedule", "A schedule task that changed.")
TOPIC("models", "A version that was trained, promoted, archived or cleared.")
TOPIC("drift", "The drift status of a model.")
TOPIC("predictions", "Predictions that were made.")
TOPIC("notifications", "What was sent to whom, and what came of it.")
TOPIC("stats", "Counters of the server, every second.")
