"""Many parameter sets through the same ledger, and an honest word about the best one.

The package can be called: ``sibt.sweep("calendar_reverse", market, {"z": "1:3:0.1"})`` is
`sibt.sweep.sweep.sweep`. Python puts a package into its parent as soon as any of its modules is
imported, so a function of the same name would be there or not depending on what was imported
before; a package that can be called is both, always.
"""

import sys
from types import ModuleType
from typing import Any

__all__: list[str] = []


class _Callable(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Sweep; see `sibt.sweep.sweep.sweep`."""
        from sibt.sweep.sweep import sweep

        return sweep(*args, **kwargs)

    @property
    def __signature__(self) -> Any:
        import inspect

        from sibt.sweep.sweep import sweep

        return inspect.signature(sweep)


sys.modules[__name__].__class__ = _Callable
