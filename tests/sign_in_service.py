"""A service that speaks OpenID Connect, on this machine and of a package, and what somebody does there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import oidc_provider_mock
import pytest
import requests
from django.test import Client

BEGIN = "/accounts/oidc/sso/login/"


class Service:
    """A provider, and what somebody does there with a browser."""

    def __init__(self, address: str) -> None:
        self.address = address

    def knows(self, key: str, **claims: Any) -> None:
        requests.put(f"{self.address}/users/{key}", json=claims, timeout=10).raise_for_status()

    def sign_in(self, key: str, client: Client | None = None, query: str = "") -> tuple[Client, Any]:
        """Begin here, say there who one is, and come back; the answer to the coming back."""
        client = client or Client()
        there = client.get(BEGIN + query)["Location"]
        back = requests.post(there, data={"sub": key}, allow_redirects=False, timeout=10).headers["Location"]
        parts = urlsplit(back)
        return client, client.get(f"{parts.path}?{parts.query}")


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it prints every request
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def service(provider: str, settings: Any, db: None) -> Service:
    settings.OIDC = {
        "name": "Example Login",
        "server_url": provider,
        "client_id": "backoffice",
        "client_secret": "not-that-secret",
    }
    return Service(provider)
