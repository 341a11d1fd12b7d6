"""Serving the page on this machine: a port, an address with a token, a browser."""

from __future__ import annotations

import errno
import ipaddress
import os
import secrets
import socket
import sys
import threading
import webbrowser
from typing import Final

import uvicorn

from hybridtrack.errors import UsageError
from hybridtrack.view.server import Show, create_app

LOOPBACK: Final = "127.0.0.1"
_TOKEN_BYTES: Final = 18
_START_LIMIT_S: Final = 10.0
_STOP_LIMIT_S: Final = 2
_TEXT_BROWSERS: Final = ("www-browser", "links", "elinks", "lynx", "w3m")  #: they draw no boxes


class PageServer:
    """A socket that listens from the start, and the server on it; ``url`` has the token. Raises UsageError."""

    def __init__(self, show: Show, *, host: str = LOOPBACK, port: int = 0) -> None:
        self.host = host
        self._socket = _listen(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        config = uvicorn.Config(
            create_app(show, token=self._token, hosts=self._hosts()),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=16_384,
            timeout_graceful_shutdown=_STOP_LIMIT_S,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of the page, for a browser on this machine."""
        return f"http://{_in_url(_reachable(self.host))}:{self.port}/{self._token}/"

    @property
    def warning(self) -> str | None:
        """What the user should know of who else can look, None when nobody can."""
        if is_loopback(self.host):
            return None
        return (
            f"listening on {self.host}, not on this machine alone: whoever on the network has the address with its "
            "token sees the video and the tracks, and nothing is encrypted"
        )

    def run(self) -> None:
        """Serve until the process is interrupted."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def start(self) -> None:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self.run, name="hybridtrack-page", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End what ``start`` began."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_START_LIMIT_S)
        self._socket.close()

    def _hosts(self) -> set[str]:
        """What a browser that means us says in the header Host."""
        names = {self.host, LOOPBACK, "localhost", "::1"}
        if not is_loopback(self.host):
            names |= {socket.gethostname(), socket.getfqdn(), *_own_addresses()}
        return {f"{_in_url(name)}:{self.port}" for name in names}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_browser(url: str) -> bool:
    """Open a page in a graphical browser; say whether there is one."""
    has_screen = not sys.platform.startswith("linux") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not has_screen:
        return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if getattr(browser, "name", "") in _TEXT_BROWSERS:
        return False
    return browser.open(url)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(f"cannot listen on {host!r}: {error.strerror}; give an address of this machine") from error
    try:
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen()
    except OSError as error:
        found.close()
        advice = "give another --port" if error.errno == errno.EADDRINUSE else "give another --host or --port"
        raise UsageError(f"cannot listen on {host!r}, port {port}: {error.strerror}; {advice}") from error
    return found


def _reachable(host: str) -> str:
    """Return a name under which this machine reaches what listens on ``host``."""
    return {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}.get(host, host)


def _own_addresses() -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)}
    except OSError:
        return set()


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
