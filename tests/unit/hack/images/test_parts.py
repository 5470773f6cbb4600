"""The pure parts of building: decisions, Dockerfiles, versions, locks, the table, the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hack.images import cli, docker, dockerfile, jars, own, rootfs, staging, standins, wheels
from hack.images.catalog import Account, Image, Recipe
from hack.images.check import SETTINGS, container_command
from hack.images.decision import Action, decide
from hack.images.docker import Present
from hack.images.table import Row, render_table
from hack.kind.proc import Failure
from hack.kind.settings import Cache

PUBLIC = Present("sha256:1", 10, {})
STANDIN = Present("sha256:2", 10, {docker.LABEL_STANDIN: "true", docker.LABEL_INPUTS: "same"})


@pytest.mark.parametrize(
    ("present", "airgapped", "inputs", "action"),
    [
        (None, False, "same", Action.PULL),
        (None, True, "same", Action.BUILD),
        (PUBLIC, False, "same", Action.KEEP),
        (PUBLIC, True, "same", Action.KEEP),
        (STANDIN, False, "same", Action.PULL),
        (STANDIN, True, "same", Action.KEEP),
        (STANDIN, True, "other", Action.BUILD),
    ],
)
def test_decisions(present: Present | None, airgapped: bool, inputs: str, action: Action) -> None:
    assert decide(present, airgapped, inputs) is action


def test_a_stand_in_s_dockerfile_keeps_the_contract() -> None:
    recipe = Recipe(
        title="Nginx",
        packages=("nginx",),
        version_of="nginx",
        user="101",
        finish=("nginx -t",),
        ports=(8080,),
        volumes=("/data",),
        workdir="/srv",
        environment={"B": "two words", "A": "/bin:/usr/bin"},
        command=("nginx", "-g", "daemon off;"),
        stop_signal="SIGQUIT",
    )
    assert dockerfile.render(recipe, "sha256:abc", has_files=True).splitlines() == [
        "FROM sha256:abc",
        "ADD root.tar /",
        "COPY files/ /",
        "ENV A=/bin:/usr/bin",
        'ENV B="two words"',
        "RUN nginx -t",
        "EXPOSE 8080",
        'VOLUME ["/data"]',
        "WORKDIR /srv",
        "USER 101",
        "STOPSIGNAL SIGQUIT",
        'CMD ["nginx", "-g", "daemon off;"]',
    ]


def test_a_bare_recipe_needs_no_more_than_its_layer() -> None:
    text = dockerfile.render(Recipe(title="x", packages=(), version="1"), "base", has_files=False)
    assert text == "FROM base\nADD root.tar /\n"


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("5:8.0.2-3+deb13u2", "8.0.2"),
        ("17.12-0+deb13u1", "17.12"),
        ("1.2+dfsg-1", "1.2"),
        ("20240118", "20240118"),
        ("2.36.1-8+b2", "2.36.1"),
    ],
)
def test_upstream_versions(version: str, upstream: str) -> None:
    assert rootfs.upstream_version(version) == upstream


@pytest.mark.parametrize(
    ("tag", "version", "right"),
    [
        ("17.12", "17.12", True),
        ("3.13-slim-trixie", "3.13.5", True),
        ("17.1", "17.12", False),
        ("8.0.2", "8.0.3", False),
        ("v2.53.3", "2.53.3", True),
    ],
)
def test_whether_a_tag_names_a_version(tag: str, version: str, right: bool) -> None:
    assert standins.agrees(tag, version) is right


def test_installed_packages() -> None:
    first = "Package: a\nStatus: install ok installed\nVersion: 1-2\n"
    second = "Package: b\nDescription: x\n Version: no\nVersion: 3\n"
    status = f"{first}\n{second}\n"
    assert rootfs.installed_packages(status) == {"a": "1-2", "b": "3"}


def test_account_lines_make_no_usable_password() -> None:
    lines = rootfs.account_lines(Account("postgres", 999, "/var/lib/postgresql"))
    assert "echo postgres:x:999:999::/var/lib/postgresql:/bin/sh >> etc/passwd" in lines
    assert any("'postgres:*:" in line and line.endswith(">> etc/shadow") for line in lines)


def test_a_layer_s_key_changes_with_its_recipe_and_what_is_below() -> None:
    plan = rootfs.Plan("redis", ("redis-server",), (), (), (), "below")
    others = [
        rootfs.Plan("redis", ("redis-server", "x"), (), (), (), "below"),
        rootfs.Plan("redis", ("redis-server",), ("x",), (), (), "below"),
        rootfs.Plan("redis", ("redis-server",), (), ("x",), (), "below"),
        rootfs.Plan("redis", ("redis-server",), (), (), ("x",), "below"),
        rootfs.Plan("redis", ("redis-server",), (), (), (), "other"),
    ]
    keys = {plan.key("trixie"), plan.key("bookworm"), *(other.key("trixie") for other in others)}
    assert len(keys) == 7


def test_locks_of_jars_round_trip_and_tell_differences() -> None:
    hashes = {"b.jar": "22", "a.jar": "11"}
    assert jars.render_lock(hashes) == "11  a.jar\n22  b.jar\n"
    assert jars.parse_lock(jars.render_lock(hashes)) == hashes
    assert jars.differences(hashes, dict(hashes)) == []
    told = jars.differences(hashes, {"a.jar": "XX", "c.jar": "33"})
    assert told == [
        "b.jar is missing",
        "c.jar is not in the lock",
        "a.jar has other content than the lock says",
    ]


def test_pip_gets_only_locked_wheels_for_the_image_s_python() -> None:
    words = wheels.pip_arguments(Path("r.txt"), "x86_64")
    assert {"--require-hashes", "--no-deps", ":all:"} <= set(words)
    assert words[words.index("--python-version") + 1] == "3.13"
    assert "manylinux2014_x86_64" in words
    assert "manylinux2014_aarch64" in wheels.pip_arguments(Path("r.txt"), "arm64")


def test_an_unknown_machine_is_named() -> None:
    with pytest.raises(Failure, match="riscv64"):
        wheels.wheel_platforms("riscv64")


def test_old_builds_go_and_foreign_tags_stay() -> None:
    tags = [f"0.1.0-{number:012x}" for number in range(6)]
    mixed = ["0.1.0", "mine", *tags, "0.1.0-xyz"]
    assert own.outdated(mixed, tags[0]) == tags[3:]
    assert own.outdated(mixed, tags[5]) == tags[2:5]
    assert own.outdated([], "0.1.0-abc") == []


def test_helm_s_absence_is_told_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="hack.kind tools"):
        own.helm_binary(Cache(tmp_path))


def test_inspect_answers_without_labels() -> None:
    answer = json.dumps([{"Id": "sha256:9", "Size": 5, "Config": {"Labels": None}}])
    present = docker.parse_inspect(answer)
    assert (present.id, present.size, present.is_standin, present.inputs) == ("sha256:9", 5, False, "")


def test_the_table_tells_stand_ins_from_public_images() -> None:
    image = Image("redis", "redis", "8.0.2", Recipe(title="Redis", packages=(), version="8.0.2"))
    ours = Image("services", "ours/services", "1", None)
    labels = {docker.LABEL_STANDIN: "true", docker.LABEL_VERSION: "8.0.2"}
    rows = [
        Row.of(image, Present("sha256:1", 76_400_000, labels)),
        Row.of(image, PUBLIC),
        Row.of(ours, Present("sha256:3", 1, {docker.LABEL_STANDIN: "false"})),
        Row.of(ours, None),
    ]
    assert [row.kind for row in rows] == ["stand-in", "public", "own", "-"]
    lines = render_table(rows).splitlines()
    assert lines[0].split() == ["NAME", "REFERENCE", "PRESENT", "KIND", "VERSION", "SIZE"]
    assert lines[1].split() == ["redis", "redis:8.0.2", "yes", "stand-in", "8.0.2", "76", "MB"]
    assert lines[4].split() == ["services", "ours/services:1", "no", "-", "-", "-"]


def test_a_check_runs_as_a_restricted_pod_would() -> None:
    command = container_command("c1", "redis:8.0.2", SETTINGS["redis"])
    text = " ".join(command)
    for words in ("--read-only", "--cap-drop ALL", "no-new-privileges", "--user 999:999", "--network none"):
        assert words in text
    assert "--tmpfs /data:exec,uid=999,gid=999,mode=0700" in text
    assert command.index("redis:8.0.2") == command.index("bash") + 1


def test_copied_sources_have_plain_rights_and_no_leftovers(tmp_path: Path) -> None:
    source, target = tmp_path / "s", tmp_path / "t"
    (source / "pay" / "__pycache__").mkdir(parents=True)
    (source / "pay" / "__pycache__" / "a.pyc").write_text("x")
    (source / "pay" / "a.py").write_text("a")
    (source / "run.sh").write_text("x")
    (source / "pay" / "a.py").chmod(0o600)
    (source / "run.sh").chmod(0o700)
    staging.copy_sources(source, target)
    files = {
        path.relative_to(target).as_posix(): path.stat().st_mode & 0o777
        for path in target.rglob("*")
        if path.is_file()
    }
    assert files == {"pay/a.py": 0o644, "run.sh": 0o755}
    assert (target / "pay").stat().st_mode & 0o777 == 0o755


def test_a_context_starts_empty_and_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    leftover = cache.work / "image-x" / "old"
    leftover.mkdir(parents=True)
    with staging.context(cache, "x") as folder:
        assert list(folder.iterdir()) == []
        (folder / "new").write_text("x")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "command", "names"),
    [
        (["build"], "build", []),
        (["build", "redis", "kafka"], "build", ["redis", "kafka"]),
        (["check", "nginx"], "check", ["nginx"]),
    ],
)
def test_arguments(words: list[str], command: str, names: list[str]) -> None:
    arguments = cli.parser().parse_args(words)
    assert (arguments.command, arguments.names) == (command, names)


def test_refresh_is_off_unless_asked_for() -> None:
    assert cli.parser().parse_args(["build"]).refresh is False
    assert cli.parser().parse_args(["build", "--refresh"]).refresh is True


@pytest.mark.parametrize("words", [[], ["frobnicate"], ["tag", "extra"]])
def test_wrong_usage_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2


def test_an_unknown_image_is_an_error_and_not_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["build", "mysql"]) == 1
    assert "mysql" in capsys.readouterr().err


def test_a_senseless_setting_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAYMENTS_AIRGAPPED", "perhaps")
    assert cli.main(["tag"]) == 2
    assert "PAYMENTS_AIRGAPPED" in capsys.readouterr().err


def test_refs_are_json_for_the_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["refs"]) == 0
    references = json.loads(capsys.readouterr().out)
    assert set(references) == {"operator", "services", "postgres", "redis", "kafka", "nginx"}
    own_tags = {references[name].partition(":")[2] for name in ("operator", "services")}
    assert len(own_tags) == 1
    assert own.OUR_TAG.fullmatch(own_tags.pop())
