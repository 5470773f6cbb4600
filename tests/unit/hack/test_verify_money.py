"""The Job that `make verify-money` makes of the CronJob."""

from hack.verify_money import job_of


def test_a_job_is_the_cron_jobs_but_for_its_command() -> None:
    container = {"name": "verification", "image": "services:1", "command": ["python3", "run"], "env": ["x"]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container], "volumes": ["v"]}}
    cron_job = {
        "metadata": {"namespace": "shop", "labels": {"paymentplatform.dev/platform": "shop"}},
        "spec": {"jobTemplate": {"spec": {"backoffLimit": 3, "template": template}}},
    }
    command = ["python3", "-m", "payments.verification", "money"]
    job = job_of(cron_job, command)
    # No label of the platform on the Job itself: the operator would prune what the chart does not render.
    assert set(job["metadata"]) == {"name", "namespace"}
    assert job["metadata"]["name"].startswith("verify-money-")
    assert job["spec"]["backoffLimit"] == 0
    pod = job["spec"]["template"]
    assert pod["metadata"] == {"labels": {"a": "b"}}
    assert pod["spec"] == {"containers": [container | {"command": command}], "volumes": ["v"]}
    assert container["command"] == ["python3", "run"]
