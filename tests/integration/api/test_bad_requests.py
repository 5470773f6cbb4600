"""The table of bad requests, which the gateway and the running cluster are tried with, knows every route."""

import re
from typing import Any

from tests.integration.api.matrix import operations
from tests.support.bad_requests import BAD_REQUESTS

# They take nothing that could be wrong.
WITHOUT_INPUT = {"GET /health", "GET /.well-known/jwks.json"}


def test_every_operation_has_its_bad_requests(document: dict[str, Any]) -> None:
    sent = {(case.method, case.path.partition("?")[0]) for case in BAD_REQUESTS}
    missing = []
    for name in operations(document).keys() - WITHOUT_INPUT:
        method, path = name.split(" ")
        pattern = re.compile(
            re.sub(r"{\w+}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))
        )
        if not any(method == given and pattern.fullmatch(where) for given, where in sent):
            missing.append(f"{name}: add what it must refuse to tests/support/bad_requests_of_routes.py")
    assert not missing, "\n" + "\n".join(sorted(missing))
    assert len({case.name for case in BAD_REQUESTS}) == len(BAD_REQUESTS) >= 60
