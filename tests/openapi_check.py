"""Holds every HTTP exchange of the tests against the program's own description of its API.

The description comes from `almanac docs`, once, so that no server sees a request more. A request that was accepted (2xx)
must have been valid by the description: parameters and body; what was answered must be valid whatever it was: the status
known, the type of the content named, the body of the stated shape. Errors have the one shape, 404s of unknown paths too.
Validators are compiled when first needed, by jsonschema-rs, and kept.
"""
import functools
import json
import subprocess
import tempfile
import urllib.parse

import jsonschema_rs

METHODS = {"get", "post", "put", "delete", "patch"}
DOCUMENT = "urn:almanac:openapi"


class Breach(AssertionError):
    """The program and its description disagree."""


class Operation:
    def __init__(self, description, path, method, operation):
        self.name = f"{method.upper()} {path}"
        self.description = description
        self.segments = path.split("/")
        self.pointer = ["paths", path, method]
        self.operation = operation
        found = [description.resolve([*self.pointer, "parameters", str(index)], entry)
                 for index, entry in enumerate(operation.get("parameters", []))]
        self.parameters = {(entry["in"], entry["name"]): (pointer, entry) for pointer, entry in found}
        self.responses = {status: description.resolve([*self.pointer, "responses", status], answer)
                          for status, answer in operation["responses"].items()}

    def match(self, segments):
        """The path's parameters by name; None: another path."""
        if len(segments) != len(self.segments):
            return None
        values = {}
        for own, given in zip(self.segments, segments):
            if own.startswith("{") and given:
                values[own[1:-1]] = given
            elif own != given:
                return None
        return values


class Description:
    def __init__(self, document):
        self.document = document
        self.registry = jsonschema_rs.Registry([(DOCUMENT, {"$schema": "https://json-schema.org/draft/2020-12/schema", **document})])
        self.operations = [Operation(self, path, method, operation) for path, methods in document["paths"].items()
                           for method, operation in methods.items() if method in METHODS]
        self.validators = {}

    def resolve(self, pointer, value):
        """Where it stands, and it: also when it is a reference to a component."""
        if "$ref" not in value:
            return pointer, value
        pointer = value["$ref"].removeprefix("#/").split("/")
        return pointer, functools.reduce(lambda place, part: place[part], pointer, self.document)

    def validator(self, *pointer):
        if pointer not in self.validators:
            place = "/".join(part.replace("~", "~0").replace("/", "~1") for part in pointer)
            self.validators[pointer] = jsonschema_rs.Draft202012Validator(
                {"$ref": f"{DOCUMENT}#/{urllib.parse.quote(place, safe='/~')}"}, registry=self.registry)
        return self.validators[pointer]

    def find(self, method, path):
        """The first that fits, as the router does; with HEAD, that of GET."""
        segments = urllib.parse.unquote(path).split("/")
        method = {"HEAD": "get"}.get(method, method.lower())
        for operation in self.operations:
            values = operation.match(segments)
            if values is not None and operation.pointer[2] == method:
                return operation, values
        return None, {}


def validate(validator, value, what):
    if validator.is_valid(value):
        return
    errors = [f"at {'/'.join(map(str, error.instance_path)) or '(top)'}: {error.message[:300]}"
              for error, _ in zip(validator.iter_errors(value), range(5))]
    raise Breach(f"{what} is not as /openapi.json says:\n  " + "\n  ".join(errors) + f"\n  in {json.dumps(value)[:600]}")


def read_text(schema_types, text):
    """A parameter's text as the type that its schema wants, if it can be."""
    if "integer" in schema_types or "number" in schema_types:
        try:
            return int(text)
        except ValueError:
            try:
                return float(text)
            except ValueError:
                return text
    if "boolean" in schema_types and text in ("true", "false"):
        return text == "true"
    return text


def types_of(schema):
    types = schema.get("type", "string")
    return types if isinstance(types, list) else [types]


def check_parameters(operation, values, query, is_strict):
    first = {}
    for name, value in query:
        first.setdefault(name, value)  # as the server does
    given = [("path", name, value) for name, value in values.items()] + [("query", name, value) for name, value in first.items()]
    for place, name, text in given:
        pointer, entry = operation.parameters.get((place, name), (None, None))
        if entry is None and not is_strict:
            continue
        if entry is None:
            raise Breach(f"{operation.name} accepted the {place} parameter '{name}', which is not described")
        validator = operation.description.validator(*pointer, "schema")
        validate(validator, read_text(types_of(entry.get("schema", {})), text), f"{operation.name}: parameter '{name}'")
    for (place, name), (_, entry) in operation.parameters.items():
        if place == "query" and entry.get("required") and name not in first:
            raise Breach(f"{operation.name} accepted a request without '{name}', which is required")


def check_request_body(operation, body, is_strict):
    described = operation.operation.get("requestBody")
    if not body:
        if described and described.get("required"):
            raise Breach(f"{operation.name} accepted a request without a body, which is required")
        return
    if described is None:
        if is_strict and json.loads(body) not in ({}, None):  # tests post {} by default
            raise Breach(f"{operation.name} accepted a body, which is not described: {body[:200]}")
        return
    validator = operation.description.validator(*operation.pointer, "requestBody", "content", "application/json", "schema")
    validate(validator, json.loads(body), f"{operation.name}: body of the request")


def check_answer(operation, answer, is_stream):
    """Without the body of streams."""
    status = str(answer.status_code)
    pointer, described = operation.responses.get(status, (None, None))
    if described is None:
        if answer.status_code < 400:
            raise Breach(f"{operation.name} answered {status}, which is not described")
        check_error(operation.description, answer, operation.name)
        return
    content = described.get("content", {})
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if not content or answer.request.method == "HEAD":
        return
    if kind not in content:
        raise Breach(f"{operation.name} answered {status} as '{kind}', described are {sorted(content)}")
    if is_stream:
        return
    validator = operation.description.validator(*pointer, "content", kind, "schema")
    value = json.loads(answer.content) if kind == "application/json" else answer.content.decode("utf-8", "replace")
    validate(validator, value, f"{operation.name}: answer {status}")


def check_error(description, answer, name):
    if answer.request.method == "HEAD":
        return
    if not answer.headers.get("Content-Type", "").startswith("application/json"):
        raise Breach(f"{name} answered {answer.status_code} as '{answer.headers.get('Content-Type')}'")
    validate(description.validator("components", "schemas", "Error"), json.loads(answer.content), f"{name}: error {answer.status_code}")


def check_exchange(description, answer, is_stream=False, is_strict=True):
    """`answer`: a requests.Response whose request is still with it. Not strict: what the server does not look at (unknown query
    parameters, a body where none is described) may be there."""
    path, _, query = answer.request.path_url.partition("?")
    operation, values = description.find(answer.request.method, path)
    if operation is None:
        if answer.status_code < 400:
            raise Breach(f"{answer.request.method} {path} answered {answer.status_code}, and no route is described")
        check_error(description, answer, f"{answer.request.method} {path}")
        return
    check_answer(operation, answer, is_stream)
    if answer.status_code < 300:
        check_parameters(operation, values, urllib.parse.parse_qsl(query, keep_blank_values=True), is_strict)
        check_request_body(operation, answer.request.body, is_strict)


@functools.cache
def description_of(binary):
    """Of this program."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([str(binary), "docs", "--out", folder], check=True, cwd=folder, timeout=120)
        with open(f"{folder}/openapi.json", encoding="utf-8") as file:
            return Description(json.load(file))
