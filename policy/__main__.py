"""Where the engine enters: it runs this folder, under whatever name it is kept."""

import io
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_PACKAGE = "policy"


def _name_this_folder() -> None:
    """Make this folder the package `policy`, as its modules call it.

    A folder that is run is not a package, and a published pack is kept under a folder named after
    its version.
    """
    folder = Path(__file__).resolve().parent
    spec = spec_from_file_location(
        _PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder / '__init__.py'} is missing: the policy pack is incomplete")
    module = module_from_spec(spec)
    sys.modules[_PACKAGE] = module
    spec.loader.exec_module(module)


def _unbuffer_stdout() -> None:
    """Let the engine see the port at once: the policy SDK writes it without flushing.

    Pulumi's own language host starts Python unbuffered; another host need not know that.
    """
    raw = io.FileIO(sys.stdout.fileno(), "wb", closefd=False)
    # As Python itself does under -u, where the raw file stands in for a buffer.
    sys.stdout = io.TextIOWrapper(raw, write_through=True)


def main() -> None:
    """Serve the pack to the engine that started this process."""
    _unbuffer_stdout()
    _name_this_folder()
    from policy.adapter import serve

    serve()


if __name__ == "__main__":
    main()
