"""Which images run, and as what."""

import json
import re
import sys
from pathlib import Path

import pytest

from emulator.services.containers import images
from emulator.services.containers.images import OURS, Images, UnknownImageError
from viewer import cache

ROOT = Path(__file__).parents[5]


@pytest.mark.parametrize(
    "reference",
    [
        "mllp-adapter",
        "docker.io/mllp-adapter:1.2",
        "europe-west4-docker.pkg.dev/my-project/hospital/mllp-adapter:1.2",
        f"localhost:5000/mllp-adapter@sha256:{'0' * 64}",
        f"mllp-adapter:latest@sha256:{'0' * 64}",
    ],
)
def test_the_last_part_of_a_reference_names_the_image(reference: str) -> None:
    assert images.name_of(reference) == "mllp-adapter"


def test_an_image_of_ours_listens_at_its_address() -> None:
    command = Images({}).command("pkg.dev/p/r/mllp-adapter:1", "127.64.0.9")
    assert command == (
        *(sys.executable, "-P", "-m", "workloads.mllp"),
        *("--receiver-ip", "127.64.0.9"),
    )


@pytest.mark.parametrize("name", OURS)
def test_the_entry_points_of_ours_are_those_of_their_images(name: str) -> None:
    file = ROOT / "workloads" / name.partition("-")[0] / "Dockerfile"
    found = re.search(r"^ENTRYPOINT (.*)$", file.read_text(), re.MULTILINE)
    assert found
    *program, option, address = json.loads(found[1])
    if address != "0.0.0.0":  # the default of --host
        program, option = [*program, option, address], "--host"
    ours = ["/viewer" if word == str(cache.folder()) else word for word in OURS[name]]
    assert [*program, option] == ["python", "-m", *ours]


def test_an_image_of_the_user_runs_as_a_module_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("")
    programs = dict(map(images.parse, (f"web={file}", "job=package.job")))
    assert Images(programs).command("x/web:1", "127.0.0.1") == (sys.executable, str(file))
    assert Images(programs).command("x/job", "127.0.0.1")[-2:] == ("-m", "package.job")


def test_an_image_of_the_user_stands_before_ours() -> None:
    programs = dict([images.parse("mllp-adapter=package.mine")])
    assert Images(programs).command("mllp-adapter", "127.0.0.1")[-1] == "package.mine"


def test_an_unknown_image_says_how_it_can_run() -> None:
    with pytest.raises(UnknownImageError, match="--image hello=MODULE"):
        Images({}).command("us-docker.pkg.dev/cloudrun/container/hello:latest", "127.0.0.1")


def test_python_may_replace_the_entry_point() -> None:
    command = Images({}).command("mllp-adapter", "127.0.0.1", ["/usr/bin/python3", "-m", "a"])
    assert command == (sys.executable, "-P", "-m", "a")


def test_no_other_program_may() -> None:
    with pytest.raises(UnknownImageError, match="/bin/sh can't run"):
        Images({}).command("mllp-adapter", "127.0.0.1", ["/bin/sh", "-c", "true"])


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("web", "write NAME=MODULE"),
        ("web=a b", "'a b' is not a valid program"),
        ("Web/1=a", "write NAME=MODULE"),
        ("web=missing.py", "There is no file .*missing.py"),
    ],
)
def test_a_wrong_option_says_what_is_wrong(option: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        images.parse(option)
