"""Notifications: signed webhooks and mail, against receivers of our own: up, down, failing, slow, false; nothing is lost
over kills and restarts, nothing is told twice without need, no secret is told at all."""
import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socket
import threading
import time

import pytest
from conftest import FAST, PATIENCE, assert_error, quickest, wait_for

SECRET = "a secret of some length".replace(" ", "-")
QUICK = ["--notify-retry-ms", "100", "--notify-timeout-ms", "60000"]  # nobody is given up because the machine is busy


def is_signed(headers, body, secret, tolerance=300):
    """What docs/notifications.md tells a receiver to do."""
    parts = dict(part.split("=", 1) for part in headers["X-Almanac-Signature"].split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"]) and abs(time.time() - int(parts["t"])) <= tolerance


class Receiver:
    """Takes webhooks; answers[n] is the status of the n-th request, the last one for all that follow. `held`: a socket with
    its port, on which nobody listens yet."""

    def __init__(self, held=None, answers=(204,), pause=0, location=None):
        self.requests, self.answers, self.pause = [], list(answers), pause
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.pause)
                index = len(receiver.requests)
                receiver.requests.append((self.path, dict(self.headers), body))
                self.send_response(receiver.answers[min(index, len(receiver.answers) - 1)])
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler, bind_and_activate=held is None)
        if held is not None:
            self.server.socket.close()
            self.server.socket, self.server.server_address = held, held.getsockname()
            self.server.server_activate()
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?token=of-the-path"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def events(self):
        return [json.loads(body)["event"] for _, _, body in list(self.requests)]

    def wait(self, count, timeout=15):
        wait_for(lambda: len(self.requests) >= count, timeout, lambda: f"{count} requests: {self.events()}")
        return [json.loads(body) for _, _, body in self.requests]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class MailSink:
    """A mail server that speaks just enough SMTP; refuses the first `refusals` mails."""

    def __init__(self, refusals=0):
        self.mails, self.refusals = [], refusals
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection, connection.makefile("rwb") as stream:
            def say(line):
                stream.write(line.encode() + b"\r\n")
                stream.flush()
            say("220 sink")
            mail = {"to": [], "login": None}
            for line in iter(stream.readline, b""):
                word = line.strip().upper()
                if word.startswith(b"EHLO"):
                    say("250-sink")
                    say("250 AUTH PLAIN")
                elif word.startswith(b"AUTH PLAIN"):
                    parts = line.split()
                    if len(parts) < 3:
                        say("334 ")
                        parts.append(stream.readline().strip())
                    mail["login"] = base64.b64decode(parts[2]).split(b"\0")[1:]
                    say("235 ok")
                elif word.startswith(b"MAIL FROM"):
                    mail["from"] = line.split(b"<")[1].split(b">")[0].decode()
                    say("250 ok")
                elif word.startswith(b"RCPT TO"):
                    mail["to"].append(line.split(b"<")[1].split(b">")[0].decode())
                    say("250 ok")
                elif word == b"DATA":
                    if self.refusals > 0:
                        self.refusals -= 1
                        say("451 try later")
                        continue
                    say("354 go on")
                    data = b""
                    while (part := stream.readline()) not in (b".\r\n", b""):
                        data += part[1:] if part.startswith(b".") else part
                    mail["data"] = data
                    mail["message"] = email.message_from_bytes(data, policy=email.policy.default)
                    self.mails.append(mail)
                    say("250 taken")
                elif word == b"QUIT":
                    say("221 bye")
                    return
                else:
                    say("502 what?")

    def wait(self, count, timeout=15):
        wait_for(lambda: len(self.mails) >= count, timeout, f"{count} mails")
        return self.mails


@pytest.fixture
def receive():
    """receive(**options): receivers that end with the test."""
    made = []

    def start(kind=Receiver, **options):
        made.append(kind(**options))
        return made[-1]

    yield start
    for receiver in made:
        if isinstance(receiver, Receiver):
            receiver.close()
        else:
            receiver.socket.close()


def add(server, receiver, **more):
    answer = server.post("/api/notifications/webhooks", {"url": receiver.url, "secret": SECRET, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["webhook"]["id"]


def deliveries(server, **query):
    answer = server.get("/api/notifications/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["deliveries"]


def wait_states(server, *states, timeout=20):
    wait_for(lambda: sorted(d["state"] for d in deliveries(server)) == sorted(states), timeout,
             lambda: f"{states}: {deliveries(server)}")
    return deliveries(server)


def train(server, league, **options):
    body = {"league": league, "parameters": "trees=25,leaves=7", "folds": 2, **options}
    return server.post("/train", body).json()["job_id"]


# ---- webhooks ----

def test_a_training_completes_and_fails(imported, league, serve, receive):
    server, all_, failures = serve(imported, *QUICK), receive(), receive()
    add(server, all_)
    add(server, failures, events=["failed", "drift"])
    good = train(server, league)
    version = server.wait_job(good)["result"]["version"]
    first = all_.wait(2)
    events = {payload["event"]: payload for payload in first}
    assert set(events) == {"promoted", "completed"}
    assert events["promoted"]["data"]["version"] == version and events["promoted"]["data"]["subject"] == league
    assert "nothing was in production" in events["promoted"]["data"]["why"]
    done = events["completed"]["data"]
    assert (done["job_id"], done["version"], done["stage"], done["error"]) == (good, version, "Production", None)
    assert done["duration_s"] > 0 and 0 < done["brier"] < 2 and done["options"]["league"] == league
    bad = train(server, league, **{"from": "2090-01-01"})
    assert server.wait_job(bad)["job"]["state"] == "failed"
    payload, = failures.wait(1)
    assert payload["event"] == "failed" and "matches to learn from" in payload["data"]["error"]
    assert payload["data"]["job_id"] == bad and payload["data"]["version"] is None
    all_.wait(3)
    for path, headers, body in all_.requests + failures.requests:
        assert path == "/hook?token=of-the-path" and headers["Content-Type"] == "application/json"
        assert is_signed(headers, body, SECRET) and headers["X-Almanac-Event"] == json.loads(body)["event"]
    assert len({headers["X-Almanac-Delivery"] for _, headers, _ in all_.requests}) == 3
    done = wait_states(server, *["delivered"] * 4)
    assert all(d["attempts"] == 1 and d["status"] == 204 and d["error"] is None and len(d["log"]) == 1 for d in done)
    time.sleep(0.6)  # and no more
    assert (len(all_.requests), len(failures.requests)) == (3, 1)


def test_bad_signatures_are_seen(empty, serve, receive):
    server, receiver = serve(empty, *QUICK), receive()
    add(server, receiver)
    server.post("/api/notifications/test")
    receiver.wait(1)
    _, headers, body = receiver.requests[0]
    assert is_signed(headers, body, SECRET)
    assert not is_signed(headers, body + b" ", SECRET)
    assert not is_signed(headers, body, SECRET + "x")
    later = dict(headers, **{"X-Almanac-Signature": headers["X-Almanac-Signature"].replace("t=", "t=1")})
    assert not is_signed(later, body, SECRET)
    assert not is_signed(headers, body, SECRET, tolerance=-1)


def test_500_then_taken(empty, serve, receive):
    server, receiver = serve(empty, *QUICK), receive(answers=[500, 503, 404, 200])
    add(server, receiver)
    server.post("/api/notifications/test")
    row, = wait_states(server, "delivered")
    assert row["attempts"] == 4 and [attempt["status"] for attempt in row["log"]] == [500, 503, 404, 200]
    assert row["log"][0]["error"] == "the receiver answered 500" and row["log"][3]["error"] is None
    bodies = {body for _, _, body in receiver.requests}
    assert len(bodies) == 1  # the same each time, and one delivery
    assert len({headers["X-Almanac-Delivery"] for _, headers, _ in receiver.requests}) == 1


def test_given_up(empty, serve, receive):
    server = serve(empty, *QUICK, "--notify-attempts", "3")
    receiver, gone = receive(answers=[500]), receive(answers=[410])
    add(server, receiver)
    add(server, gone)
    server.post("/api/notifications/test")
    rows = {row["target"]: row for row in wait_states(server, "given_up", "given_up")}
    assert rows[receiver.url]["attempts"] == 3 and rows[gone.url]["attempts"] == 1  # gone is gone
    assert all(row["ended_at"] and row["next_at"] is None for row in rows.values())
    assert deliveries(server, state="given_up", limit=1) == deliveries(server, limit=1)
    assert deliveries(server, state="waiting") == []


def test_down_then_up_over_a_restart(empty, serve, receive):
    """The receiver is down, the server is killed and started again, the receiver comes up: it is told."""
    held = socket.socket()  # refuses until somebody listens; and nobody else can take its port
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    server = serve(empty, *QUICK)
    answer = server.post("/api/notifications/webhooks", {"url": f"http://127.0.0.1:{port}/", "secret": SECRET})
    assert answer.status_code == 201
    server.post("/api/notifications/test")
    wait_for(lambda: deliveries(server) and deliveries(server)[0]["attempts"] >= 2, 10, "it was tried")
    row = deliveries(server)[0]
    assert row["state"] == "waiting" and row["status"] is None and "no answer from 127.0.0.1" in row["error"]
    assert row["next_at"] > row["created_at"]
    server.kill()
    server = serve(empty, *QUICK)
    receiver = receive(held=held)
    row, = wait_states(server, "delivered")
    assert receiver.events() == ["test"] and row["log"][-1]["status"] == 204 and row["attempts"] == len(row["log"])


def test_killed_in_the_middle(empty, serve, receive):
    """A kill while the receiver thinks: it is asked again, with the same delivery, so that it can tell."""
    receiver = receive(pause=0.6)
    server = serve(empty, *QUICK)
    add(server, receiver)
    for _ in range(3):
        server.post("/api/notifications/test")
    time.sleep(0.3)
    server.kill()
    server = serve(empty, *QUICK)
    wait_states(server, "delivered", "delivered", "delivered")
    ids = [json.loads(body)["id"] for _, _, body in receiver.requests]
    assert set(ids) == {1, 2, 3} and 3 <= len(ids) <= 4


def test_stops_quickly_while_a_receiver_is_slow(empty, serve, receive):
    receiver = receive(pause=2 * PATIENCE)
    server = serve(empty, *QUICK)
    add(server, receiver)
    server.post("/api/notifications/test")
    time.sleep(0.7)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 30
    assert empty.one("SELECT state FROM delivery") == "waiting"


def test_a_slow_receiver_holds_up_nobody(empty, serve, receive):
    slow, fast = receive(pause=2 * PATIENCE), receive()
    server = serve(empty, *QUICK)
    add(server, slow)
    add(server, fast)
    for _ in range(5):
        server.post("/api/notifications/test")
    fast.wait(5)  # long before the first request to the other one is given up
    assert quickest(lambda: server.get("/health"), 0.5).status_code == 200


def test_no_redirects_to_others(empty, serve, receive):
    other = receive()
    receiver = receive(answers=[307], location=other.url)
    server = serve(empty, *QUICK, "--notify-attempts", "1")
    add(server, receiver)
    server.post("/api/notifications/test")
    row, = wait_states(server, "given_up")
    assert row["status"] == 307 and not other.requests


def test_addresses_that_are_never_called(empty, serve):
    server = serve(empty, *QUICK)
    for url in ("http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://0.0.0.0:1/", "http://224.0.0.1/"):
        assert server.post("/api/notifications/webhooks", {"url": url, "secret": SECRET}).status_code == 201
    server.post("/api/notifications/test")
    rows = wait_states(server, *["given_up"] * 4)
    for row in rows:
        assert row["attempts"] == 1 and ("never called" in row["error"] or "no answer" in row["error"]), row


def test_bad_webhooks(empty, serve):
    server = serve(empty)
    good = {"url": "http://127.0.0.1:1/", "secret": SECRET}
    for change, field in (({"url": "ftp://host/"}, "url"), ({"url": "file:///etc/passwd"}, "url"), ({"url": "nonsense"}, "url"),
                          ({"url": "http://me:word@host/"}, "url"), ({"url": "http://a b/"}, "url"), ({"url": ""}, "url"),
                          ({"url": "http://h/" + "x" * 3000}, "url"), ({"url": 7}, "url"), ({"url": "http://h/\r\nX: y"}, "url"),
                          ({"events": ["exploded"]}, "events"), ({"events": "failed"}, "events"), ({"events": []}, "events"),
                          ({"events": [1]}, "events"), ({"events": ["failed,drift"]}, "events"), ({"secret": "short"}, "secret"),
                          ({"secret": "x" * 129}, "secret"), ({"secret": "with a blank in it"}, "secret"),
                          ({"note": "x" * 200}, "note"), ({"extra": 1}, "extra")):
        assert_error(server.post("/api/notifications/webhooks", {**good, **change}), 400, field=field)
    assert_error(server.post("/api/notifications/webhooks", {"secret": SECRET}), 400, field="url")
    assert server.get("/api/notifications/webhooks").json() == {
        "webhooks": [], "mail": {"is_configured": False, "from": None, "to": None, "events": []}}
    assert_error(server.post("/api/notifications/test"), 409)
    assert_error(server.post("/api/notifications/test", {"webhook_id": 5}), 404)
    assert_error(server.post("/api/notifications/test", {"webhook_id": -5}), 400)
    assert_error(server.request("DELETE", "/api/notifications/webhooks/5"), 404)
    assert_error(server.get("/api/notifications/deliveries?state=lost"), 400, field="state")
    for _ in range(32):
        assert server.post("/api/notifications/webhooks", good).status_code == 201
    assert_error(server.post("/api/notifications/webhooks", good), 409)


def test_secrets_are_not_told(empty, serve, receive):
    """Given: never. Made here: once."""
    server, receiver = serve(empty, *QUICK, "--log-level", "debug", "--notify-attempts", "2"), receive(answers=[500])
    server.post("/api/notifications/webhooks", {"url": receiver.url, "secret": SECRET})
    made = server.post("/api/notifications/webhooks", {"url": receiver.url, "note": "mine", "events": ["failed", "failed"]},
                       headers={"X-Almanac-Who": "me"}).json()
    secret = made["secret"]
    assert len(secret) == 64 and made["webhook"]["events"] == ["failed"] and made["webhook"]["who"] == "me"
    server.post("/api/notifications/test")
    wait_states(server, "given_up", "given_up")
    signed = [is_signed(headers, body, SECRET) + 2 * is_signed(headers, body, secret) for _, headers, body in receiver.requests]
    assert sorted(set(signed)) == [1, 2]
    shown = "".join(server.get(path).text for path in ("/api/notifications/webhooks", "/api/notifications/deliveries", "/metrics",
                                                       "/health"))
    assert SECRET not in shown and secret not in shown
    assert SECRET not in server.log() and secret not in server.log() and "of-the-path" not in server.log()
    assert len(server.get("/api/notifications/webhooks").json()["webhooks"]) == 2


def test_deleted_while_waiting(empty, serve, receive):
    server, receiver = serve(empty, *QUICK), receive(answers=[500])
    id_ = add(server, receiver)
    server.post("/api/notifications/test", {"webhook_id": id_})
    receiver.wait(1)
    assert server.request("DELETE", f"/api/notifications/webhooks/{id_}").json() == {"deleted": id_}
    row, = wait_states(server, "given_up")
    assert row["error"] == "the webhook was deleted" or "500" in row["error"]
    time.sleep(0.3)
    count = len(receiver.requests)
    time.sleep(0.8)
    assert len(receiver.requests) == count


def test_promoted_from_the_terminal(trained, league, serve, receive):
    """An event made by another process is told by the server; one made while it is down is told when it is up again."""
    receiver = receive()
    server = serve(trained, *QUICK)
    add(server, receiver, events=["promoted"])
    version = trained.one("SELECT version FROM version WHERE variant = '1x2' AND bot = 'lightgbm'")
    server.request("POST", f"/api/models/versions/{version}/archive")
    trained.run("models", "promote", version, "--why", "by the terminal")
    payload, = receiver.wait(1)
    assert payload["data"]["version"] == version and payload["data"]["why"] == "by the terminal"
    assert payload["data"]["who"].startswith("cli")
    server.stop()
    trained.run("models", "archive", version)
    trained.run("models", "promote", version, "--why", "at night")
    server = serve(trained, *QUICK)
    assert receiver.wait(2)[1]["data"]["why"] == "at night"


def test_old_events_are_not_told_to_new_webhooks(trained, league, serve, receive):
    server = serve(trained, *QUICK)
    time.sleep(0.6)
    receiver = receive()
    add(server, receiver)
    time.sleep(0.6)
    assert receiver.requests == []


# ---- mail ----

def test_mail(imported, league, serve, receive):
    sink = receive(MailSink)
    server = serve(imported, *QUICK, "--smtp-url", sink.url, "--smtp-from", "almanac@example.org", "--smtp-to",
                   "ann@example.org, bob@example.org", "--smtp-events", "failed,promoted")
    assert server.get("/api/notifications/webhooks").json()["mail"] == {
        "is_configured": True, "from": "almanac@example.org", "to": "ann@example.org, bob@example.org",
        "events": ["failed", "promoted"]}
    server.wait_job(train(server, league))
    bad = train(server, league, **{"from": "2090-01-01"})
    server.wait_job(bad)
    mails = {str(mail["message"]["Subject"]): mail for mail in sink.wait(2)}
    assert set(mails) == {f"[Almanac] now in production: {league}/1x2/lightgbm", "[Almanac] training failed: " + next(
        s for s in mails if "failed" in s).split(": ", 1)[1]}
    failed = next(mail for subject, mail in mails.items() if "failed" in subject)
    assert failed["from"] == "almanac@example.org" and failed["to"] == ["ann@example.org", "bob@example.org"]
    text = failed["message"].get_content()
    assert f"job_id         {bad}" in text and "matches to learn from" in text
    assert failed["message"]["Date"].datetime.year >= 2020 and failed["message"]["Message-ID"]
    assert max(len(line) for line in failed["data"].split(b"\r\n")) <= 78
    rows = wait_states(server, "delivered", "delivered")
    assert {row["channel"] for row in rows} == {"mail"} and all(row["webhook_id"] is None for row in rows)


def test_mail_with_a_password_and_refusals(empty, serve, receive):
    sink = receive(MailSink, refusals=2)
    server = serve(empty, *QUICK, "--smtp-url", sink.url, "--smtp-to", "ann@example.org", "--smtp-user", "me", "--smtp-password",
                   SECRET, "--log-level", "debug")
    assert server.post("/api/notifications/test").json()["deliveries"] == 1
    mail, = sink.wait(1)
    assert mail["login"] == [b"me", SECRET.encode()]
    row, = wait_states(server, "delivered")
    assert row["attempts"] == 3 and [a["status"] for a in row["log"]][:2] == [451, 451]
    assert SECRET not in server.log() and SECRET not in server.get("/api/notifications/webhooks").text
    assert SECRET not in json.dumps(deliveries(server))


@pytest.mark.parametrize("flags", [["--smtp-url", "http://host", "--smtp-to", "a@b"], ["--smtp-url", "smtp://host", "--smtp-to", "nobody"],
                                   ["--smtp-url", "smtp://host", "--smtp-to", "a@b", "--smtp-from", "x y@z"],
                                   ["--smtp-url", "smtp://host", "--smtp-to", "a@b", "--smtp-events", "everything"],
                                   ["--smtp-url", "smtp://host", "--smtp-to", "a@b\r\nBcc: c@d"]])
def test_mail_settings_that_cannot_work(empty, flags):
    done = empty.run("serve", "--port", "0", *flags, check=False, timeout=20)
    assert done.returncode == 2 and "listening" not in done.stdout
