"""An S3-compatible service on this machine, which can be told to fail as real ones do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

BUCKET = "backoffice-tests"
KEYS = {"access_key": "tests", "secret_key": "tests"}


class _Quiet(WSGIRequestHandler):
    def log(self, *args: Any, **kwargs: Any) -> None:
        pass


class Service:
    """moto behind real HTTP. ``fails`` and ``hangs`` say of a call (method, path) if it is answered 500, or not."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.calls: list[tuple[str, str]] = []
        self.works()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.works()
        self._server.shutdown()
        self._server.server_close()

    def works(self) -> None:
        """Answer everything, also whoever is still waiting."""
        if hasattr(self, "_waking"):
            self._waking.set()
        self._waking = threading.Event()
        self.fails: Callable[[str, str], bool] = lambda method, path: False
        self.hangs: Callable[[str, str], bool] = lambda method, path: False

    def is_down(self) -> None:
        self.fails = lambda method, path: True

    def options(self, timeout: float = 5) -> dict[str, Any]:
        """What the settings say of it."""
        place = {"bucket_name": BUCKET, "endpoint_url": self.url, "region_name": "us-east-1", "location": "media"}
        return {**place, **KEYS, "timeout": timeout}

    def client(self) -> Any:
        """A client of its own, past what we test."""
        keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"]}
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **keys)

    def files(self) -> set[str]:
        """All there is in the bucket, and what was begun and not finished."""
        client = self.client()
        begun = client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        stored = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {entry["Key"] for entry in (*stored, *begun)}

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        call = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.calls.append(call)
        if self.fails(*call):
            start_response("500 Internal Server Error", [("Content-Length", "0")])
            return []
        if self.hangs(*call):
            self._waking.wait(30)
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer
