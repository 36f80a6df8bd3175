"""Files of the tests' own, and their profiles as a caller gets them."""

import pytest

from sqlchat.files.options import Options
from sqlchat.files.profile import profile


@pytest.fixture
def profiled(tmp_path):
    """profiled(content, name) -> the profile's dict, its columns also by name under `by_name`."""

    def run(content: str | bytes, name: str = "data.csv", **options):
        path = tmp_path / "upload"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = profile(str(path), name, Options(**options)).as_dict()
        return {**found, "by_name": {column["name"]: column for column in found["columns"]}}

    return run
