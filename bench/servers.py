"""Both services as the rows predict and start need them: started on a free port, asked over HTTP, stopped."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time

import common


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A started service. `with Server(...) as server:` stops it in the end."""

    def __init__(self, command, port, cwd=common.ROOT, **more):
        self.port = port
        self.log = open(common.WORK / "server.log", "wb")
        self.started = time.monotonic()
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env=common.environment(**more), cwd=cwd, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def wait_for(self, method, path, body=None, good=lambda answer: True):
        """Milliseconds from the start of the process to the first good answer; asks again every 0.5 ms."""
        while time.monotonic() - self.started < 60:
            if self.process.poll() is not None:
                raise common.Failed(f"the server ended: {(common.WORK / 'server.log').read_text(errors='replace')[-1000:]}")
            try:
                status, answer = self.ask(method, path, body)
                if status == 200 and good(answer):
                    return (time.monotonic() - self.started) * 1000
            except (ConnectionError, http.client.HTTPException, json.JSONDecodeError):
                pass
            time.sleep(0.0005)
        raise common.Failed(f"no answer to {method} {path} within 60 s")

    def memory_mb(self):
        """Resident memory of the process and its children."""
        pids, total = [self.process.pid], 0
        for pid in pids:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                pids += [int(child) for child in file.read().split()]
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                total += next(int(text.split()[1]) for text in file if text.startswith("VmRSS"))
        return total / 1024


def our_command(bench, port):
    return [common.BINARY, "serve", "--data-dir", bench.store(), "--port", port]


def peer_command(bench, port, workers=1):
    return [bench.python("peer_serve").parent / "uvicorn", "service:app", "--app-dir", common.ROOT / "bench/peer_serve",
            "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--workers", workers, "--port", port]


def ours(bench):
    port = free_port()
    return Server(our_command(bench, port), port)


def peer(bench, workers=1):
    port = free_port()
    return Server(peer_command(bench, port, workers), port, BENCH_FOLDER=str(bench.peer_model()))


def fixtures(bench):
    """Requests of the last season in the holdout: league, home, away, target."""
    known = json.loads((bench.peer_model() / "fixtures.json").read_text())["fixtures"][-380:]
    return [{"league": one["league"], "home": one["home"], "away": one["away"], "target": "1x2"} for one in known]


def has_prediction(answer):
    return answer.get("prediction") is not None


def check_same_model(bench):
    """Ours, asked for played matches of the holdout by their ids, against the peer's model on the exported features."""
    bench.peer_model()
    expected = json.loads((common.WORK / "service/expected.json").read_text())[::10]
    worst = 0
    with ours(bench) as server:
        server.wait_for("POST", "/predict", {"match": str(expected[0]["id"])}, has_prediction)
        for one in expected:
            status, answer = server.ask("POST", "/predict", {"match": str(one["id"]), "target": "1x2"})
            if status != 200 or not has_prediction(answer):
                raise common.Failed(f"match {one['id']}: {status} {answer}")
            worst = max(worst, *(abs(a - b) for a, b in zip(answer["prediction"].values(), one["p"])))
    if worst > 1e-9:
        raise common.Failed(f"the models differ: a probability by {worst}")
    return (f"both serve the same trees: the answers of our server for {len(expected)} played matches that neither learned equal the "
            f"peer's model on the exported features (largest difference {worst:g}).")
