"""A headless Chromium, where one is installed, asked through its DevTools protocol."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--hide-scrollbars", "--remote-debugging-port=0"),
)


class Page:
    """One page of a browser: commands go in, their answers come out, events are kept."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._sent = 0
        self.events: list[tuple[str, Any]] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> Any:
        """Send a command and return its result."""
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": params}))
        while (message := json.loads(self._socket.recv())).get("id") != self._sent:
            self.events.append((message["method"], message["params"]))
        assert "error" not in message, message
        return message["result"]

    def show(self, path: Path, width: int, colours: str = "light") -> list[tuple[str, Any]]:
        """Load a file at a width in CSS pixels, and return what happened meanwhile."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        scheme = {"name": "prefers-color-scheme", "value": colours}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.ask("Page.navigate", url=path.as_uri())
        while not any(method == "Page.loadEventFired" for method, _ in self.events):
            message = json.loads(self._socket.recv())
            self.events.append((message["method"], message["params"]))
        return list(self.events)

    def value(self, expression: str) -> Any:
        """Return the value of a JavaScript expression on the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"]["value"]


@contextlib.contextmanager
def open_page(profile: Path) -> Iterator[Page]:
    """Start a browser with an empty profile, or skip the test where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on PATH")
    websocket = pytest.importorskip("websocket", reason="needs websocket-client (of jupyterlab)")
    command = [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as browser:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{_port(profile)}/json/list") as answer:
                address = next(t["webSocketDebuggerUrl"] for t in json.load(answer))
            socket = websocket.create_connection(address, timeout=60, suppress_origin=True)
            with contextlib.closing(socket):
                yield Page(socket)
        finally:
            browser.terminate()


def _port(profile: Path) -> int:
    """Wait until the browser has written into its profile where it listens."""
    for _ in range(600):
        with contextlib.suppress(OSError, ValueError):
            return int((profile / "DevToolsActivePort").read_text(encoding="utf-8").split()[0])
        time.sleep(0.05)
    raise TimeoutError("the browser did not start within 30 seconds")
