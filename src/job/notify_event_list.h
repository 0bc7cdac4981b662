/* NOTIFY_EVENT(name, doc): what people can be told of. */
NOTIFY_EVENT("completed", "A training has ended well.")
NOTIFY_EVENT("failed", "A training has failed.")
NOTIFY_EVENT("drift", "The alarm of a model in production has gone off.")
NOTIFY_EVENT("promoted", "A version has gone into production.")
