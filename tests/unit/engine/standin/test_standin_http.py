"""The calls themselves, against a real server on loopback: retries, errors, and their end."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.standin.config import ProviderConfig
from engine.standin.errors import ApiError, CancelledError, StandInError
from engine.standin.http import Api, NotYetError, RetryPolicy

pytestmark = pytest.mark.sockets


class Server(ThreadingHTTPServer):
    """Answers from a list, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, bytes]] = []
        self.paths: list[str] = []
        self.tokens: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.server.tokens.append(self.headers["Authorization"])
        status, body = self.server.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "http://example.invalid/")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(server: Server) -> Api:
    return _api(server.server_port)


def _api(port: int) -> Api:
    endpoint = f"http://127.0.0.1:{port}/v1beta1/"
    config = ProviderConfig(endpoints={"healthcare": endpoint}, token="t")
    return Api(
        config, retry_policy=RetryPolicy(initial=0.001, maximum=0.01, deadline=0.2, attempts=3)
    )


def test_every_call_asks_for_json_with_the_token(server: Server, api: Api) -> None:
    server.answers = [(200, b'{"name": "x"}')]

    assert api.call("healthcare", "GET", "projects/p:get?a=b", query={"c": "d"}) == {"name": "x"}
    assert server.paths == ["/v1beta1/projects/p:get?alt=json&c=d&a=b"]
    assert server.tokens == ["Bearer t"]


def test_a_call_may_ask_for_another_version(server: Server, api: Api) -> None:
    server.answers = [(200, b"{}")]

    api.call("healthcare", "GET", "x", version="v1")

    assert server.paths == ["/v1/x?alt=json"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_errors_are_repeated(server: Server, api: Api, status: int) -> None:
    server.answers = [(status, b"{}"), (status, b"{}"), (200, b"{}")]

    assert api.call("healthcare", "POST", "x", body={}) == {}
    assert len(server.paths) == 3


def test_a_passing_error_that_stays_is_reported(server: Server, api: Api) -> None:
    server.answers = [(503, b'{"error": {"code": 503, "message": "busy"}}')] * 4

    with pytest.raises(ApiError, match=r"^googleapi: Error 503: busy$"):
        api.call("healthcare", "GET", "x")


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (
            409,
            b'{"error": {"code": 409, "message": "it is there", "status": "ALREADY_EXISTS"}}',
            "googleapi: Error 409: it is there, ALREADY_EXISTS",
        ),
        (
            403,
            b'{"error": {"message": "no", "errors": [{"reason": "forbidden"}]}}',
            "googleapi: Error 403: no, forbidden",
        ),
        (404, b"not here", "googleapi: Error 404: not here"),
        (400, b"", "googleapi: Error 400: no body"),
    ],
)
def test_errors_read_as_those_of_googles_client(
    server: Server, api: Api, status: int, body: bytes, text: str
) -> None:
    server.answers = [(status, body)]

    with pytest.raises(ApiError) as refused:
        api.call("healthcare", "GET", "x")

    assert str(refused.value) == text


@pytest.mark.parametrize("answer", [(200, b""), (200, b"<html>"), (200, b"[]"), (302, b"")])
def test_an_answer_that_is_no_object_is_an_error(
    server: Server, api: Api, answer: tuple[int, bytes]
) -> None:
    server.answers = [answer]

    with pytest.raises(StandInError, match="is it the endpoint of a Google API"):
        api.call("healthcare", "GET", "x")


@pytest.mark.parametrize("answer", [(204, b""), (200, b"null\n")])
def test_nothing_to_say_is_an_answer(server: Server, api: Api, answer: tuple[int, bytes]) -> None:
    server.answers = [answer]

    assert api.call("healthcare", "GET", "x") == {}


def test_no_one_there_says_how_to_start_it(server: Server) -> None:
    free = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    free.server_close()

    with pytest.raises(StandInError) as refused:
        _api(free.server_port).call("healthcare", "GET", "x")

    assert str(refused.value).startswith(f"no answer from http://127.0.0.1:{free.server_port}/v1")
    assert "`python -m emulator status`" in str(refused.value)


def test_an_operation_is_followed_to_its_end(server: Server, api: Api) -> None:
    running = (200, b'{"name": "operations/1"}')
    server.answers = [running, running, (200, b'{"done": true, "response": {"a": 1}}')]

    assert api.finish("healthcare", {"name": "operations/1"}) == {"a": 1}
    assert server.paths == ["/v1beta1/operations/1?alt=json"] * 3


def test_an_operation_that_does_not_end_is_given_up(server: Server, api: Api) -> None:
    server.answers = [(200, b'{"name": "operations/1"}')] * 1000

    with pytest.raises(StandInError, match=r"gave up waiting: operation operations/1 is not done"):
        api.finish("healthcare", {"name": "operations/1"})


def test_cancel_ends_what_waits_and_refuses_what_comes(server: Server, api: Api) -> None:
    def cancelled_meanwhile() -> None:
        api.cancel()
        raise NotYetError

    with pytest.raises(CancelledError, match="`pulumi refresh`"):
        api.persist(cancelled_meanwhile, lambda error: isinstance(error, NotYetError))
    with pytest.raises(CancelledError):
        api.call("healthcare", "GET", "x")
