"""The catalog: what it accepts, what it says about mistakes, that the repository's own files are right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hack.images import catalog, programs
from hack.images.catalog import CatalogError
from hack.images.check import SCRIPTS, SETTINGS
from hack.kind.settings import Cache

NAMES = {
    "operator": {"repository": "ours/operator"},
    "services": {"repository": "ours/services"},
    "python": {"repository": "python", "tag": "3.13"},
    "redis": {"repository": "redis", "tag": "8.0.2"},
}
RECIPES = """
[debian]
suite = "trixie"
packages = ["ca-certificates"]
drop = ["usr/share/doc/*"]
[image.python]
title = "Python"
build_only = true
packages = ["python3"]
version_of = "python3.13"
[image.redis]
title = "Redis"
packages = ["redis-server"]
version_of = "redis-server"
accounts = [{ name = "redis", id = 999, home = "/data" }]
ports = [6379]
"""


def made(names: object = NAMES, recipes: str = RECIPES) -> catalog.Catalog:
    return catalog.build_catalog(json.dumps(names), recipes, "0.1.0-abc")


def test_own_images_get_the_content_tag_and_others_their_pinned_one() -> None:
    images = made().images
    assert images["operator"].reference == "ours/operator:0.1.0-abc"
    assert images["redis"].reference == "redis:8.0.2"
    assert images["operator"].recipe is None


def test_recipe_values_are_typed() -> None:
    recipe = made().images["redis"].recipe
    assert recipe is not None
    assert recipe.accounts == (catalog.Account("redis", 999, "/data"),)
    assert recipe.ports == (6379,)


def test_references_leave_out_what_no_pod_runs() -> None:
    assert made().references([]) == {
        "operator": "ours/operator:0.1.0-abc",
        "services": "ours/services:0.1.0-abc",
        "redis": "redis:8.0.2",
    }


def test_select_puts_the_base_before_what_grows_from_it() -> None:
    names = [image.name for image in made().select(["services"])]
    assert names == ["python", "services"]
    assert [image.name for image in made().select([])] == ["python", "redis", "operator", "services"]
    assert [image.name for image in made().select(["redis"])] == ["redis"]


ON_REQUEST = """
[image.jaeger]
title = "Jaeger"
reference = "jaegertracing/jaeger:2.13.0"
on_request = "observability"
version = "2.13.0"
programs = { jaeger = "cmd/jaeger/jaeger-linux" }
"""


def test_images_on_request_are_left_out_until_they_or_their_group_are_asked_for() -> None:
    found = made(recipes=RECIPES + ON_REQUEST)
    assert found.images["jaeger"].reference == "jaegertracing/jaeger:2.13.0"
    assert [image.name for image in found.select([])] == ["python", "redis", "operator", "services"]
    assert [image.name for image in found.select(["jaeger"])] == ["jaeger"]
    assert [image.name for image in found.select(["observability", "redis"])] == ["redis", "jaeger"]
    assert "jaeger" not in found.references([])
    assert found.references(["observability"]) == {"jaeger": "jaegertracing/jaeger:2.13.0"}


def test_select_names_what_is_unknown() -> None:
    with pytest.raises(CatalogError, match="mysql"):
        made().select(["redis", "mysql"])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({**NAMES, "redis": {"repository": "redis"}}, "redis needs a pinned"),
        ({**NAMES, "redis": {"repository": "redis", "tag": "latest"}}, "redis needs a pinned"),
        ({**NAMES, "redis": {"tag": "8"}}, 'redis needs a "repository"'),
        ({**NAMES, "redis": "redis:8"}, 'redis needs a "repository"'),
        ({**NAMES, "kafka": {"repository": "kafka", "tag": "4"}}, "kafka"),
        ({name: NAMES[name] for name in ("operator", "services", "python")}, "redis"),
        ({name: NAMES[name] for name in ("operator", "python", "redis")}, "no entry for services"),
    ],
)
def test_mistakes_in_the_names_are_told(names: object, said: str) -> None:
    with pytest.raises(CatalogError, match=said):
        made(names)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("ports = [6379]", "port = 6379"), "unknown key port"),
        (('title = "Redis"', ""), "redis.*title"),
        (('version_of = "redis-server"', ""), "either version or version_of"),
        (("ports = [6379]", 'jars = "redis"'), "jars_folder"),
        (("ports = [6379]", 'reference = "a/b:1"'), "reference needs on_request"),
        (("ports = [6379]", 'reference = "a/b"\non_request = "x"'), "reference is as"),
        (("ports = [6379]", 'reference = "a/b:latest"\non_request = "x"'), "reference is as"),
        (('suite = "trixie"', ""), "debian"),
        (("[debian]", "[debian"), "debian"),
    ],
)
def test_mistakes_in_the_recipes_are_told(change: tuple[str, str], said: str) -> None:
    with pytest.raises(CatalogError, match=said):
        made(recipes=RECIPES.replace(*change))


def test_names_that_are_no_json_are_told() -> None:
    with pytest.raises(CatalogError, match="not JSON"):
        catalog.build_catalog("{", RECIPES, "t")


def test_the_repository_s_catalog_is_complete() -> None:
    found = catalog.load("0.1.0-000000000000")
    usual = {"operator", "services", "postgres", "redis", "kafka", "nginx", "python"}
    observability = {
        *("jaeger", "otel-collector", "prometheus", "opensearch", "influxdb"),
        *("postgres-exporter", "redis-exporter", "nginx-exporter", "jmx-exporter"),
    }
    assert {image.name for image in found.select([])} == usual
    assert {image.name for image in found.select(["observability"])} == observability
    assert set(found.images) == usual | observability
    assert set(found.references([])) == usual - {"python"}
    assert set(SETTINGS) == set(found.images)
    for name, image in found.images.items():
        assert (SCRIPTS / f"{name}.sh").is_file()
        if image.recipe is not None and image.recipe.files:
            assert (catalog.RECIPES_FOLDER / image.recipe.files).is_dir()


def test_recipes_name_programs_that_can_be_built(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for image in catalog.load("t").images.values():
        for name, place in image.recipe.programs.items() if image.recipe is not None else ():
            assert programs.program(cache, name).name == name
            assert not place.startswith("/")


def test_a_check_runs_as_the_image_s_own_user() -> None:
    ids = {"nobody": "65534"}
    for name, image in catalog.load("t").images.items():
        if image.recipe is not None and image.recipe.user:
            user = image.recipe.user.split(":")[0]
            assert SETTINGS[name].user.split(":")[0] == ids.get(user, user), name


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("postgres", "999"),
        ("redis", "999"),
        ("kafka", "1000"),
        ("nginx", "101"),
        ("opensearch", "1000"),
        ("influxdb", "1000"),
    ],
)
def test_stand_ins_run_as_the_public_images_users(name: str, user: str) -> None:
    recipe = catalog.load("t").images[name].recipe
    assert recipe is not None
    assert recipe.user.split(":")[0] == user
    assert [str(account.id) for account in recipe.accounts] == [user]
    assert SETTINGS[name].user.split(":")[0] == user


def test_kafka_s_scripts_can_be_executed() -> None:
    folder = Path(catalog.RECIPES_FOLDER, "kafka/files/opt/kafka/bin")
    wanted = {
        "kafka-storage",
        "kafka-server-start",
        "kafka-topics",
        "kafka-console-consumer",
        "kafka-consumer-groups",
    }
    scripts = {path.stem: path for path in folder.glob("*.sh")}
    assert wanted <= set(scripts)
    assert all(path.stat().st_mode & 0o111 == 0o111 for path in scripts.values())
