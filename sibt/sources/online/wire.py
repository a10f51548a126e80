"""What goes over the wire while a library asks a web site.

Libraries that scrape turn every failure into an empty table, ask without a time limit, or ask
again for ever. Here their HTTP answers are seen before they are: each is read whole within a
time limit and judged, so that "nothing there", "broken" and "wrong" stay three things.
"""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sibt.sources.online.asking import Temporary, Wrong
from sibt.sources.online.pull import Unreachable

__all__ = ["Nothing", "good", "host", "listen"]

T = TypeVar("T")

#: Seconds for one answer, from the connection to its last byte.
LIMIT = 20.0


class Nothing(Exception):  # noqa: N818
    """The source says, in an answer that is whole, that it has nothing."""


class _Stop(BaseException):
    """Leaves the library, past its `except Exception`."""


class _Trouble:
    """The first thing that went wrong; a bare `except` may hide it, but not from here."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.answers = 0

    def stop(self, error: Exception) -> _Stop:
        if self.error is None:
            self.error = error
        return _Stop()


def host(answer: Any) -> str:
    """Return the host of an answer, for messages."""
    return urlsplit(str(answer.url)).hostname or str(answer.url)


def good(answer: Any) -> None:
    """Refuse an answer whose status is an error.

    Raises
    ------
    Temporary
        The status is 400 or above.
    """
    if answer.status_code >= 400:
        raise Temporary(f"{host(answer)} answered {answer.status_code}")


def listen(call: Callable[[], T], judge: Callable[[Any], None] = good) -> T | None:
    """Call a library that asks over the network, judging each answer before it gets it.

    Parameters
    ----------
    call : callable
        Asks with `requests`.
    judge : callable
        Gets every answer (a `requests.Response`, read whole) that is no redirection; raises
        `Temporary`, `Wrong` or `Nothing`.

    Returns
    -------
    object
        What the call returns; None where the source said that it has nothing.

    Raises
    ------
    Temporary
        No answer, a late one, a broken one.
    Wrong
        `judge` said so, or a good answer that the library cannot read, or no question was
        asked at all.
    """
    trouble = _Trouble()
    failure: Exception | None = None
    result: T | None = None
    with _watched(judge, trouble), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # What the library prints is for its own users.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(_Stop):
            try:
                result = call()
            except Exception as error:
                failure = error
    if isinstance(trouble.error, Nothing):
        return None
    if trouble.error is not None:
        raise trouble.error
    if failure is not None:
        raise Wrong(
            f"the answer cannot be read ({type(failure).__name__}: {failure}); the site or the"
            " library has changed"
        ) from failure
    if not trouble.answers:
        raise Wrong("the library asked nobody: its own calendar lacks this session; update it")
    return result


@contextlib.contextmanager
def _watched(judge: Callable[[Any], None], trouble: _Trouble) -> Iterator[None]:
    """Stand between every `requests` session and the network."""
    adapters = import_module("requests.adapters")
    original = adapters.HTTPAdapter.send

    def send(self: Any, request: Any, **given: Any) -> Any:
        if trouble.error is not None:
            # It asks again although its question was settled.
            raise _Stop
        began = time.monotonic()
        name = urlsplit(request.url).hostname
        given.update(timeout=LIMIT, stream=True)
        try:
            answer = original(self, request, **given)
            answer.raw = io.BytesIO(_body(answer, began + LIMIT))
        except Temporary as error:
            raise trouble.stop(error) from None
        except Exception as error:
            raise trouble.stop(_read(error, str(name))) from error
        trouble.answers += 1
        if not answer.is_redirect:
            try:
                judge(answer)
            except (Temporary, Wrong, Nothing) as error:
                raise trouble.stop(error) from error
            except Exception as error:
                odd = Wrong(f"{name} gave an answer of an unknown form ({error!r})")
                raise trouble.stop(odd) from error
        return answer

    adapters.HTTPAdapter.send = send
    try:
        yield
    finally:
        adapters.HTTPAdapter.send = original


def _body(answer: Any, until: float) -> bytes:
    """Read an answer whole; one that trickles must not hold up the pull."""
    parts = []
    while True:
        part = answer.raw.read1(1 << 16, decode_content=True)
        if not part:
            break
        parts.append(part)
        if time.monotonic() > until:
            answer.raw.close()
            raise Temporary(f"{host(answer)} did not finish its answer in {LIMIT:g} s")
    body = b"".join(parts)
    said = answer.headers.get("Content-Length", "")
    if said.isdigit() and "Content-Encoding" not in answer.headers and len(body) < int(said):
        raise Temporary(f"{host(answer)} broke off its answer")
    answer.raw.release_conn()
    return body


def _read(error: Exception, name: str) -> Exception:
    """Tell what an exception of the network means."""
    known = import_module("requests.exceptions")
    pool = import_module("urllib3.exceptions")
    if isinstance(error, known.ConnectTimeout):
        return Unreachable(f"{name} cannot be reached")
    if isinstance(error, (known.Timeout, pool.TimeoutError)):
        return Temporary(f"{name} did not answer in {LIMIT:g} s")
    if isinstance(error, known.ConnectionError) and error.args:
        reason = getattr(error.args[0], "reason", None)
        # A proxy that refuses to go there is as good as no network; one that hangs up is not.
        away = (pool.NewConnectionError, pool.NameResolutionError, pool.ProxyError)
        inner = getattr(reason, "original_error", None)
        if isinstance(reason, away) and not isinstance(inner, ConnectionResetError):
            return Unreachable(f"{name} cannot be reached")
    if isinstance(error, (known.RequestException, pool.HTTPError, OSError)):
        return Temporary(f"{name} broke off its answer ({type(error).__name__})")
    return error
