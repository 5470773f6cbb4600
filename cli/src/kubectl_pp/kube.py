"""kubectl, called as a program: it knows the user's clusters, contexts and credentials."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
PLATFORMS = "paymentplatforms.paymentplatform.dev"


class Failed(Exception):
    """A command that did not do what was asked; the text says why and what helps."""


@dataclass(frozen=True)
class Kube:
    """A cluster and a namespace, as the user chose them (empty: kubectl's own choice)."""

    context: str = ""
    namespace: str = ""

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """The output of a kubectl command. Raises Failed with kubectl's own words."""
        try:
            done = subprocess.run(
                [*self.command, *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except FileNotFoundError:
            raise Failed("kubectl is not on PATH: see https://kubernetes.io/docs/tasks/tools/") from None
        except subprocess.TimeoutExpired:
            raise Failed(f"kubectl {arguments[0]} gave no answer within {timeout:.0f} s") from None
        if done.returncode:
            raise Failed(done.stderr.strip() or f"kubectl {arguments[0]} ended with {done.returncode}")
        return done.stdout

    @property
    def command(self) -> list[str]:
        """kubectl with the choices."""
        chosen = ["--context", self.context] if self.context else []
        return ["kubectl", *chosen, *(["--namespace", self.namespace] if self.namespace else [])]

    def get(self, *arguments: str) -> Object:
        """`kubectl get … -o json`, parsed."""
        found: Object = json.loads(self.run("get", *arguments, "--output", "json"))
        return found

    def platform(self, name: str = "") -> Object:
        """The platform of that name, or the only one of the namespace. Raises Failed when it is not clear."""
        if name:
            return self.get(PLATFORMS, name)
        items: list[Object] = self.get(PLATFORMS)["items"]
        if len(items) == 1:
            return items[0]
        names = ", ".join(item["metadata"]["name"] for item in items)
        raise Failed(
            f"which one? name it: {names}"
            if items
            else "no PaymentPlatform in this namespace: choose one by -n"
        )

    @contextmanager
    def forwarded(self, target: str, port: int) -> Iterator[str]:
        """The address on this machine of a Service's port, for as long as the block lasts."""
        process = subprocess.Popen(
            [*self.command, "port-forward", target, f":{port}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("Forwarding from"):
                assert process.stderr is not None
                raise Failed(f"{target} cannot be reached: {process.stderr.read().strip()}")
            yield f"http://{line.split()[2]}"
        finally:
            process.terminate()
            process.wait(10)
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
