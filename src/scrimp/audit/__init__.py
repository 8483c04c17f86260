"""The audit: logs that a team already has, replayed through the pipeline's PLAN; it reads, and sends nothing.

The package itself can be called: `scrimp.audit(paths)` is `scrimp.audit.run.audit(paths)`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Audit(ModuleType):
    def __call__(self, *paths: Any, **asked: Any) -> Any:
        from scrimp.audit.run import audit

        return audit(*paths, **asked)


sys.modules[__name__].__class__ = _Audit
