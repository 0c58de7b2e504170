"""A real HTTP server on loopback that stands where the CMDB stands, for what agents send."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], bytes]
RECEIPT: Reply = (202, {"Content-Type": "application/json"}, b'{"revision": 7, "durable_revision": 7}')


class Receiver:
    """Records what it is sent and answers as ``reply`` says; a reply of None leaves the sender waiting."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.acknowledged: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.reply: Callable[[dict[str, Any]], Reply | None] = lambda _: RECEIPT
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                document = json.loads(body)
                outer.headers.append(dict(self.headers) | {":path": self.path})
                outer.received.append(document)
                answer = outer.reply(document)
                if answer is None:
                    outer.release.wait(30)
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                if 200 <= status < 300:
                    outer.acknowledged.append(document.get("id", "") if isinstance(document, dict) else "")

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        self.release.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
