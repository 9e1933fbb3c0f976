"""The images of the workloads: what their programs import is pinned, and copied."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_lock_of_the_images_has_all_that_the_extra_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "workloads" / "requirements.txt").read_text()
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)", lock, re.MULTILINE))
    wanted = [re.split("[>=]", one)[0] for one in project["optional-dependencies"]["adapters"]]
    assert [name for name in wanted if name not in pinned] == [], "run make lock"
    tested = dict(
        re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    )
    assert {name: tested.get(name) for name in pinned} == pinned


def test_an_image_copies_what_exists_and_its_own_package() -> None:
    files = sorted((ROOT / "workloads").glob("*/Dockerfile"))
    assert files
    for file in files:
        copied = re.findall(r"^COPY (\S+) (\S+)$", file.read_text(), re.MULTILINE)
        assert all((ROOT / source).exists() for source, _ in copied)
        own = {"workloads/common", f"workloads/{file.parent.name}", "workloads/__init__.py"}
        assert own <= {source for source, _ in copied}
