"""Peer of the row `jobs`: N empty tasks through Celery with Redis.

    drive.py PORT COUNT POOL FOLDER

The tasks are sent first, over one connection, then a worker is started and runs them: as ours does it in one process, the two
do not compete for the processor. The time that the worker needs to start is not counted: it waits for a first task, which
is sent alone. The last task of the queue writes a file. Prints one JSON object."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time


def wait_for(path, worker, seconds=300):
    end = time.monotonic() + seconds
    while not path.exists():
        if worker.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"the worker did not write {path}")
        time.sleep(0.0005)


def start_worker(pool, folder):
    command = [sys.executable, "-m", "celery", "-A", "empty_tasks", "worker", "--pool", pool, "--concurrency", "1", "--without-gossip",
               "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"]
    with open(folder / "worker.log", "wb") as log:
        return subprocess.Popen(command, cwd=pathlib.Path(__file__).parent, stdout=log, stderr=subprocess.STDOUT)


def send(count, last):
    """One connection for all, as the documentation advises."""
    from empty_tasks import app, empty, mark
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(count - 1):
            empty.apply_async(producer=producer)
        mark.apply_async((str(last),), producer=producer)


def main(port, count, pool, folder):
    os.environ["PEER_BROKER"] = f"redis://127.0.0.1:{port}/0"
    folder = pathlib.Path(folder)
    first, last = folder / "first", folder / "last"
    for path in (first, last):
        path.unlink(missing_ok=True)
    send(1, last)  # modules, connection
    worker = start_worker(pool, folder)
    try:
        wait_for(last, worker)
        last.unlink()
        worker.send_signal(signal.SIGSTOP)  # it is up and idle: what is sent now waits
        begin = time.monotonic()
        send(count, last)
        sent = time.monotonic()
        worker.send_signal(signal.SIGCONT)
        wait_for(last, worker)
        end = time.monotonic()
    finally:
        worker.send_signal(signal.SIGCONT)
        worker.terminate()
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
    return {"jobs": count, "enqueue_s": sent - begin, "run_s": end - sent, "total_s": end - begin}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])))
