"""The live connection as docs/protocols/websocket.md describes it: handshake, topics, logs, limits and ends, over WebSocket
(with a client that is not ours, and byte by byte) and as server-sent events."""
import datetime
import json
import re
import socket
import struct
import time

import openapi_check
import pytest
import websocket
from conftest import BINARY, PATIENCE, ROOT, assert_error, quickest, wait_for
from test_serve import add_fixtures, british, teams_of

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
TOPICS = re.findall(r'^TOPIC\(\w+, "(\w+)"', (ROOT / "src/api/topic_list.h").read_text(), re.MULTILINE)
ASK = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}


@pytest.fixture
def server(empty, serve):
    """No data: what is told needs none."""
    return serve(empty)


SCHEMAS = {"jobs": "Job", "queues": "Queue", "training": "TrainingStatus", "stats": "LiveStats",
           "value_bets": "LiveValueBets", "predictions": "LivePredictions"}


def check_schema(message):
    """What is told is what src/api/schema says, the data of an event too."""
    description = openapi_check.description_of(BINARY)
    description.validator("components", "schemas", "LiveMessage").validate(message)
    if message["type"] == "event":
        name = "LiveLogLines" if "lines" in message["data"] else SCHEMAS.get(message["topic"])
        if name in description.document["components"]["schemas"]:
            description.validator("components", "schemas", name).validate(message["data"])


class Client:
    """One WebSocket; every message is held against its schema."""

    def __init__(self, server, topics=(), timeout=PATIENCE, **options):
        self.socket = websocket.create_connection(f"ws://127.0.0.1:{server.port}/ws", timeout=timeout, **options)
        self.run, self.skipped = None, []
        if topics:
            self.subscribe(*topics)

    def send(self, **message):
        self.socket.send(json.dumps(message))

    def receive(self):
        """The next message, before the time-out: pings of the server do not make it longer."""
        end = time.monotonic() + self.socket.gettimeout()
        while True:
            opcode, data = self.socket.recv_data(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_TEXT:
                message = json.loads(data)
                check_schema(message)
                return message
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise websocket.WebSocketConnectionClosedException(f"closed by the server: {data!r}")
            if time.monotonic() > end:
                raise websocket.WebSocketTimeoutException("no message came")

    def ask(self, **message):
        """The answer to a message; events before it are put aside."""
        self.send(**message)
        while (answer := self.receive())["type"] == "event":
            self.skipped.append(answer)
        return answer

    def subscribe(self, *topics):
        answer = self.ask(type="subscribe", topics=list(topics), id=7)
        assert answer["type"] == "subscribed" and answer["id"] == 7, answer
        self.run = answer["run"]
        return answer["seq"]

    def events(self, topic, until=lambda data: False, timeout=PATIENCE):
        """The events of a topic, up to the one whose data is meant."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            message = self.receive()
            assert message["type"] == "event", message
            if message["topic"] == topic:
                yield message
                if until(message["data"]):
                    return
        pytest.fail(f"no such event of {topic} in {timeout} s")

    def lines(self, job):
        """All lines of a log, and how the job ended."""
        events = [event for event in self.skipped if event["topic"] == f"logs:{job}"]
        if not events or "state" not in events[-1]["data"]:
            events += self.events(f"logs:{job}", lambda data: "state" in data)
        return [line for event in events for line in event["data"].get("lines", [])], events[-1]["data"]["state"]

    def close_code(self):
        """The code of the close frame that comes next, whatever comes before; None: none came."""
        try:
            while True:
                opcode, data = self.socket.recv_data(control_frame=True)
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    return struct.unpack("!H", data[:2])[0] if len(data) >= 2 else 1005
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close(timeout=2)


def run_job(server, **options):
    answer = server.post("/api/jobs", {"task": "selftest", "options": options})
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


# ---- handshake ----

def test_handshake(server):
    answer = server.raw((f"GET /ws HTTP/1.1\r\nHost: localhost:{server.port}\r\n"
                         + "".join(f"{name}: {value}\r\n" for name, value in ASK.items()) + "\r\n").encode()
                        + b"\x88\x80\0\0\0\0")  # and a close frame at once
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert re.search(rb"(?i)\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=", head)
    assert rest == b"\x88\x00"


@pytest.mark.parametrize("headers, status, part", [
    ({}, 426, "WebSocket only"),
    ({**ASK, "Upgrade": "h2c"}, 426, "WebSocket only"),
    ({**ASK, "Sec-WebSocket-Version": "8"}, 426, "version '8'"),
    ({**ASK, "Connection": "keep-alive"}, 400, "Connection: Upgrade"),
    ({**ASK, "Sec-WebSocket-Key": "short"}, 400, "16 bytes"),
    ({**ASK, "Origin": "http://evil.example"}, 403, "evil.example"),
    ({**ASK, "Origin": "null"}, 403, "null"),
    ({**ASK, "Host": "evil.example"}, 403, "evil.example"),
])
def test_refused_handshakes(server, headers, status, part):
    answer = server.get("/ws", headers=headers)
    assert part in assert_error(answer, status)["message"]
    if status == 426:
        assert answer.headers["Sec-WebSocket-Version"] == "13" and answer.headers["Upgrade"] == "websocket"
    assert server.get("/health").status_code == 200


def test_page_of_this_server_is_welcome(server):
    with Client(server, origin=f"http://127.0.0.1:{server.port}") as client:
        assert client.ask(type="ping") == {"type": "pong"}


# ---- messages ----

def test_ping_and_ids(server):
    with Client(server) as client:
        assert client.ask(type="ping", id="a") == {"type": "pong", "id": "a"}
        assert client.ask(type="ping", id=1) == {"type": "pong", "id": 1}
        client.socket.ping("beat")
        assert client.socket.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"beat")


def test_every_topic_can_be_followed_and_left(server):
    with Client(server) as client:
        answer = client.ask(type="subscribe", topics=TOPICS)
        assert answer["type"] == "subscribed" and answer["topics"] == TOPICS and set(answer["seq"]) == set(TOPICS)
        answer = client.ask(type="unsubscribe", topics=TOPICS)
        assert answer["type"] == "unsubscribed" and answer["topics"] == TOPICS
        client.socket.settimeout(1.5)
        with pytest.raises(websocket.WebSocketTimeoutException):
            client.receive()  # stats would have come


@pytest.mark.parametrize("text, field", [
    ("{", None), ("[]", None), ("{}", "type"), ('{"type":"fly"}', "type"), ('{"type":"subscribe"}', "topics"),
    ('{"type":"subscribe","topics":["nothing"]}', "topics"), ('{"type":"subscribe","topics":[1]}', "topics"),
    ('{"type":"subscribe","topics":["logs:0"]}', "topics"), ('{"type":"subscribe","topics":["logs:1@-1"]}', "topics"),
    ('{"type":"subscribe","topics":["logs:x"]}', "topics"), ('{"type":"ping","id":{}}', "id"),
    ('{"type":"ping","more":1}', "more"), (json.dumps({"type": "subscribe", "topics": ["jobs"] * 65}), "topics"),
])
def test_messages_that_cannot_be_understood(server, text, field):
    with Client(server) as client:
        client.socket.send(text)
        answer = client.receive()
        assert answer["type"] == "error" and set(answer["error"]) == {"code", "message", "field"}, answer
        assert answer["error"]["code"] == "invalid" and answer["error"]["field"] == field, answer
        assert client.ask(type="ping") == {"type": "pong"}  # the connection goes on


def test_an_unknown_topic_changes_nothing(server):
    with Client(server) as client:
        answer = client.ask(type="subscribe", topics=["stats", "nothing"], id=3)
        assert answer["type"] == "error" and answer["id"] == 3
        client.socket.settimeout(1.5)
        with pytest.raises(websocket.WebSocketTimeoutException):
            client.receive()


def test_log_of_a_job_that_does_not_exist(server):
    with Client(server) as client:
        answer = client.ask(type="subscribe", topics=["logs:99"])
        assert answer["type"] == "error" and answer["error"]["code"] == "not_found"


def test_a_log_is_followed_on_when_it_cannot_be_from_elsewhere(server):
    with Client(server) as client:
        job_id = run_job(server, steps=1500, step_ms=1, lines=1)
        client.subscribe(f"logs:{job_id}")
        answer = client.ask(type="subscribe", topics=[f"logs:{job_id}@999999999"])
        assert answer["type"] == "error"
        lines, state = client.lines(job_id)
        assert state == "succeeded" and len(lines) > 1000


# ---- topics ----

def test_a_job_from_beginning_to_end(server):
    with Client(server, ["jobs", "queues"]) as client:
        job_id = run_job(server, steps=60, step_ms=25)
        seen, seqs, queues = [], [], []
        while not seen or seen[-1]["state"] != "succeeded":
            message = client.receive()
            if message["topic"] == "jobs":
                seen.append(message["data"])
                seqs.append(message["seq"])
            else:
                queues.append(message["data"])
        assert {job["id"] for job in seen} == {job_id}
        states = [job["state"] for job in seen]
        assert states[0] in ("queued", "running") and "running" in states
        assert seqs == sorted(seqs) and len(set(seqs)) == len(seqs)
        done = [job["done"] for job in seen if job["state"] == "running"]
        assert done == sorted(done) and len(done) >= 2
        assert seen[-1] == server.job(job_id)["job"] | {"warning": seen[-1]["warning"]}
        def is_over(queue):
            return not queue["is_running"] and queue["completed"] > 0
        if not queues or not is_over(queues[-1]):
            queues += [event["data"] for event in client.events("queues", is_over)]
        assert any(queue["is_running"] and queue["current"] == job_id for queue in queues)
        own = {queue["name"]: queue for queue in server.get("/api/queues").json()["queues"]}
        assert queues[-1] == own[queues[-1]["name"]]


def test_pause_is_told(server):
    with Client(server, ["queues", "training"]) as client:
        assert server.post("/api/queues/training/pause").status_code == 200
        for event in client.events("queues", lambda data: data["name"] == "training" and data["is_paused"]):
            pass
        assert event["data"]["paused_by"] == "api"
        assert server.post("/api/queues/training/resume").status_code == 200
        for event in client.events("training", lambda data: not data["is_paused"]):
            pass
        assert event["data"] == server.get("/api/training/status").json()


def test_progress_is_told_at_most_every_100_ms(server):
    with Client(server, ["jobs"]) as client:
        begin = time.monotonic()
        run_job(server, steps=2000, step_ms=0, lines=0)
        events = list(client.events("jobs", lambda data: data["state"] == "succeeded"))
        running = [event for event in events if event["data"]["state"] == "running"]
        assert len(running) <= 3 + (time.monotonic() - begin) / 0.1


def test_stats(server):
    with Client(server, ["stats"]) as client, Client(server):
        events = list(client.events("stats", lambda data: data["ws_clients"] == 2))
        first, second = events[-1], next(client.events("stats"))
        assert second["seq"] == first["seq"] + 1
        stats = second["data"]
        assert set(stats) == {"jobs_running", "queue_length", "predictions_total", "predict_per_s", "uptime_s", "ws_clients", "memory_bytes"}
        assert stats["ws_clients"] == 2 and stats["memory_bytes"] > 1 << 20 and stats["queue_length"] == 0
        assert second["data"]["uptime_s"] - first["data"]["uptime_s"] > 0.5


def test_predictions_of_matches_to_come(trained, serve, league):
    home, away = teams_of(trained, league)
    soon = british((datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=2)).isoformat())
    add_fixtures(trained, league, [(soon, home, away, "news-1")])
    own_id = trained.one("SELECT id FROM match WHERE source_id = 'news-1'")
    server = serve(trained)
    server.wait_ready()
    with Client(server, ["predictions"]) as client:
        answer = wait_for(lambda: (got := server.predict(match=own_id))["prediction"] and got, 30, "the fixture can be predicted")
        data = list(client.events("predictions", lambda data: True))[-1]["data"]
        told = data["predictions"][0]
        assert data["count"] == 1 and told["match_id"] == own_id
        assert told["version"] == answer["model"]["version"] and set(told["p"]) == {"home", "draw", "away"}
        client.socket.settimeout(2.5)
        server.predict(match=own_id)  # the same again is no news
        with pytest.raises(websocket.WebSocketTimeoutException):
            client.receive()


def test_seq_counts_while_nobody_listens(server):
    with Client(server) as client:
        before = client.subscribe("jobs")["jobs"]
        assert client.ask(type="unsubscribe", topics=["jobs"])["type"] == "unsubscribed"
        server.wait_job(run_job(server, steps=1, step_ms=1))
        assert client.subscribe("jobs")["jobs"] >= before + 2


# ---- logs ----

def test_log_whole_and_from_an_offset(server):
    job_id = run_job(server, steps=10, step_ms=20, lines=30)
    with Client(server, [f"logs:{job_id}"]) as client:
        lines, state = client.lines(job_id)
    assert state == "succeeded"
    assert [line["next"] for line in lines[:-1]] == [line["offset"] for line in lines[1:]] and lines[0]["offset"] == 0
    file = server.almanac.data_dir / "logs" / f"{job_id}.log"
    assert "".join(f"{line['at']} {line['text']}\n" for line in lines) == file.read_text()
    middle = lines[len(lines) // 2]
    with Client(server, [f"logs:{job_id}@{middle['offset']}"]) as client:
        assert client.lines(job_id) == (lines[len(lines) // 2:], state)
    with Client(server) as client:
        answer = client.ask(type="subscribe", topics=[f"logs:{job_id}@{file.stat().st_size + 1}"])
        assert answer["type"] == "error" and "outside" in answer["error"]["message"]


def test_followers_that_come_and_go_see_the_same_lines(server):
    job_id = run_job(server, steps=150, step_ms=10, lines=10)
    with Client(server, [f"logs:{job_id}"]) as whole:
        pieces, offset = [], 0
        for _ in range(4):  # each goes on where the last was
            with Client(server, [f"logs:{job_id}@{offset}"]) as client:
                for event in client.events(f"logs:{job_id}"):
                    pieces += event["data"].get("lines", [])
                    offset = pieces[-1]["next"]
                    if len(pieces) % 3 == 0 or "state" in event["data"]:
                        break
        with Client(server, [f"logs:{job_id}@{offset}"]) as client:
            pieces += client.lines(job_id)[0]
        assert whole.lines(job_id)[0] == pieces


def test_at_most_eight_logs(server):
    jobs = [run_job(server, steps=1, step_ms=1) for _ in range(9)]
    server.post("/api/queues/default/pause")
    held = [run_job(server, steps=1, step_ms=1) for _ in range(9)]
    with Client(server) as client:
        client.subscribe(*(f"logs:{job}" for job in held[:8]))
        assert "8 logs" in client.ask(type="subscribe", topics=[f"logs:{held[8]}"])["error"]["message"]
        assert client.ask(type="unsubscribe", topics=[f"logs:{held[0]}"])["type"] == "unsubscribed"
        client.subscribe(f"logs:{held[8]}")
    assert len(jobs) == 9


def test_a_long_log_waits_for_a_slow_reader(server):
    job_id = run_job(server, steps=20, step_ms=1, lines=5000)
    server.wait_job(job_id)
    with Client(server, [f"logs:{job_id}"]) as client:
        time.sleep(1)  # megabytes wait in the server's file, not in its memory
        lines, state = client.lines(job_id)
    assert len([line for line in lines if "line" in line["text"]]) == 100_000 and state == "succeeded"


# ---- ends ----

def raw_socket(server):
    """After the handshake, nothing in between."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    connection.sendall((f"GET /ws HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"{k}: {v}\r\n" for k, v in ASK.items()) + "\r\n").encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    assert head.startswith(b"HTTP/1.1 101 ")
    return connection


def masked(first, payload):
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0x80 | 126]) + struct.pack("!H", len(payload))
    return bytes([first]) + length + b"\0\0\0\0" + payload


@pytest.mark.parametrize("frames, code", [
    (b"\x81\x02hi", 1002),                                # not masked
    (masked(0xc1, b"hi"), 1002),                          # a reserved bit
    (masked(0x83, b"hi"), 1002),                          # a reserved opcode
    (masked(0x80, b"hi"), 1002),                          # goes on with nothing
    (masked(0x09, b"hi"), 1002),                          # a ping in pieces
    (masked(0x82, b"hi"), 1003),                          # binary
    (masked(0x81, b"\xff"), 1007),                        # not UTF-8
    (masked(0x81, b"x" * 20000), 1009),                   # too long
    (masked(0x01, b"x" * 16384) + masked(0x80, b"x"), 1009),
    (masked(0x88, struct.pack("!H", 1000)), 1000),        # the client closes
    (masked(0x88, b""), 1005),
    (masked(0x88, struct.pack("!H", 999)), 1002),
])
def test_close_codes(server, frames, code):
    connection = raw_socket(server)
    connection.sendall(frames)
    first, length = connection.recv(1), connection.recv(1)
    assert first == b"\x88"
    body = connection.recv(length[0]) if length[0] else b""
    assert (struct.unpack("!H", body[:2])[0] if body else 1005) == code
    connection.close()


def test_too_many_messages(server):
    with Client(server) as client:  # all of them at once, or they may not be too many for a second
        client.socket.sock.sendall(150 * masked(0x81, b'{"type":"ping"}'))
        assert client.close_code() == 1008


def test_a_client_that_does_not_read_costs_nobody_anything(server):
    slow = raw_socket(server)
    with Client(server, ["jobs"]) as client:
        slow.sendall(masked(0x81, b'{"type":"subscribe","topics":["jobs","stats"]}'))
        for _ in range(3):
            job_id = run_job(server, steps=3, step_ms=1)
            list(client.events("jobs", lambda data: data["id"] == job_id and data["state"] == "succeeded"))
    slow.close()
    wait_for(lambda: Client(server).ask(type="ping") == {"type": "pong"}, 5, "the server answers")


def test_clients_that_vanish_are_forgotten(server):
    connections = [raw_socket(server) for _ in range(200)]
    with Client(server, ["stats"]) as client:
        list(client.events("stats", lambda data: data["ws_clients"] == 201))
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()  # with a reset
        list(client.events("stats", lambda data: data["ws_clients"] == 1))
    wait_for(lambda: server.get("/health").json()["connections"] <= 2, 20, lambda: server.get("/health").text)


def test_server_stops_and_comes_back(empty, serve):
    def stop():
        server = serve(empty)
        client = Client(server, ["jobs"])
        server.process.terminate()
        assert client.close_code() == 1001 and server.process.wait(PATIENCE) == 0
        return client
    client = quickest(stop, 6)
    again = serve(empty)
    with Client(again, ["jobs"]) as back:
        assert back.run != client.run  # seq begins anew
        job_id = run_job(again, steps=1, step_ms=1)
        list(back.events("jobs", lambda data: data["id"] == job_id and data["state"] == "succeeded"))


def test_log_goes_on_after_a_kill_of_the_server(empty, serve):
    server = serve(empty)
    job_id = run_job(server, steps=300, step_ms=10, lines=2)
    with Client(server, [f"logs:{job_id}"]) as client:
        lines = []
        for event in client.events(f"logs:{job_id}", lambda data: len(lines) > 40):
            lines += event["data"]["lines"]
        server.kill()
        assert client.close_code() is None
    again = serve(empty)
    with Client(again, [f"logs:{job_id}@{lines[-1]['next']}"]) as client:
        more, state = client.lines(job_id)
    assert state == "succeeded" and more[0]["offset"] == lines[-1]["next"]


# ---- many ----

def test_a_thousand_clients_hear_the_same(server):
    clients = [raw_socket(server) for _ in range(1000)]
    for client in clients:
        client.sendall(masked(0x81, b'{"type":"subscribe","topics":["stats"]}'))

    def read(client, size):
        data = b""
        while len(data) < size:
            data += client.recv(size - len(data))
        return data

    def frame(client):
        head = read(client, 2)
        size = head[1] if head[1] < 126 else struct.unpack("!H", read(client, 2))[0]
        return json.loads(read(client, size))

    assert {frame(client)["type"] for client in clients} == {"subscribed"}
    newest = max(frame(client)["seq"] for client in clients)
    for client in clients:
        while frame(client)["seq"] < newest + 1:
            pass
        client.close()
    assert server.get("/health").status_code == 200


# ---- server-sent events ----

def read_events(response, count, is_enough=lambda events: True):
    """So many, and on until it is enough."""
    events, event = [], {}
    for raw in response.iter_lines(chunk_size=1):
        line = raw.decode()
        if not line and event:
            events.append(event)
            event = {}
            if len(events) >= count and is_enough(events):
                return events
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value
    return events


def test_events_as_a_stream(server):
    response = server.get("/api/events", params={"topics": "jobs,stats"}, stream=True)
    assert response.status_code == 200 and response.headers["Content-Type"].startswith("text/event-stream")
    job_id = run_job(server, steps=1, step_ms=1)
    events = read_events(response, 4, lambda events: events[-1]["event"] == "jobs")
    assert events[0]["event"] == "subscribed"
    assert json.loads(events[0]["data"])["topics"] == ["jobs", "stats"]
    assert {event["event"] for event in events[1:]} <= {"jobs", "stats"}
    jobs = [json.loads(event["data"]) for event in events if event["event"] == "jobs"]
    assert jobs and all(job["id"] == job_id for job in jobs)
    response.close()


def test_log_as_a_stream_and_its_reconnection(server):
    job_id = run_job(server, steps=5, step_ms=10, lines=5)
    server.wait_job(job_id)
    path = f"/api/events?topics=logs:{job_id}"
    response = server.get(path, stream=True)
    events = read_events(response, 3)
    response.close()
    assert [event["event"] for event in events] == ["subscribed", f"logs:{job_id}", f"logs:{job_id}"]
    lines = json.loads(events[1]["data"])["lines"]
    assert lines[0]["offset"] == 0 and int(events[1]["id"]) == lines[-1]["next"]
    assert json.loads(events[2]["data"]) == {"job_id": job_id, "state": "succeeded"}
    response = server.get(path, stream=True, headers={"Last-Event-ID": str(lines[-3]["offset"])})
    again = read_events(response, 2)
    response.close()
    assert json.loads(again[1]["data"])["lines"] == lines[-3:]


@pytest.mark.parametrize("query, status", [("", 400), ("?topics=", 400), ("?topics=nothing", 400), ("?topics=logs:9", 404),
                                           ("?topics=jobs,,stats", 400), ("?topics=logs:x", 400)])
def test_refused_streams(server, query, status):
    assert_error(server.get(f"/api/events{query}"), status, field="topics" if status == 400 else None)


# ---- the documentation ----

def test_the_documentation_names_what_there_is(server):
    text = (ROOT / "docs/protocols/websocket.md").read_text()
    for topic in TOPICS + ["logs:<job>"]:
        assert f"| `{topic}" in text, topic
    limits = (ROOT / "src/limits.h").read_text()
    for name, shown in [("LIMIT_WS_CLIENTS", "12,000"), ("LIMIT_WS_MESSAGES_PER_S", "100"), ("LIMIT_WS_FOLLOWED_LOGS", "8"),
                        ("LIMIT_WS_UNSENT_FRAMES", "1,024"), ("LIMIT_FOLLOWED_LOGS", "1,024")]:
        assert int(re.search(rf"#define {name} +(\d+)", limits)[1]) == int(shown.replace(",", "")) and shown in text
    with Client(server) as client:
        assert client.ask(type="subscribe", topics=TOPICS)["topics"] == TOPICS
