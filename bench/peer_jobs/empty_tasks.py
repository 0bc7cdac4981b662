"""Celery as fast as its documentation knows to make it for small tasks: results ignored, no events, no rate limits, no remote
control, JSON, one worker process that takes many tasks at a time (prefetch), and acknowledges early."""

import os

import celery

app = celery.Celery("empty_tasks", broker=os.environ["PEER_BROKER"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1000, worker_disable_rate_limits=True, task_acks_late=False,
                worker_send_task_events=False, task_send_sent_event=False, worker_enable_remote_control=False, task_serializer="json",
                accept_content=["json"], broker_connection_retry_on_startup=True, broker_pool_limit=1, worker_hijack_root_logger=False)


@app.task(ignore_result=True)
def empty():
    """Counted by the worker itself; the driver asks by a marker at the end of the queue."""


@app.task(ignore_result=True)
def mark(path):
    with open(path, "w", encoding="ascii") as file:
        file.write("done")
