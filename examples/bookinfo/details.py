#!/usr/bin/env python3
"""details: facts about a book. The standard library only; details.js says the same for machines without Python."""

import json
import os
import re
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BOOK = {
    "title": "Silas Marner",
    "subtitle": "The Weaver of Raveloe",
    "author": "George Eliot",
    "year": 1861,
    "publisher": "William Blackwood and Sons",
    "language": "English",
}


class Details(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small answers leave at once instead of waiting for an acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self):
        path = self.path.partition("?")[0]
        match = re.fullmatch(r"/details/(\d+)", path)
        if path == "/health":
            self.answer(200, {"status": "ok"})
        elif match is None:
            self.answer(404, {"error": "ask for /details/0"})
        else:
            self.answer(200, {"id": int(match.group(1)), **BOOK, "servedBy": "Python"})

    def answer(self, status, value):
        body = (json.dumps(value) + "\n").encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """The mesh keeps an access log; this program needs none."""


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = int(os.environ.get("PORT", "9080"))
    server = ThreadingHTTPServer(("127.0.0.1", port), Details)
    print(f"details listens on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
