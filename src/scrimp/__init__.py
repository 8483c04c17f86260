"""scrimp cuts what an application pays for LLM APIs, and proves it.

    scrimp.usage(answer)              tokens of any provider's answer, in disjoint classes
    scrimp.price(model, usage)        what they cost, in nanodollars
    scrimp.count(text, model)         tokens of a text, offline
    with scrimp.gateway() as g: ...   the gateway in this process
    scrimp.wrap(client)               an openai or anthropic client, pointed at it
    scrimp.audit(paths)               what recorded calls cost and what could have been saved

Everything is loaded when it is first used: importing scrimp costs a few milliseconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from scrimp.audit.run import audit as audit
    from scrimp.call import Call as Call
    from scrimp.call import Price as Price
    from scrimp.call import Usage as Usage
    from scrimp.config import Config as Config
    from scrimp.config import ModelConfig as ModelConfig
    from scrimp.config import ProviderConfig as ProviderConfig
    from scrimp.errors import ConfigError as ConfigError
    from scrimp.errors import ScrimpError as ScrimpError
    from scrimp.library import Gateway as Gateway
    from scrimp.library import gateway as gateway
    from scrimp.library import wrap as wrap
    from scrimp.prices.book import price as price
    from scrimp.wire.answer import usage as usage
    from scrimp.wire.tokens import count as count

_HOMES = {
    "Call": "scrimp.call", "Config": "scrimp.config", "ConfigError": "scrimp.errors", "Gateway": "scrimp.library",
    "ModelConfig": "scrimp.config", "Price": "scrimp.call", "ProviderConfig": "scrimp.config",
    "ScrimpError": "scrimp.errors", "Usage": "scrimp.call", "count": "scrimp.wire.tokens", "gateway": "scrimp.library",
    "audit": "", "price": "scrimp.prices.book", "usage": "scrimp.wire.answer", "wrap": "scrimp.library"
}  # fmt: skip
__all__ = [*sorted(_HOMES), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'scrimp' has no attribute {name!r}")
    if name == "audit":  # the package of that name can be called
        return importlib.import_module("scrimp.audit")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
