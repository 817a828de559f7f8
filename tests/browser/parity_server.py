"""A small server for the parity page: isolated as the real one is, on a free port of this machine."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class IsolatedHandler(SimpleHTTPRequestHandler):
    """Files of the page under ``/``, pictures from memory under ``/pictures/``."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def __init__(self, *request: Any, pictures: Mapping[str, bytes], isolated: bool, **options: Any) -> None:
        self.pictures = pictures
        self.isolated = isolated
        super().__init__(*request, **options)

    def do_GET(self) -> None:
        if not self.path.startswith("/pictures/"):
            super().do_GET()
            return
        content = self.pictures[self.path.removeprefix("/pictures/")]
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self) -> None:
        if self.isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header(
            "Content-Security-Policy",
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'",
        )
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""


@contextmanager
def serving(folder: Path, pictures: Mapping[str, bytes], *, isolated: bool) -> Iterator[str]:
    """The address of a running server."""
    handler = partial(IsolatedHandler, pictures=pictures, isolated=isolated, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
