"""Requests for JSON."""

import json
import urllib.parse
import urllib.request
from typing import Any

SECONDS = 20.0


def ask(url: str, body: Any = None, **parameters: str) -> Any:
    """The JSON that is answered: to a GET, or to a POST of `body`. Raises OSError, ValueError."""
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(
        urllib.request.Request(url + query, data, headers), timeout=SECONDS
    ) as answer:
        return json.load(answer)
