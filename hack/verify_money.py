"""make verify-money: is any money lost or doubled on the running platform? Tells what is wrong by name.

    python3 -m hack.verify_money                  the sample platform of the local cluster
    python3 -m hack.verify_money reconcile        all books against each other; run: everything
    python3 -m hack.verify_money --dev            the processes of `make dev` (needs the venv)

In the cluster a Job is made of the CronJob `verification`, with its role, image and network; also when its
schedule is off.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from hack.kubectl import Cluster, condition
from hack.progress import say, step
from hack.up import NAMESPACE

NAME = "verification"
COMMANDS = ("money", "reconcile", "run")


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing is wrong; 1: something is; 2: wrong arguments; 3: it could not be verified."""
    parser = argparse.ArgumentParser(
        prog="make verify-money", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, default="money")
    parser.add_argument("--namespace", default=NAMESPACE, help=f"namespace of the platform ({NAMESPACE})")
    parser.add_argument("--dev", action="store_true", help="verify the processes of `make dev`")
    parser.add_argument("--offset", type=int, default=0, help="of the ports of `make dev --offset`")
    parser.add_argument("--grace", type=float, help="seconds that something may be on its way")
    parser.add_argument("--timeout", type=float, default=600, help="seconds it may take (600)")
    options = parser.parse_args(arguments)
    command = ["python3", "-m", "payments.verification", options.command]
    command += [] if options.grace is None else ["--grace", str(options.grace)]
    if options.dev:
        return _local(command[1:], options.offset, options.timeout)
    try:
        code, output = in_cluster(Cluster.from_environment(), options.namespace, command, options.timeout)
    except subprocess.CalledProcessError as error:
        say(f"error: {error.stderr.strip()}")
        return 3
    except TimeoutError as error:
        say(f"error: {error}")
        return 3
    sys.stdout.write(output)
    return code


def in_cluster(cluster: Cluster, namespace: str, command: list[str], seconds: float) -> tuple[int, str]:
    """Exit code and output of the command in a Job.

    Raises:
        subprocess.CalledProcessError: kubectl did not succeed; its message is on stderr.
        TimeoutError: the Job did not end in time.
    """
    job = job_of(cluster.get("-n", namespace, "cronjob", NAME), command)
    name = job["metadata"]["name"]
    with step(f"Job {namespace}/{name}"):
        cluster.apply(job)
        try:
            _wait(cluster, namespace, name, seconds)
            output = cluster.kubectl("-n", namespace, "logs", f"job/{name}", "--container", NAME)
            return _exit_code(cluster, namespace, name), output
        finally:
            cluster.kubectl("-n", namespace, "delete", "job", name, "--wait=false")


def job_of(cron_job: dict[str, Any], command: list[str]) -> dict[str, Any]:
    """A Job as the CronJob would make it, of another command and tried once."""
    spec = cron_job["spec"]["jobTemplate"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    pod = {**spec["template"]["spec"], "containers": [{**container, "command": command}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"verify-{command[3]}-{secrets.token_hex(3)}",
            "namespace": cron_job["metadata"]["namespace"],
        },
        "spec": {
            **spec,
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": 600,
            "template": {**spec["template"], "spec": pod},
        },
    }


def _wait(cluster: Cluster, namespace: str, name: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        job = cluster.get("-n", namespace, "job", name)
        if "True" in (condition(job, "Complete").get("status"), condition(job, "Failed").get("status")):
            return
        if time.monotonic() > end:
            raise TimeoutError(f"Job {namespace}/{name} did not end within {seconds:.0f} s")
        time.sleep(0.5)


def _exit_code(cluster: Cluster, namespace: str, name: str) -> int:
    pods = cluster.get("-n", namespace, "pods", "-l", f"batch.kubernetes.io/job-name={name}")["items"]
    for pod in pods:
        for status in pod["status"].get("containerStatuses", []):
            if "terminated" in status["state"]:
                return int(status["state"]["terminated"]["exitCode"])
    return 3


def _local(command: list[str], offset: int, seconds: float) -> int:
    # Only here, since these need the venv.
    from hack.dev.__main__ import PREFIX
    from hack.dev.catalog import python
    from hack.dev.containers import start
    from hack.dev.stack import verification_environment

    variables = verification_environment(start(PREFIX, offset=offset))
    path = {"PATH": os.environ.get("PATH", "")}
    return subprocess.run([python(), *command], env=path | variables, timeout=seconds, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
