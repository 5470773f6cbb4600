"""The dashboards are what their source says, complete, and drawn without overlaps."""

import itertools
import json
import re
from typing import Any

import pytest

from hack.dashboards.files import FOLDER, texts

# https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
UNITS = {"short", "s", "ms", "bytes", "percentunit", "reqps", "ops", "wps", "cps"}
KINDS = {"timeseries", "stat", "table", "bargauge", "row"}
SOURCES = {"prometheus", "jaeger", "search", "influxdb"}
# A ConfigMap takes 1 MiB; all of them share one, beside the file names.
MOST_BYTES = 900_000

FILES = sorted(FOLDER.glob("*.json"))
DOCUMENTS = {file.stem: json.loads(file.read_text()) for file in FILES}
PANELS = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name, document in DOCUMENTS.items()
    for panel in document["panels"]
    if panel["type"] != "row"
]


def test_the_files_are_those_of_the_source() -> None:
    assert {file.name: file.read_text() for file in FILES} == texts(), "run python3 -m hack.dashboards"
    assert sum(file.stat().st_size for file in FILES) < MOST_BYTES


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_dashboard_is_complete(name: str) -> None:
    document = DOCUMENTS[name]
    assert document["uid"] == name and document["id"] is None
    assert document["title"] and document["description"] and document["timezone"] == "utc"
    assert document["schemaVersion"] >= 36 and document["editable"] is False
    numbers = [panel["id"] for panel in document["panels"]]
    assert len(set(numbers)) == len(numbers)
    titles = [panel["title"] for panel in document["panels"] if panel["type"] != "row"]
    assert len(set(titles)) == len(titles)
    named = {variable["name"] for variable in document["templating"]["list"]}
    used = set(re.findall(r"\$(?!__)\{?([a-z_]+)", json.dumps(document["panels"])))
    assert used == named


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_panels_do_not_overlap(name: str) -> None:
    places = [panel["gridPos"] for panel in DOCUMENTS[name]["panels"]]
    for place in places:
        assert place["x"] >= 0 and place["w"] >= 1 and place["h"] >= 1
        assert place["x"] + place["w"] <= 24
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["type"] in KINDS and panel["title"]
    assert len(panel["description"]) >= 20 and panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["datasource"]["uid"] in SOURCES and panel["targets"]
    steps = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert steps[0] is None and steps[1:] == sorted(steps[1:])
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    if panel["datasource"]["uid"] != "prometheus":
        (target,) = panel["targets"]
        assert target.keys() > {"datasource", "refId"}
        return
    for target in panel["targets"]:
        assert target["expr"] and target["instant"] is not target["range"]
    several = len(panel["targets"]) > 1 and panel["type"] == "timeseries"
    legends = [target["legendFormat"] for target in panel["targets"]]
    assert not several or (len(set(legends)) == len(legends) and "__auto" not in legends)
