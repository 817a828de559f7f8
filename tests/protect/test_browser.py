"""What a real Chromium encrypts, under the site's strict content security policy, the key holder accepts."""

import base64
import functools
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.match.parties import Account, unit
from tests.protect.node import node
from tests.protect.test_device_interop import WEB
from veilface.keyholder.audit import Cause

pytestmark = pytest.mark.browser

# No 'unsafe-eval': node-seal's bindings are built without dynamic code, and this test keeps it so.
POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"
PAGE = b'<!doctype html><title>-</title><script type="module" src="/entry.js"></script>'


class Site(SimpleHTTPRequestHandler):
    """The built bundle, with the headers of the site."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("bundle")
    subprocess.run([node(), "tests/protect/build-bundle.js", str(folder)], cwd=WEB, check=True)
    (folder / "index.html").write_bytes(PAGE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def page(site: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        opened = browser.new_page()
        opened.goto(site)
        opened.wait_for_function("'protectProbe' in window")
        yield opened
        browser.close()


def protect(page: Page, embedding: list[float], public_key: bytes) -> Any:
    arguments = [embedding, base64.b64encode(public_key).decode()]
    return page.evaluate("([embedding, key]) => window.protectProbe(embedding, key)", arguments)


def test_a_probe_made_in_chromium_is_accepted(page: Page) -> None:
    account, embedding = Account(), unit(0).astype(np.float32)
    template = account.template(unit(0))
    for _ in range(5):
        made = protect(page, embedding.tolist(), account.public)
        assert account.verdict(template, base64.b64decode(made["base64"]), threshold=0.99) == Cause.NONE
    assert account.verdict(account.template(unit(1)), base64.b64decode(made["base64"])) == Cause.SCORE


def test_the_worker_says_what_it_refuses(page: Page) -> None:
    account = Account()
    for embedding, key, code in (
        ([0.5] * 128, account.public, "unusable_embedding"),
        (unit(0).tolist(), account.public[:-1], "malformed_ciphertext"),
    ):
        arguments = [embedding, base64.b64encode(key).decode()]
        script = "([e, k]) => window.protectProbe(e, k).then(() => 'accepted', (error) => error.code)"
        assert page.evaluate(script, arguments) == code
