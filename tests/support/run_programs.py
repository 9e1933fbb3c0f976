"""Programs that run in the place of container images in tests, and calls of Cloud Run."""

from pathlib import Path
from typing import Any

WEB = '''
"""Answers each request with what it is and what it got."""

import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

NAMES = ("K_SERVICE", "K_REVISION", "GREETING", "SECRET")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.path == "/die":
            os._exit(3)
        answer = {
            "pid": os.getpid(),
            "method": self.command,
            "path": self.path,
            "body": body,
            "host": self.headers["host"],
            "headers": {name.lower(): value for name, value in self.headers.items()},
            **{name: os.environ[name] for name in NAMES if name in os.environ},
        }
        if body:
            print(json.dumps({"severity": "NOTICE", "message": "got", "body": body}), flush=True)
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''
JOB = '''
"""Ends with the code of its first argument; `late` fails at its first attempt alone."""

import os, sys, time

index, attempt = (os.environ.get(f"CLOUD_RUN_TASK_{name}", "0") for name in ("INDEX", "ATTEMPT"))
name = os.environ.get("CLOUD_RUN_EXECUTION") or os.environ.get("CLOUD_RUN_WORKER_POOL")
print(f"task {index} attempt {attempt} of {name}", flush=True)
if sys.argv[1] == "wait":
    time.sleep(600)
sys.exit((1 if attempt == "0" else 0) if sys.argv[1] == "late" else int(sys.argv[1]))
'''


def write_programs(folder: Path) -> dict[str, str]:
    """Write the programs; return the name of the image of each, and its file."""
    programs = {"web": WEB, "job": JOB}
    for name, text in programs.items():
        (folder / f"{name}.py").write_text(text)
    return {name: str(folder / f"{name}.py") for name in programs}


def container(image: str, *args: str, **fields: Any) -> dict[str, Any]:
    """Return a container of a template."""
    return {"image": f"registry.example/p/{image}:1", "args": [*args], **fields}
