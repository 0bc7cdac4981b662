"""A property fuzzer of the HTTP API, driven by /openapi.json: schemathesis makes requests that fit the description and such
that do not; names that exist (leagues, teams, jobs, versions, ...) are put in their place now and then, so that the answers
are not all 404. What must hold for every exchange: no 5xx, no broken connection, and what openapi_check.py demands.

Reproducible: the same seed, description and data give the same requests.
"""
import collections
import random
import time
import warnings

import hypothesis
import openapi_check
import requests
import schemathesis
from schemathesis.generation import GenerationMode

MOST_FAILURES = 3  # per operation; the others would say the same


class Fuzzer:
    def __init__(self, server, description, known, seed):
        self.server = server
        self.description = description
        self.known = known  # name of a parameter or member -> values that exist
        self.seed = seed
        self.random = None  # of the operation, so that one more or less changes nothing for the others
        self.session = requests.Session()
        self.session.trust_env = False
        self.asked_at = time.monotonic()
        self.statuses = collections.defaultdict(collections.Counter)  # operation -> status -> requests
        self.failures = []

    @property
    def requests(self):
        return sum(sum(counter.values()) for counter in self.statuses.values())

    def run(self, count, seconds, quiet=lambda: None):
        """About `count` requests over all operations, those that delete last; quiet() is called between operations. After
        `seconds` each operation is asked once: a last resort, as what is asked depends on the machine then."""
        schema = schemathesis.openapi.from_dict(self.description.document)
        operations = [result.ok() for result in schema.get_all_operations()]
        operations = [operation for operation in operations if not self.is_upgrade(operation)]
        operations.sort(key=lambda operation: (operation.method.lower() == "delete", self.has_choice(operation)))
        end = time.monotonic() + seconds
        for index, operation in enumerate(operations):
            share = max(2, (count - self.requests) // (len(operations) - index))
            self.random = random.Random(f"{self.seed} {operation.label}")
            self.fuzz(operation, share, end)
            quiet()
        return self

    def has_choice(self, operation):
        """What has none takes one request of its share; the rest is for the others."""
        raw = operation.definition.raw
        return bool(raw.get("parameters") or raw.get("requestBody"))

    def is_upgrade(self, operation):
        return "101" in operation.definition.raw["responses"]

    def fuzz(self, operation, count, limit):
        left = count
        for mode, share in ((GenerationMode.POSITIVE, 0.6), (GenerationMode.NEGATIVE, 1)):
            wanted = max(1, round(left * share))
            made = self.fuzz_mode(operation, mode, wanted, limit)
            left -= made
            if left <= 0:
                return

    def fuzz_mode(self, operation, mode, count, limit):
        made = 0

        @hypothesis.seed(self.seed)
        @hypothesis.settings(max_examples=count, phases=[hypothesis.Phase.generate], database=None, deadline=None,
                             suppress_health_check=list(hypothesis.HealthCheck), verbosity=hypothesis.Verbosity.quiet)
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def body(case):
            nonlocal made
            if time.monotonic() < limit or operation.label not in self.statuses:
                made += 1
                self.send(operation.label, case, 0.8 if mode == GenerationMode.POSITIVE else 0.3)

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body()
        except hypothesis.errors.Unsatisfiable:
            pass  # nothing can be wrong with a request that has no parameter
        return made

    def put_known(self, values, share):
        """Names that exist in this share of the places for names."""
        if isinstance(values, list):
            for item in values:
                self.put_known(item, share)
        if not isinstance(values, dict):
            return
        for name, value in list(values.items()):
            if name in self.known and self.known[name] and self.random.random() < share:
                choice = self.random.choice(self.known[name])
                values[name] = [choice] if isinstance(value, list) else choice
            else:
                self.put_known(value, share)

    def send(self, name, case, share):
        for values in (case.path_parameters, case.query, case.body):
            self.put_known(values, share)
        if isinstance(case.query, dict):  # parameters that exclude each other are seldom alone otherwise
            case.query = {key: value for key, value in case.query.items() if self.random.random() < 0.7}
        if time.monotonic() - self.asked_at > 30:
            self.session.close()  # else the server may close the connection just when it is asked again
        self.asked_at = time.monotonic()
        try:
            arguments = case.as_transport_kwargs(base_url=self.server.url)
            answer = self.session.request(**arguments, timeout=60, stream=True)
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError, ValueError):
            return  # no HTTP client could send it
        except requests.exceptions.RequestException as error:
            self.fail(name, f"{type(error).__name__}: {error}", case)
            return
        try:
            self.check(name, case, answer)
        except requests.exceptions.RequestException as error:
            self.fail(name, f"the answer broke off: {error}", case)
        finally:
            answer.close()

    def check(self, name, case, answer):
        self.statuses[name][answer.status_code] += 1
        is_stream = answer.headers.get("Content-Type", "").startswith("text/event-stream")
        if not is_stream:
            _ = answer.content
        if answer.status_code >= 500:
            self.fail(name, f"answered {answer.status_code}: {answer.text[:300]}", case)
            return
        try:
            openapi_check.check_exchange(self.description, answer, is_stream, is_strict=False)
        except (AssertionError, ValueError) as error:
            self.fail(name, str(error)[:1500], case)

    def fail(self, name, what, case):
        if sum(failure[0] == name for failure in self.failures) < MOST_FAILURES:
            self.failures.append((name, what, f"{case.method} {case.formatted_path} query {case.query} body {case.body!r:.500}"))

    def report(self):
        lines = [f"{self.requests} requests to {len(self.statuses)} operations, seed {self.seed}"]
        lines += [f"  {name}: {dict(sorted(counter.items()))}" for name, counter in sorted(self.statuses.items())]
        lines += [f"\n{name}\n  {what}\n  {case}" for name, what, case in self.failures]
        return "\n".join(lines)
