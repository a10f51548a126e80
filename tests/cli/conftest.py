import pytest


@pytest.fixture(scope="session", autouse=True)
def _english():
    """Commands speak English here, whatever the language of the machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C.UTF-8")
        yield
