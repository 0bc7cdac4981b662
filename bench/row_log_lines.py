"""log_lines: from a line that a job's process writes to the event in each of 20 clients, at 2,000 lines a second or more.

The child is the task `selftest`, which writes the moment at which it logs into each line. The clients are sockets of one
Python process that notes when which bytes arrived and reads them only afterwards. Checked: every client has every line,
once and in order. Measured with 20 clients over WebSocket, 20 over /api/events, and 20 that follow the older route of one
log, which tells each line by itself."""

import base64
import json
import os
import re
import selectors
import shutil
import socket
import statistics
import struct
import time

import common
import servers

NAME, ORDER = "log_lines", 15
CLIENTS, SECONDS, WARM_UP_S, WANTED_MS = 20, 6, 1, 50
STEP_MS, LINES = 4, 12  # a step takes a little longer than it sleeps: the rate is measured
STAMP = re.compile(r"step (\d+) line (\d+) at (\d+) us")


class Client:
    """A connection; `pieces` are (moment, bytes) as they came."""

    def __init__(self, port, request, follow=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.sendall(request.encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        self.head = head
        if follow is not None:
            self.socket.sendall(follow)
        self.pieces = []

    def bytes_with_times(self):
        data = b"".join(piece for _, piece in self.pieces)
        ends, total = [], 0
        for at, piece in self.pieces:
            total += len(piece)
            ends.append((total, at))
        return data, ends


def websocket_client(port, job):
    text = json.dumps({"type": "subscribe", "topics": [f"logs:{job}"]}).encode()
    key = base64.b64encode(os.urandom(16)).decode()
    return Client(port, f"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n",
                  bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)


def events_client(port, job):
    return Client(port, f"GET /api/events?topics=logs:{job} HTTP/1.0\r\nHost: localhost\r\n\r\n")


def log_client(port, job):
    return Client(port, f"GET /api/jobs/{job}/logs HTTP/1.0\r\nHost: localhost\r\n\r\n")


def moments(ends):
    """arrived(end): when the byte before `end` was there; ends are asked for in order."""
    index = 0

    def arrived(end):
        nonlocal index
        while ends[index][0] < end:
            index += 1
        return ends[index][1]
    return arrived


def websocket_lines(client):
    data, ends = client.bytes_with_times()
    arrived, at = moments(ends), 0
    while at + 2 <= len(data):
        size, header = data[at + 1], 2
        if size == 126:
            size, header = struct.unpack_from("!H", data, at + 2)[0], 4
        elif size == 127:
            size, header = struct.unpack_from("!Q", data, at + 2)[0], 10
        if data[at] == 0x81:
            message = json.loads(data[at + header:at + header + size])
            for line in message.get("data", {}).get("lines", []):
                yield line["text"], arrived(at + header + size)
        at += header + size


def stream_events(client):
    data, ends = client.bytes_with_times()
    arrived, at = moments(ends), 0
    while (end := data.find(b"\n\n", at)) >= 0:
        fields = dict(line.split(b": ", 1) for line in data[at:end].split(b"\n") if b": " in line)
        yield fields.get(b"event", b"").decode(), fields.get(b"data", b"").decode(), arrived(end + 2)
        at = end + 2


def events_lines(client):
    for name, data, at in stream_events(client):
        if name.startswith("logs:"):
            for line in json.loads(data).get("lines", []):
                yield line["text"], at


def log_lines(client):
    for name, data, at in stream_events(client):
        if name == "log":
            yield data, at


KINDS = {"WebSocket": (websocket_client, websocket_lines), "server-sent events": (events_client, events_lines),
         "one log's own route": (log_client, log_lines)}


def listen(clients, until):
    """Notes what comes until until() or the end of all; nothing is read in between, so that the clients are quick."""
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    looked = time.monotonic()
    while selector.get_map():
        for key, _ in selector.select(0.2):
            piece = key.fileobj.recv(1 << 16)
            now = time.time()
            if piece:
                key.data.pieces.append((now, piece))
            else:
                selector.unregister(key.fileobj)
        if time.monotonic() - looked > 0.5:
            looked = time.monotonic()
            if until():
                break
    for client in clients:
        client.socket.close()
    selector.close()


def measure(server, kind):
    connect, read = KINDS[kind]
    steps = (SECONDS + WARM_UP_S) * 1000 // STEP_MS
    status, answer = server.ask("POST", "/api/jobs", {"task": "selftest", "options": {
        "steps": steps, "step_ms": STEP_MS, "lines": LINES}})
    if status != 202:
        raise common.Failed(f"the job is not accepted: {answer}")
    job = answer["job_id"]
    clients = [connect(server.port, job) for _ in range(CLIENTS)]
    ended = []

    def is_over():
        if server.ask("GET", f"/api/jobs/{job}")[1]["job"]["ended_at"] is not None:
            ended.append(True)
        return len(ended) > 1  # and half a second for what is under way
    listen(clients, is_over)
    took, rates = [], []
    for client in clients:
        stamps = [(tuple(map(int, STAMP.search(text).groups())), at) for text, at in read(client) if STAMP.search(text)]
        order = [stamp[:2] for stamp, _ in stamps]
        if order != [(step + 1, line) for step in range(steps) for line in range(LINES)]:
            raise common.Failed(f"a client of {kind} has {len(order)} lines, not every line once and in order")
        first = stamps[0][0][2]
        took += [at * 1000 - stamp[2] / 1000 for stamp, at in stamps if stamp[2] - first > WARM_UP_S * 1e6]
        rates.append(len(stamps) / (stamps[-1][0][2] - first) * 1e6)
    took.sort()
    return {"p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100], "worst": took[-1], "rate": statistics.mean(rates)}


def run(bench):
    folder = common.WORK / "log-lines"
    shutil.rmtree(folder, ignore_errors=True)
    command = [common.BINARY, "serve", "--port", port := servers.free_port(), "--data-dir", folder]
    with servers.Server(command, port) as server:
        server.wait_for("GET", "/health")
        results = common.alternate(bench.runs, **{kind: lambda kind=kind: measure(server, kind) for kind in KINDS})
    lines = []
    for kind, runs in results.items():
        p50, p99, worst, rate = (common.median(runs, key) for key in ("p50", "p99", "worst", "rate"))
        lines.append(common.line(
            f"line to event, p50 / p99, {CLIENTS} clients, {rate:,.0f} lines/s, {kind}", f"{p50:.1f} / {p99:.1f} ms", "",
            f"worst {worst:.1f} ms", f"p99 below {WANTED_MS} ms", p99 < WANTED_MS,
            f"Every client has every line, once and in order; {SECONDS} s after {WARM_UP_S} s of warming up.",
            [common.shown(["build/almanac", "serve", "--port", 5050, "--data-dir", "build/bench/log-lines"]),
             "bench/run.sh log_lines"]))
    return lines
