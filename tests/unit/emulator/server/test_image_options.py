"""The programs of images, as given at starts of the emulator."""

from pathlib import Path

import pytest

from emulator.server import image_options
from emulator.server.errors import EmulatorError
from emulator.server.server_file import Ports, ServerInfo, write_server_info


def running(state: Path, images: dict[str, str]) -> ServerInfo:
    info = ServerInfo(1, 1.0, Ports(), state, images=images)
    write_server_info(info)
    return info


def test_programs_of_earlier_starts_stay(tmp_path: Path) -> None:
    running(tmp_path, {"a": "x", "b": "y"})
    assert image_options.merge(tmp_path, {"b": "z", "c": "w"}) == {"a": "x", "b": "z", "c": "w"}


def test_an_empty_program_removes_an_image(tmp_path: Path) -> None:
    running(tmp_path, {"a": "x", "b": "y"})
    assert image_options.merge(tmp_path, image_options.read_options(["a="])) == {"b": "y"}


def test_a_first_start_has_the_programs_that_it_names(tmp_path: Path) -> None:
    assert image_options.merge(tmp_path, {"a": "x"}) == {"a": "x"}


def test_a_running_emulator_keeps_its_programs(tmp_path: Path) -> None:
    found = running(tmp_path, {"a": "x"})
    image_options.check_same(found, {"a": "x"})
    with pytest.raises(EmulatorError, match="already running without --image a=y"):
        image_options.check_same(found, {"a": "y"})


def test_a_wrong_option_is_an_error_of_the_emulator() -> None:
    with pytest.raises(EmulatorError, match="write NAME=MODULE"):
        image_options.read_options(["a"])
