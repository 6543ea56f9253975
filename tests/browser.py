"""A real browser for the tests of pages, driven over its DevTools protocol; or a reason to skip."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --remote-debugging-port=0"
    " --remote-allow-origins=* --disable-dev-shm-usage --hide-scrollbars --window-size=1200,800"
)
PATIENCE = 60.0  # seconds until what does not come is given up
KEYS = {" ": "Space", "/": "Slash"}


class Browser:
    """One window: open a page, press keys, ask it by JavaScript, and hear what it complained of.

    ``errors`` has exceptions and what the console printed since the page was opened, ``requests``
    every address that the page asked for.
    """

    def __init__(self) -> None:
        program = next((path for name in NAMES if (path := shutil.which(name))), None)
        if program is None:
            pytest.skip(f"needs a browser; none of {', '.join(NAMES)} is on PATH")
        self._websocket = pytest.importorskip("websocket", reason="needs websocket-client")
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [program, *FLAGS.split(), f"--user-data-dir={self._home.name}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._asked = 0
        self._inside: dict[str, str] = {}  # the frame that calls go to, if not the page
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        """Wait for the window."""
        port_file = Path(self._home.name, "DevToolsActivePort")
        end = time.monotonic() + PATIENCE
        while not (port_file.exists() and "\n" in port_file.read_text()):
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__(None, None, None)
                pytest.skip("the browser that is on PATH does not start here")
            time.sleep(0.05)
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            targets = json.load(answer)
        address = next(t["webSocketDebuggerUrl"] for t in targets if t["type"] == "page")
        self._socket = self._websocket.create_connection(address, timeout=PATIENCE)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the window."""
        if hasattr(self, "_socket"):
            self._socket.close()
        self._process.terminate()
        self._process.wait()
        self._home.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One call of the protocol, and its answer."""
        self._asked += 1
        asked = {"id": self._asked, "method": method, "params": parameters, **self._inside}
        self._socket.send(json.dumps(asked))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == self._asked:
                assert "error" not in told, told
                return dict(told["result"])
            self._events.append(told)

    def open(self, page: Path, width: int = 1200, height: int = 800, **media: str) -> None:
        """Load a file, in a window of this size and with these media features."""
        self._inside = {}
        features = [{"name": name.replace("_", "-"), "value": v} for name, v in media.items()]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        self._events.clear()
        self.call("Page.navigate", url=page.as_uri())
        self.wait("document.readyState === 'complete'")

    def enter_frame(self) -> None:
        """Ask the sandboxed frame of the page from now on, until another page is opened."""
        end = time.monotonic() + PATIENCE
        while not (frames := [t for t in self._targets() if t["type"] == "iframe"]):
            assert time.monotonic() < end, "the page has no frame of its own"
        target = frames[0]["targetId"]
        told = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._inside = {"sessionId": told["sessionId"]}
        self.call("Runtime.enable")

    def _targets(self) -> list[dict[str, Any]]:
        return list(self.call("Target.getTargets")["targetInfos"])

    def js(self, expression: str) -> Any:
        """What an expression is on the page; a promise is waited for."""
        told = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Wait until an expression is true, and answer it."""
        end = time.monotonic() + PATIENCE
        while not (found := self.js(expression)):
            assert time.monotonic() < end, f"the page never came to: {expression}"
            time.sleep(0.02)
        return found

    def press(self, key: str) -> None:
        """Press a key and let it go, where the focus is."""
        typed = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        facts = {"key": key, "code": KEYS.get(key, key)}
        self.call("Input.dispatchKeyEvent", type="keyDown", **facts, **typed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **facts)

    @property
    def errors(self) -> list[Any]:
        """What the page threw or printed on its console."""
        loud = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        self.js("0")  # all that came before has then been heard
        return [event["params"] for event in self._events if event["method"] in loud]

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, but for those that hold what they name."""
        self.js("0")
        asked = [
            event["params"]["request"]["url"]
            for event in self._events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in asked if not url.startswith(("data:", "blob:"))]
