"""The door of the embedded server: takes the few requests that this project makes, and those only from whoever has the key.

llama.cpp's server, behind it, checks a key but reads bodies of any type and size, and compiles any grammar: 50,000 brackets end it.
"""

import hmac
import http.client
import http.server
import json
import select
import socket
import threading

MAX_BODY = 1 << 20  # bytes
MAX_DEPTH = 24  # of the body's JSON
MAX_SCHEMA = 8192  # characters
MAX_REPEAT = 1000  # of characters or items that a schema may ask for
MAX_CONNECTIONS = 128
READ_S = 30  # a request must have come whole within
FIELDS = {"model", "messages", "seed", "temperature", "top_p", "max_tokens", "max_completion_tokens", "response_format", "stop"}
SCHEMA_KEYS = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "description", "title"}
SCHEMA_LIMITS = {"minLength", "maxLength", "minItems", "maxItems"}


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def depth(text):
    """How deep the brackets of a JSON text are nested; counted before it is parsed."""
    deepest = level = 0
    inside = escaped = False
    for char in text:
        if inside:
            inside, escaped = escaped or char != '"', not escaped and char == "\\"
        elif char == '"':
            inside = True
        elif char in "[{":
            level += 1
            deepest = max(deepest, level)
        elif char in "]}":
            level -= 1
    return deepest


def check_schema(schema):
    if not isinstance(schema, dict):
        raise Refused(400, f"response_format: expected a JSON schema, found {type(schema).__name__}")
    for key, value in schema.items():
        if key in SCHEMA_LIMITS:
            if type(value) is not int or not 0 <= value <= MAX_REPEAT:
                raise Refused(400, f"response_format: expected {key} of at most {MAX_REPEAT}")
        elif key not in SCHEMA_KEYS:
            raise Refused(400, f"response_format: a schema here has no {key[:40]!r}")
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise Refused(400, "response_format: expected properties by name")
    parts = [*properties.values(), *([schema["items"]] if "items" in schema else [])]
    for part in parts:
        check_schema(part)


def check_body(text):
    """@returns the request, made of what is known here only"""
    if depth(text) > MAX_DEPTH:
        raise Refused(400, f"expected JSON of at most {MAX_DEPTH} levels")
    try:
        body = json.loads(text)
    except ValueError:
        raise Refused(400, "expected JSON, found something else") from None
    if not isinstance(body, dict):
        raise Refused(400, "expected a JSON object")
    unknown = sorted(set(body) - FIELDS)
    if unknown:
        raise Refused(400, f"the embedded server does not take {unknown[0][:40]!r}")
    form = body.get("response_format")
    if form is not None:
        schema = form.get("json_schema") if isinstance(form, dict) and form.get("type") == "json_schema" else None
        if not isinstance(schema, dict):
            raise Refused(400, "response_format: expected type json_schema")
        if len(json.dumps(schema)) > MAX_SCHEMA:
            raise Refused(400, f"response_format: expected a schema of at most {MAX_SCHEMA} characters")
        check_schema(schema.get("schema"))
    return body


def serve(model_address, model_key, key):
    """Listens on a free port of 127.0.0.1 for requests to the model's server; returns the address."""
    model_host = model_address.split("://")[-1]

    class Door(http.server.BaseHTTPRequestHandler):
        def setup(self):
            super().setup()
            self.late = threading.Timer(READ_S, self.connection.shutdown, [socket.SHUT_RDWR])
            self.late.daemon = True
            self.late.start()

        def finish(self):
            self.late.cancel()
            super().finish()

        def log_message(self, *_):
            pass

        def refuse(self, status, message):
            body = json.dumps({"error": {"message": message, "type": "refused", "code": status}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def admit(self):
            port = self.server.server_address[1]
            if self.headers.get_all("Host") not in ([f"127.0.0.1:{port}"], [f"localhost:{port}"]):
                raise Refused(403, "expected the server's own address as Host")
            if self.headers.get("Origin") is not None:
                raise Refused(403, "requests of web pages are not taken")
            given = self.headers.get("Authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {key}".encode()):
                raise Refused(401, "expected this start's key")

        def read_json(self):
            if self.headers.get_content_type() != "application/json":
                raise Refused(415, "expected Content-Type application/json")
            length = self.headers.get("Content-Length", "")
            if self.headers.get("Transfer-Encoding") is not None or not (length.isascii() and length.isdigit()):
                raise Refused(411, "expected a Content-Length")
            if int(length) > MAX_BODY:
                raise Refused(413, f"expected at most {MAX_BODY} bytes")
            try:
                return check_body(self.rfile.read(int(length)).decode())
            except UnicodeDecodeError:
                raise Refused(400, "expected UTF-8") from None

        def pass_on(self, method, path, body):
            """Passes the model's answer back as it comes; when the client leaves, the model stops."""
            model = http.client.HTTPConnection(model_host)
            headers = {"Authorization": f"Bearer {model_key}", "Connection": "close"}
            if body is not None:
                headers["Content-Type"] = "application/json"
            model.request(method, path, None if body is None else json.dumps(body), headers)
            client, answer = self.connection, model.sock
            self.close_connection = True
            try:
                while answer in (ready := select.select([client, answer], [], [])[0]):
                    if client in ready or not (piece := answer.recv(65536)):
                        return
                    client.sendall(piece)
            finally:
                model.close()

        def answer(self, method, routes):
            try:
                self.admit()
                if self.path not in routes:
                    raise Refused(404, "there is nothing here")
                body = self.read_json() if method == "POST" else None
                self.late.cancel()
                self.pass_on(method, self.path, body)
            except Refused as refused:
                self.refuse(refused.status, str(refused))
            except OSError:
                self.close_connection = True  # either side left

        def do_GET(self):
            self.answer("GET", {"/health", "/v1/models"})

        def do_POST(self):
            self.answer("POST", {"/v1/chat/completions"})

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = MAX_CONNECTIONS
        room = threading.BoundedSemaphore(MAX_CONNECTIONS)

        def process_request(self, request, client_address):
            if self.room.acquire(blocking=False):
                super().process_request(request, client_address)
            else:
                self.shutdown_request(request)

        def process_request_thread(self, request, client_address):
            try:
                super().process_request_thread(request, client_address)
            finally:
                self.room.release()

        def handle_error(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"
