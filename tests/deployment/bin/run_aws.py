"""The AWS CLI, with its own parsing and validation of parameters, and with prepared answers in place of AWS.

ANSWERS is a file with the answer of each operation, as `service.Operation`, or a list of answers for calls one after another. CALLS is a
file that gets a line for each call. An operation without an answer fails.
"""

import json
import os
import sys
from types import SimpleNamespace

from awscli.clidriver import create_clidriver


def answer(model, params, request_signer, **_):
    """Runs where a request would be sent: it is valid by then."""
    name = f"{model.service_model.service_name}.{model.name}"
    with open(os.environ["ANSWERS"], encoding="utf-8") as file:
        prepared = json.load(file)
    with open(os.environ["CALLS"], encoding="utf-8") as file:
        earlier = sum(json.loads(line)["operation"] == name for line in file)
    with open(os.environ["CALLS"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"operation": name, "parameters": given.pop(), "body": _text(params["body"])}) + "\n")
    if name not in prepared:
        raise SystemExit(f"no answer is prepared for {name}")
    reply = prepared[name]
    if isinstance(reply, list):
        reply = reply[min(earlier, len(reply) - 1)]
    reply = dict(reply)
    for member, text in reply.items():
        if isinstance(text, str) and text.startswith("bytes:"):
            reply[member] = Body(text.removeprefix("bytes:").encode())
    return SimpleNamespace(status_code=200), reply


class Body:
    """A streamed answer."""

    def __init__(self, content):
        self.content = content

    def iter_chunks(self, *_):
        yield self.content

    def read(self, *_):
        content, self.content = self.content, b""
        return content


given = []


def remember(params, **_):
    given.append({name: _text(value) for name, value in params.items()})


def _text(value):
    if hasattr(value, "read"):
        value = value.read()
    return value.decode() if isinstance(value, bytes | bytearray) else value


driver = create_clidriver()
driver.session.register("before-parameter-build.*.*", remember)
driver.session.register("before-call.*.*", answer)
sys.exit(driver.main(sys.argv[1:]))
