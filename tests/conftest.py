import os
from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "market"


@pytest.fixture(scope="session")
def shared_market() -> Path:
    """The folder of recorded prices beside the repository; it is no part of it."""
    if not _SHARED.is_dir():
        reason = "recorded prices are not there: no folder ../shared/market beside the repository"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return _SHARED
