"""jobs: empty jobs accepted, started and ended in process through the store, against Celery with Redis and one worker.

Ours waits for the disk before a job is called accepted, and ends are on the disk within the measured time. Celery's Redis runs
twice: as it is installed (nothing waits for the disk, a crash loses the last seconds), and with an append-only file that
is synced for every write (`appendfsync always`), which is the nearest it has to the same promise. Ours is shown with 100
jobs accepted per call, as the automatic training does it (all of them on the disk when the call returns: one wait for
100), and with a call and a wait for each, which measures the disk rather than the program: no bound is set there."""

import shutil
import subprocess
import time

import common
import servers

NAME, ORDER = "jobs", 13
COUNT, BATCH, ROUNDS = 10000, 100, 3
POOLS = ("solo", "prefork")
WANTED = 5


def ours(program, batch):
    folder = common.WORK / "jobs"
    shutil.rmtree(folder, ignore_errors=True)
    done = common.last_json(common.measure([program, folder, COUNT, batch]))
    if done["succeeded"] != COUNT or done["completed"] != COUNT:
        raise common.Failed(f"not all jobs succeeded: {done}")
    return done


class Redis:
    """A server of its own on a free port."""

    def __init__(self, is_durable):
        self.folder = common.WORK / "jobs-redis"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port = servers.free_port()
        durable = ["--appendonly", "yes", "--appendfsync", "always"] if is_durable else ["--appendonly", "no"]
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "", *durable]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def __enter__(self):
        for _ in range(200):
            if subprocess.run(["redis-cli", "-p", str(self.port), "ping"], capture_output=True).stdout.strip() == b"PONG":
                return self
            time.sleep(0.05)
        raise common.Failed("redis-server does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


def peer(bench, pool, is_durable):
    with Redis(is_durable) as redis:
        command = bench.peer("peer_jobs", "drive.py", redis.port, COUNT, pool, redis.folder)
        return common.last_json(common.measure(command, PYTHONWARNINGS="ignore"))


def rate(figures):
    return COUNT / common.median(figures, "total_s")


def run(bench):
    if shutil.which("redis-server") is None:
        raise common.Failed("redis-server is not installed")
    program = common.build_target("bench_jobs")
    single, batched, plain, durable = [], [], {pool: [] for pool in POOLS}, []
    for _ in range(ROUNDS):  # in turn: the disk is everybody's
        single.append(ours(program, 1))
        batched.append(ours(program, BATCH))
        for pool in POOLS:
            plain[pool].append(peer(bench, pool, False))
        durable.append(peer(bench, POOLS[0], True))
    best = max(POOLS, key=lambda pool: rate(plain[pool]))
    checked = (f"all {COUNT:,} jobs have succeeded, by the rows and by the counts of the queue; the peer's last task was run. Celery's pool "
               f"{best} is the faster of {', '.join(POOLS)}; medians of {ROUNDS} rounds in turn.")
    commands = [common.shown([program, common.WORK / "jobs", COUNT, 1]), common.shown(bench.peer("peer_jobs", "drive.py", "PORT", COUNT, best, "DIR"))]
    lines = []
    for name, mine, theirs, wanted in (
            (f"accepted {BATCH} per call", batched, plain[best], WANTED),
            (f"accepted {BATCH} per call; Celery on the disk too", batched, durable, WANTED),
            ("accepted one per call; Celery on the disk too", single, durable, None),
            ("accepted one per call", single, plain[best], None)):
        factor = rate(mine) / rate(theirs)
        lines.append(common.line(f"{COUNT:,} empty jobs, {name}", f"{rate(mine):,.0f}/s", f"{rate(theirs):,.0f}/s", f"{factor:.1f}x",
                                 f"{wanted}x" if wanted else "", factor >= wanted if wanted else None, checked, commands))
    return lines


