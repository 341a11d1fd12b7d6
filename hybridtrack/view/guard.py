"""Who is let in to the viewer's server, and what browsers are told about its answers."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MAX_TARGET: Final = 512  #: characters of path and query
_MAX_HEADERS: Final = 8192  #: bytes of all headers
_MAX_RANGE: Final = 64  #: characters of a Range header: one range, of two numbers
_METHODS: Final = ("GET", "HEAD")

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Refuses all requests but those that know the ``token``, the first part of the path.

    Also those that ask for another host than ``hosts`` (a name of somebody else's that leads here), that a page of
    another origin makes, that change something, that carry a body, or that are oversize.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Iterable[str]) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on what is let in, with the headers that all answers have."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a web socket: nobody here speaks that
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
            return
        answer = PlainTextResponse(f"{refusal.phrase}\n", refusal, {"Connection": "close"})
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> HTTPStatus | None:
        headers = Headers(scope=scope)
        target = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
        if target > _MAX_TARGET:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _MAX_HEADERS:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        if len(headers.get("range", "")) > _MAX_RANGE:
            return HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        if headers.get("host") not in self._hosts or not self._is_own_origin(headers):
            return HTTPStatus.FORBIDDEN
        if not secrets.compare_digest(scope["path"].partition("/")[2].partition("/")[0].encode(), self._token):
            return HTTPStatus.FORBIDDEN
        if scope["method"] not in _METHODS:
            return HTTPStatus.METHOD_NOT_ALLOWED
        return None

    def _is_own_origin(self, headers: Headers) -> bool:
        """Whether no page, or one of ours, makes the request."""
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            return False
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
