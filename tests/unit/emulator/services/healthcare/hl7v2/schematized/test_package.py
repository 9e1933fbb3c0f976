"""Schema packages of stores: layers, selectors, unexpected segments, primitive types."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.services.healthcare.hl7v2.parsing.syntax import parse
from emulator.services.healthcare.hl7v2.schematized.package import SchemaPackage
from tests.support.hl7v2_messages import admission, body, message

HEADER = "MSH|^~\\&|APP^1|WARD|||2024||ADT^A01|7|P|2.5|||||||||A~B^x"
TYPES = [
    {"name": "ZZZ", "fields": [{"type": "TEXT", "maxOccurs": 1}, {"name": "all", "type": "ANY"}]},
    {"name": "TEXT", "primitive": "STRING"},
    {"name": "RAW", "primitive": "UNESCAPED_STRING"},
    {"name": "ANY", "primitive": "VARIES"},
]


def segment(name: str, least: int = 0, most: int = 1) -> dict[str, Any]:
    return {"segment": {"type": name, "minOccurs": least, "maxOccurs": most}}


def group(name: str, *members: dict[str, Any], most: int = 1, **more: Any) -> dict[str, Any]:
    return {"name": name, "maxOccurs": most, "members": [*members], **more}


def package(root: dict[str, Any], *types: Any, **more: Any) -> dict[str, Any]:
    return {
        "schemas": [{"messageSchemaConfigs": {"ADT_A01": root}}],
        "types": [{"type": [*TYPES, *types]}],
        "ignoreMinOccurs": True,
        **more,
    }


def parsed(config: dict[str, Any], *segments: str, header: str = HEADER) -> Any:
    found = SchemaPackage(config).schematize(parse(message(header, *segments)))
    return json.loads(found["data"]) if "data" in found else found["error"]


def test_a_custom_schema_and_a_custom_type_above_the_default_ones() -> None:
    root = group("ROOT", segment("MSH"), segment("PID"), segment("ZZZ", most=-1))
    found = parsed(package(root), "PID|1||5^^^X^MR", "ZZZ|one|a^b&c~d", "ZZZ|two")["ROOT"]
    assert found["MSH"]["4"] == {"1": "WARD"}
    assert found["PID"]["3"][0]["5"] == "MR"
    assert found["ZZZ"] == [
        {
            "0": "ZZZ",
            "1": "one",
            "all": [{"1": {"1": "a"}, "2": {"1": "b", "2": "c"}}, {"1": {"1": "d"}}],
        },
        {"0": "ZZZ", "1": "two"},
    ]


def test_the_root_is_called_by_the_message_unless_it_has_a_name() -> None:
    assert set(parsed(package({"members": [segment("MSH")]}))) == {"ADT_A01"}


def test_a_type_may_ignore_the_delimiters_below_it() -> None:
    raw = {"name": "ZZZ", "fields": [{"type": "RAW", "maxOccurs": 1}]}
    root = group("R", segment("MSH"), segment("ZZZ"))
    assert parsed(package(root, raw), "ZZZ|a^b&c^\\F\\")["R"]["ZZZ"]["1"] == "a^b&c^\\F\\"


def test_groups_and_choices() -> None:
    choice = group("CHOICE", segment("AL1", most=-1), segment("DG1"), choice=True)
    part = group("PART", segment("PID", 1), {"group": choice}, most=0)
    root = group("R", segment("MSH"), {"group": part})
    found = parsed(package(root), "PID|1", "AL1|1", "AL1|2", "PID|2", "DG1|1", "PID|3")["R"]["PART"]
    assert [one["PID"]["1"] for one in found] == ["1", "2", "3"]
    assert [one["1"] for one in found[0]["CHOICE"]["AL1"]] == ["1", "2"]
    assert found[0]["CHOICE"]["DG1"] is None
    assert found[1]["CHOICE"]["DG1"]["1"] == "1"
    assert found[2]["CHOICE"] is None
    once = group("R", segment("MSH"), {"group": {**part, "maxOccurs": 1}})
    assert parsed(package(once), "PID|1", "AL1|1", "DG1|1") == "unexpected segment DG1"


@pytest.mark.parametrize(
    ("handling", "expected"),
    [
        (None, "unexpected segment ZZY"),
        ("FAIL", "unexpected segment ZZY"),
        ("SKIP", None),
        ("PARSE", [{"0": "ZZY", "1": [{"1": {"1": "a"}}]}, {"0": "ZZY", "1": None}]),
    ],
)
def test_unexpected_segments(handling: str | None, expected: Any) -> None:
    inner = group("IN", segment("PID"), segment("PV1"))
    more = {"unexpectedSegmentHandling": handling} if handling else {}
    config = package(group("R", segment("MSH"), {"group": inner}), **more)
    found = parsed(config, "PID|1", "ZZY|a", "ZZY|", "PV1|1|I")
    if isinstance(found, str):
        assert found == expected
        return
    assert found["R"]["IN"]["PV1"]["2"] == {"1": "I"}
    assert found["R"]["IN"].get("ZZY") == expected


def test_required_members_and_fields() -> None:
    root = group("R", segment("MSH"), segment("ZZZ", 1))
    needed = {"name": "ZZZ", "fields": [{"name": "one", "type": "TEXT", "minOccurs": 1}]}
    strict = {**package(root, needed), "ignoreMinOccurs": False}
    header = HEADER.replace("ADT^A01", "ADT^A01^ADT_A01")
    assert parsed(strict, header=header) == "missing required ZZZ in group R"
    assert parsed(strict, "ZZZ|", header=header) == "missing required ZZZ.one"
    assert parsed(package(root, needed), "ZZZ|")["R"]["ZZZ"] == {"0": "ZZZ", "one": None}


def test_the_last_layer_whose_selectors_match_counts() -> None:
    def layer(name: str, **selectors: str) -> dict[str, Any]:
        return {
            "version": [{"mshField": path, "value": value} for path, value in selectors.items()],
            "messageSchemaConfigs": {"ADT_A01": group(name, segment("MSH"))},
        }

    cases = {
        "last": [layer("first"), layer("last")],
        "first": [layer("first"), layer("last", **{"12": "2.4"})],
        "all": [layer("none"), layer("all", **{"3.2": "1", "4": "WARD", "21[1].2": "x"})],
        "some": [layer("some"), layer("all", **{"3.2": "1", "4": "OTHER"})],
    }
    for name, schemas in cases.items():
        config = {"schemas": schemas, "ignoreMinOccurs": True}
        assert set(parsed(config)) == {name}


def test_types_in_layers_override_each_other() -> None:
    root = group("R", segment("MSH"), segment("ZZZ"))
    config = package(root)
    other = {"name": "ZZZ", "fields": [{"name": "other", "type": "TEXT", "maxOccurs": 1}]}
    config["types"].append({"version": [{"mshField": "12", "value": "2.5"}], "type": [other]})
    assert parsed(config, "ZZZ|x")["R"]["ZZZ"] == {"0": "ZZZ", "other": "x"}
    config["types"][1]["version"][0]["value"] = "2.6"
    assert parsed(config, "ZZZ|x")["R"]["ZZZ"] == {"0": "ZZZ", "1": "x"}


def test_errors_of_a_schema_itself() -> None:
    root = group("R", segment("MSH"), segment("ZZY"), segment("ZZX"))
    unknown = {"name": "ZZX", "fields": [{"type": "NONE"}]}
    config = package(root, unknown)
    assert parsed(config, "ZZY|1") == "no type is defined for segment ZZY"
    assert parsed(config, "ZZX|1") == "no type NONE is defined for ZZX.1"


def test_a_store_keeps_or_refuses_what_does_not_fit(
    client: TestClient, make_store: Callable[..., str], ingest: Callable[..., Any]
) -> None:
    soft = make_store("soft", parserConfig={"schema": {}})
    answer = ingest(soft, admission())["message"]
    assert answer["schematizedData"]["error"].startswith("missing required")
    lenient = make_store("lenient", parserConfig={"schema": {"ignoreMinOccurs": True}})
    good = ingest(lenient, admission())["message"]
    root = json.loads(good["schematizedData"]["data"])["ADT_A01"]
    assert root["PID"]["5"][0]["2"] == "Änne"
    view = client.get(f"/v1/{good['name']}?view=SCHEMATIZED_ONLY").json()
    assert view["schematizedData"] == good["schematizedData"]
    assert "parsedData" not in view
    hard = make_store("hard", parserConfig={"schema": {"schematizedParsingType": "HARD_FAIL"}})
    refused = client.post(f"/v1/{hard}/messages:ingest", json=body(admission()))
    assert refused.status_code == 400
    [detail] = refused.json()["error"]["details"]
    assert b"\rMSA|AE|MSG00001|missing required" in base64.b64decode(detail["hl7Nack"])
    assert client.get(f"/v1/{hard}/messages").json() == {}


def test_a_selector_that_is_not_a_path_is_refused(client: TestClient, dataset: str) -> None:
    schema = {"types": [{"version": [{"mshField": "MSH-3", "value": "x"}]}]}
    answer = client.post(
        f"/v1/{dataset}/hl7V2Stores?hl7V2StoreId=bad", json={"parserConfig": {"schema": schema}}
    )
    assert answer.status_code == 400
    assert "msh_field" in answer.json()["error"]["message"]
