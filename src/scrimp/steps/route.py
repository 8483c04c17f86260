"""Where a call may go: the provider that was named, or that has the model, or that speaks the client's dialect.

What a person wrote applies as written: a `provider/` prefix, then `[models."provider/NAME"]`, then the configured
providers of the dialect, then the provider's own address with the client's own key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrimp.call import Call, Target
from scrimp.errors import Refused
from scrimp.wire.paths import is_known

if TYPE_CHECKING:
    from scrimp.providers.base import Provider
    from scrimp.world import World


def route(call: Call, world: World) -> None:
    """Write `call.targets`. Raises Refused where scrimp's key would open a path that nobody listed."""
    model = call.ask.model
    provider, name, strip = _choose(model, call, world)
    if provider.supplies_key and not is_known(call.path, world.config.passthrough):
        raise Refused(
            f"{call.path} is not among the paths that may be reached with {provider.name}'s key",
            hint=f'Add it to the configuration: passthrough = ["{call.path}"]', status=404, code="unknown_path"
        )  # fmt: skip
    call.targets = [Target(provider.name, name, strip)]


def _choose(model: str, call: Call, world: World) -> tuple[Provider, str, bool]:
    declared = world.declared.get(model)
    prefix, slash, rest = model.partition("/")
    # a provider that is not in the file is no prefix where others are: a server of one's own may have "openai/gpt-oss"
    configured = world.config.providers
    named = prefix in configured or prefix in world.candidates[call.dialect] or not configured
    if declared is None and slash and named and prefix in world.providers:
        return world.providers[prefix], rest, True
    candidates = [world.providers[name] for name in world.candidates[call.dialect]]
    if declared:
        for provider in candidates:
            if provider.name in declared:
                return provider, model, False
        return world.providers[declared[0]], model, False
    if len(candidates) > 1 and model:
        owner = world.owner(model)
        for provider in candidates:
            if provider.name == owner:
                return provider, model, False
    return candidates[0], model, False
