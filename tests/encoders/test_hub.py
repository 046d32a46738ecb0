import os
import subprocess
import sys

import pytest

_FETCH = """
import sys, time
asked_to_sleep, sleep = [0.0], time.sleep
time.sleep = lambda seconds: (asked_to_sleep.append(seconds), sleep(seconds))
from core.encoders import hub
from core.errors import ShoeboxError
try:
    hub.fetch("laion/some-model", ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"])
except ShoeboxError as error:
    print(error)
else:
    sys.exit("fetched")
print(sum(asked_to_sleep))
"""


@pytest.mark.parametrize("network", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_without_network_one_line_says_at_once_what_to_do(network, tmp_path):
    env = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path), "HF_TOKEN": "hf_secret", **network}
    done = subprocess.run([sys.executable, "-c", _FETCH], env=env, capture_output=True, text=True, check=True)
    *lines, slept = done.stdout.strip().splitlines()
    assert float(slept) < 10, "it tries again and again"
    assert len(lines) == 1 and not done.stderr
    for said in ("laion/some-model", "--weights", "--encoder pocket", str(tmp_path), "models--laion--some-model"):
        assert said in lines[0]
    assert "hf_secret" not in lines[0]


class _Hub:
    """A hub of one small file, spoken to over HTTP on this machine."""

    content = bytes(range(256)) * 4096
    commit = "0123456789abcdef0123456789abcdef01234567"

    def serve(self):
        import http.server
        import threading

        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self._answer(body=False)

            def do_GET(self):
                self._answer(body=True)

            def _answer(self, body):
                known = self.path.startswith("/org/name/resolve/main/weights.bin")
                self.send_response(200 if known else 404)
                if known:
                    self.send_header("X-Repo-Commit", hub.commit)
                    self.send_header("ETag", '"abc"')
                else:
                    self.send_header("X-Error-Code", "EntryNotFound")
                content = hub.content if known else b""
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if body:
                    self.wfile.write(content)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


_DOWNLOAD = """
import json
from core.encoders import hub
told = []
names = ["weights.safetensors", "weights.bin"]
path = hub.fetch("org/name", names, progress=lambda done, total: told.append((done, total)))
assert hub.cached("org/name", names) == path
print(json.dumps({"bytes": path.stat().st_size, "told": told}))
"""


def test_a_download_tells_its_progress_as_data_and_draws_nothing(tmp_path):
    import json

    server = _Hub().serve()
    env = {
        **os.environ,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path),
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
    }
    done = subprocess.run([sys.executable, "-c", _DOWNLOAD], env=env, capture_output=True, text=True, check=False)
    server.shutdown()
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    answer = json.loads(done.stdout)
    assert answer["bytes"] == len(_Hub.content)
    assert answer["told"][-1] == [len(_Hub.content), len(_Hub.content)]
