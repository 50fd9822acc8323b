#!/usr/bin/env python3
"""Draws one form with each peer, warm, and prints milliseconds for its PDF and its PNG.

Usage: draw.py FOLDER DOTS_PER_INCH ROUNDS; FOLDER has form.typ, form.html and fonts/.
Two lines each: name, PDF milliseconds, PNG milliseconds, PDF bytes, PNG bytes; and "memory", name, the peak in MB of
its main process.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from pathlib import Path

folder, dots, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])


def measure(name, pdf, png):
    """Each drawing changes a number on the form, so that nothing can be answered from a cache."""
    pdf_bytes, png_bytes = pdf(0), png(0)
    times = []
    for draw in (pdf, png):
        start = time.perf_counter()
        for turn in range(rounds):
            draw(1 + turn)
        times.append((time.perf_counter() - start) * 1000 / rounds)
    print(f"{name} {times[0]:.2f} {times[1]:.2f} {len(pdf_bytes)} {len(png_bytes)}", flush=True)


def typst():
    from typst import Compiler, Fonts

    fonts = Fonts(font_paths=[folder / "fonts"], include_system_fonts=False)
    compiler = Compiler(root=str(folder), font_paths=fonts)
    text = (folder / "form.typ").read_text()

    def draw(kind, turn):
        source = text.replace("NUMBER", f"{turn:04}").encode()
        return compiler.compile(source, format=kind, ppi=dots if kind == "png" else None)

    measure("typst", lambda turn: draw("pdf", turn), lambda turn: draw("png", turn))


def weasyprint():
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    text = (folder / "form.html").read_text()
    configuration = FontConfiguration()

    def pdf(turn):
        html = HTML(string=text.replace("NUMBER", f"{turn:04}"), base_url=str(folder) + "/")
        return html.write_pdf(font_config=configuration)

    def png(turn):
        # WeasyPrint draws PDF alone; poppler makes pixels of it.
        command = ["pdftoppm", "-png", "-singlefile", "-r", str(dots), "-"]
        return subprocess.run(command, input=pdf_once, capture_output=True, check=True).stdout

    pdf_once = pdf(0)
    measure("weasyprint+pdftoppm", pdf, png)


class Chromium:
    """A headless browser that stays open, driven through its debugging pipe."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, ours = os.pipe()
        theirs, from_browser = os.pipe()[::-1]
        command = f"exec chromium --headless --no-sandbox --disable-gpu --allow-file-access-from-files \
            --user-data-dir={self.profile.name} --remote-debugging-pipe 3<&{to_browser} 4>&{theirs}"
        self.process = subprocess.Popen(
            ["bash", "-c", command], pass_fds=(to_browser, theirs), stderr=subprocess.DEVNULL
        )
        self.out, self.into = os.fdopen(ours, "wb", 0), os.fdopen(from_browser, "rb")
        self.number, self.session, self.left = 0, None, b""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def message(self):
        while b"\0" not in self.left:
            self.left += os.read(self.into.fileno(), 1 << 20)
        message, self.left = self.left.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        self.out.write(json.dumps(request).encode() + b"\0")
        while (answer := self.message()).get("id") != self.number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self):
        self.process.kill()
        self.process.wait()


def chromium():
    text = (folder / "form.html").read_text()
    width, height = map(float, text.split("<!-- inches ")[1].split(" -->")[0].split())
    browser = Chromium()
    scale = dots / 96
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=round(width * 96), height=round(height * 96), deviceScaleFactor=scale, mobile=False,
    )
    page = folder / "page.html"
    page.write_text(text)
    browser.call("Page.navigate", url=page.as_uri())
    loaded = 'document.fonts.ready.then(() => document.fonts.size)'
    browser.call("Runtime.evaluate", expression=loaded, awaitPromise=True)
    time.sleep(0.5)

    def change(turn):
        number = 'document.getElementById("number").textContent'
        browser.call("Runtime.evaluate", expression=f'{number} = "{turn:04}"')

    def pdf(turn):
        change(turn)
        size = {"paperWidth": width, "paperHeight": height}
        margins = {f"margin{side}": 0 for side in ("Top", "Bottom", "Left", "Right")}
        return b64decode(browser.call("Page.printToPDF", printBackground=True, **size, **margins)["data"])

    def png(turn):
        change(turn)
        return b64decode(browser.call("Page.captureScreenshot", format="png")["data"])

    try:
        measure("chromium", pdf, png)
        (folder / "chromium.png").write_bytes(png(1))
        (folder / "chromium.pdf").write_bytes(pdf(1))
    finally:
        browser.close()


for peer in (typst, weasyprint, chromium):
    # Each in a process of its own, so that the peak of memory is its own.
    if (child := os.fork()) == 0:
        peer()
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(f"{peer.__name__} failed")
    print(f"memory {peer.__name__} {used.ru_maxrss // 1024}", flush=True)
