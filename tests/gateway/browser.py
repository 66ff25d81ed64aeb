"""A headless Chromium, driven over its own debugging protocol: enough to open a page, run a script and listen."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """The program, or None on a machine without one."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class Page:
    """One tab. `complaints` is what went wrong in it: scripts that failed, things the policy refused."""

    def __init__(self, socket: ClientConnection) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Take in what the browser says, until cancelled."""
        async for message in self._socket:
            said = json.loads(message)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said["method"] == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(said["params"]["exceptionDetails"]))
            elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.complaints.append(json.dumps(said["params"]["entry"]))

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Tell the browser something and wait for its answer."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        result: dict[str, Any] = (await asyncio.wait_for(answer, 30)).get("result", {})
        return result

    async def run(self, script: str) -> Any:
        """The value of a script."""
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str, patience_s: float = 30) -> Any:
        """The value of a script once it is truthy."""
        try:
            async with asyncio.timeout(patience_s):
                while not (value := await self.run(script)):  # noqa: ASYNC110 - the page tells nobody
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"never true: {script}; {self.complaints}") from None
        return value

    async def go(self, url: str) -> None:
        """Go to an address, and wait until it is there."""
        await self.run("window.isOld = true")
        await self.send("Page.navigate", url=url)
        await self.arrive()

    async def arrive(self) -> None:
        """Wait until another page than the one that `leaving` marked is there."""
        await self.until("window.isOld !== true && document.readyState === 'complete'")

    async def fill(self, values: dict[str, str]) -> None:
        """Type into fields by their ids."""
        for name, value in values.items():
            await self.run(f"document.getElementById({name!r}).focus(); document.getElementById({name!r}).select?.()")
            await self.send("Input.insertText", text=value)

    async def press(self, selector: str = "form button") -> None:
        """Click what a selector finds, and wait for the next page."""
        await self.run("window.isOld = true")
        place = await self.run(
            f"(() => {{ const one = document.querySelector({selector!r}); one.scrollIntoView({{block: 'center'}});"
            " const box = one.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            x, y = place
            await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        await self.arrive()

    async def size(self, width: int, height: int) -> None:
        """Be as large as this, in pixels of CSS."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def picture(self, path: Path) -> None:
        """Save what is to be seen."""
        path.write_bytes(  # noqa: ASYNC240 - a small file
            base64.b64decode((await self.send("Page.captureScreenshot", format="png"))["data"])
        )


@asynccontextmanager
async def opened_page(program: str, url: str, *more: str) -> AsyncIterator[Page]:
    """Yield a page that is loading this address, in a browser of its own, started with `more` options."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
        where = (f"--user-data-dir={home}", "--remote-debugging-port=0", "--window-size=1400,900", *more, "about:blank")
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(program, *options, *where, stdout=quiet, stderr=quiet)
        try:
            async with connect(await _debugger(Path(home)), max_size=None, ping_interval=None) as socket:
                page = Page(socket)
                listening = asyncio.create_task(page.listen())
                try:
                    for domain in ("Page", "Runtime", "Log"):
                        await page.send(f"{domain}.enable")
                    await page.send("Page.navigate", url=url)
                    yield page
                finally:
                    listening.cancel()
        finally:
            process.kill()
            await process.wait()


async def _debugger(home: Path) -> str:
    """The address of the first tab's debugger, once the browser has written its port."""
    file = home / "DevToolsActivePort"
    async with asyncio.timeout(30):
        while not (file.exists() and file.read_text().count("\n")):  # noqa: ASYNC110 - the browser tells nobody
            await asyncio.sleep(0.05)
        async with httpx.AsyncClient() as http:
            tabs = (await http.get(f"http://127.0.0.1:{file.read_text().splitlines()[0]}/json")).json()
    return str(next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"))
