"""The web server of the viewer: the page, its parts, frames and the video, and no other file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hybridtrack.view.columns import MEDIA_TYPE
from hybridtrack.view.document import MODULES, STYLE, asset, page
from hybridtrack.view.guard import Guard
from hybridtrack.view.store import Store
from hybridtrack.view.video import Conversion, Video

CHUNK_ROWS: Final = 128  #: rows that the page asks for at once


class Pictures(Protocol):
    """The newest picture of a run that goes on."""

    def newest(self, after: int, wait_s: float) -> bytes | None:
        """Return the newest frame as a packed block, or None when none but number ``after`` comes in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What is shown: frames, and under them a video file or the pictures of a run, or nothing."""

    store: Store
    title: str
    video: Video | None = None
    conversions: Mapping[str, Conversion] = field(default_factory=dict)  #: by the name of their form
    pictures: Pictures | None = None
    notes: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Return what the page is told at its start."""
        header = msgspec.to_builtins(self.store.header)
        video = self.video
        return {
            "mode": "file" if self.pictures is None else "live",
            "title": self.title,
            "header": header,
            "chunk_rows": CHUNK_ROWS,
            "video": None if video is None else {"name": video.path.name, "type": video.media_type},
            "notes": self.notes,
        }


def create_app(show: Show, *, token: str, hosts: Iterable[str]) -> Guard:
    """Return the application, which answers under ``/token/`` to requests for one of ``hosts`` ("name:port")."""
    handlers: dict[str, Callable[[Request], Response]] = {
        "": lambda request: _document(show),
        "page/{name}": lambda request: _asset(request.path_params["name"]),
        "overview": lambda request: _overview(show.store, request),
        "lines": lambda request: _lines(show.store, request),
    }
    if show.video is not None:
        video = show.video
        handlers["video"] = lambda request: FileResponse(video.path, media_type=video.media_type)
    for name, conversion in show.conversions.items():
        handlers[f"conversion/{name}"] = partial(_conversion, conversion)
        handlers[f"converted/{name}"] = partial(_converted, conversion)
    if show.pictures is not None:
        pictures = show.pictures
        handlers["newest"] = lambda request: _newest(pictures, request)
    routes = [Route(f"/{token}/{path}", handler) for path, handler in handlers.items()]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return Guard(app, token=token, hosts=hosts)


def policy(nonce: str) -> str:
    """Return the Content-Security-Policy of the page: nothing from elsewhere, no code but its own."""
    sources = {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce}'",
        "style-src": "'self'",
        "img-src": "'self' blob: data:",
        "media-src": "'self' blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {source}" for name, source in sources.items())


def _document(show: Show) -> Response:
    nonce = secrets.token_urlsafe(12)
    text = page(show.told(), title=show.title, nonce=nonce)
    return HTMLResponse(text, headers={"Content-Security-Policy": policy(nonce)})


def _asset(name: str) -> Response:
    if name == STYLE:
        return Response(asset(name), media_type="text/css")
    if name in {f"{module}.js" for module in MODULES}:
        return Response(asset(name), media_type="text/javascript")
    return _not_found()


def _overview(store: Store, request: Request) -> Response:
    asked = _numbers(request, {"since": 0, "generation": 0})
    if asked is None:
        return _bad_request()
    return Response(store.overview(**asked), media_type=MEDIA_TYPE)


def _lines(store: Store, request: Request) -> Response:
    asked = _numbers(request, {"first": 0, "end": 0})
    if asked is None:
        return _bad_request()
    return Response(store.lines(**asked), media_type="application/jsonl")


def _conversion(conversion: Conversion, request: Request) -> Response:
    conversion.start()
    return JSONResponse({"state": conversion.state, "share": conversion.share, "problem": conversion.problem})


def _converted(conversion: Conversion, request: Request) -> Response:
    path = conversion.path
    return _not_found() if path is None else FileResponse(path, media_type=conversion.form.media_type)


def _newest(pictures: Pictures, request: Request) -> Response:
    asked = _numbers(request, {"after": 0})
    if asked is None:
        return _bad_request()
    block = pictures.newest(asked["after"], wait_s=1.0)
    return Response(status_code=204) if block is None else Response(block, media_type=MEDIA_TYPE)


def _numbers(request: Request, defaults: Mapping[str, int]) -> dict[str, int] | None:
    """Return the numbers, from 0, of a query; None when one is no number or is not asked for."""
    query = request.query_params
    if not set(query) <= set(defaults):
        return None
    texts = {name: query.get(name, str(default)) for name, default in defaults.items()}
    if not all(text.isascii() and text.isdigit() and len(text) <= 12 for text in texts.values()):
        return None
    return {name: int(text) for name, text in texts.items()}


def _not_found() -> Response:
    return PlainTextResponse("Not Found\n", 404)


def _bad_request() -> Response:
    return PlainTextResponse("Bad Request\n", 400)
