/* The queues: QUEUE(SYMBOL, name, setting, doc). `setting` is the name of the setting that says how many of its jobs run at
 * the same time. A task names its queue in struct task; the first of this list is for those that name none. */
QUEUE(DEFAULT, "default", "parallel_jobs", "everything that is not a training")
QUEUE(TRAINING, "training", "parallel_training", "trainings, in the order in which they were asked for")
