"""The AET dictionary: a mistake in it is an error that names the entry."""

import json
from typing import Any

import pytest

from workloads.dimse.aet_dictionary import Peer, check_aet, parse
from workloads.dimse.errors import UsageError

VALID = {"name": "PACS", "host": "pacs.example", "port": 104}


def test_entries_of_googles_adapter_are_read() -> None:
    text = json.dumps([VALID, {"name": "CT 1", "host": "10.0.0.7", "port": 11112, "tls": True}])
    assert parse(text, "aets.json") == {
        "PACS": Peer("PACS", "pacs.example", 104),
        "CT 1": Peer("CT 1", "10.0.0.7", 11112, tls=True),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "aets.json is not a list"),
        (["PACS"], "entry 1 is not an object"),
        ([VALID, VALID], "entry 2: PACS is already in the dictionary"),
        ([VALID | {"prot": 1}], "entry 1 has the unknown key 'prot'. Known keys: name, host, port"),
        ([{"name": "PACS", "host": "h"}], "entry 1 lacks the key 'port'"),
        ([VALID | {"port": "104"}], "entry 1: port is not a number: '104'"),
        ([VALID | {"port": True}], "entry 1: port is not a number: True"),
        ([VALID | {"port": 65536}], "65536 is not a valid port"),
        ([VALID | {"host": ""}], "entry 1: host is empty"),
        ([VALID | {"name": "A" * 17}], "entry 1: 'AAAAAAAAAAAAAAAAA' is not a valid AE title"),
    ],
)
def test_a_mistake_is_an_error(content: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(json.dumps(content), "aets.json")
    assert message in str(caught.value)


def test_text_that_is_not_json_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"aets.json is not valid JSON: .*line 1"):
        parse("{", "aets.json")


@pytest.mark.parametrize("title", ["", " A", "A ", "A\\B", "\u00c4", "A\n", "x" * 17])
def test_titles_that_are_not_valid(title: str) -> None:
    with pytest.raises(UsageError, match="is not a valid AE title"):
        check_aet(title)
