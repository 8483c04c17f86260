"""Facts to money, in one place: list, the saving of each strategy, overhead and paid, in integer nanodollars.

*list* is what the request would have cost with no help: its tokens at the model's full price, on the standard tier.
The provider's own prompt cache and its service tiers are the first two rows of the waterfall, both measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from scrimp.call import INPUT_CLASSES, Answer, Basis, Call, Cost, Saving, Usage
from scrimp.prices.book import Unpriced
from scrimp.wire.answer import text_of_body, text_of_stream
from scrimp.wire.paths import is_known
from scrimp.wire.tokens import count, count_request

if TYPE_CHECKING:
    from scrimp.world import World

STANDARD = ("", "default", "standard", "auto")
"""Service tiers that cost the list price."""
FREE_METHODS = ("GET", "HEAD", "DELETE", "OPTIONS")
FREE_PATHS = ("models", "files", "batches", "messages/batches", "messages/count_tokens", "moderations")
"""Paths below /v1 that cost nothing by themselves (a batch's calls are priced from its results)."""


def price(call: Call, world: World) -> None:
    """Write `call.cost` and `call.savings`; the second time it leaves them as they are."""
    if call.cost is not None:
        return
    if is_pending(call):
        world.pending.put(call.answer.id.encode() if call.answer else b"", "")
        call.cost = Cost(unpriced="its usage comes with the finished response")
        return
    usage, basis = used(call, world)
    if usage is None:
        call.cost = Cost(unpriced="" if basis == "none" else f"{call.path[:200]} reports no usage")
        return
    answer = call.answer or Answer()
    attempt = call.tries[-1]
    provider, asked = attempt.provider, attempt.model
    call.cost, call.savings = weigh(world, answer.model, asked, provider, usage, basis, answer.tier, call.at)
    if basis == "assumed-full" and not call.ask.cap:
        call.cost.flags = (*call.cost.flags, "lower-bound")  # nobody knows how long the answer became


def weigh(
    world: World, model: str, asked: str, provider: str, usage: Usage, basis: Basis, tier: str, when: int | None,
    size: int | None = None
) -> tuple[Cost, list[Saving]]:  # fmt: skip
    """Cost and savings of a usage; the answer's own model name first, the asked one where that has no price.

    `when` and `size` as in `Book.price`.
    """
    book = world.book
    why = ""
    for name in dict.fromkeys((model, asked)):
        if not name:
            continue
        paid = book.price(name, usage, provider=provider, when=when, tier=tier, size=size)
        standard = paid if tier in STANDARD else book.price(name, usage, provider=provider, when=when, size=size)
        bare = without_cache(usage)
        plain = standard if bare is usage else book.price(name, bare, provider=provider, when=when, size=size)
        if isinstance(paid, Unpriced) or isinstance(standard, Unpriced) or isinstance(plain, Unpriced):
            why = why or next(price.reason for price in (paid, standard, plain) if isinstance(price, Unpriced))
            continue
        savings = (("provider_cache", plain.total - standard.total), ("service_tier", standard.total - paid.total))
        cost = Cost(
            list=plain.total, paid=paid.total, basis=basis, usage=usage, price_model=f"{paid.provider}/{paid.model}",
            flags=paid.flags
        )  # fmt: skip
        return cost, [Saving(strategy, nano) for strategy, nano in savings if nano]
    return Cost(basis=basis, usage=usage, unpriced=why or "no model is named"), []


def without_cache(usage: Usage) -> Usage:
    """The same tokens, none of them read from or written to a prompt cache: what the request is by itself."""
    if usage.cached or usage.cache_write or usage.cache_write_1h or usage.cache_write_12h or usage.audio_cached:
        moved = usage.cached + usage.cache_write + usage.cache_write_1h + usage.cache_write_12h
        return msgspec.structs.replace(
            usage, input=usage.input + moved, audio_input=usage.audio_input + usage.audio_cached, cached=0,
            cache_write=0, cache_write_1h=0, cache_write_12h=0, audio_cached=0
        )  # fmt: skip
    return usage


def used(call: Call, world: World) -> tuple[Usage | None, Basis]:
    """What was used, and how that is known. (None, "none"): nothing that costs; (None, other): nobody knows."""
    answer = call.answer
    if answer is None:
        return _used_unanswered(call, world)
    reported = answer.usage is not None and answer.whole
    if answer.status >= 300 or (is_free(call) and not (reported and _finishes(call, world))):
        return None, "none"
    if reported:
        return answer.usage, "exact"
    if answer.whole and answer.finish in ("failed", "cancelled"):
        return None, "none"
    if call.ask.api == "other":
        return answer.usage, "estimated"
    return _estimate(call, world, answer)


def is_free(call: Call) -> bool:
    """Whether a call costs nothing by what it asks for: to look something up, to count, to put a file or a batch."""
    if call.ask.api != "other":
        return call.ask.api == "anthropic.count_tokens"
    tail = call.path.removeprefix("/v1/")
    kept = call.method in FREE_METHODS or tail.endswith("/cancel")
    return (kept and is_known(call.path)) or any(tail == name or tail.startswith(f"{name}/") for name in FREE_PATHS)


def must_count(call: Call) -> bool:
    """Whether pricing has to count tokens: work for a thread, not for the event loop."""
    answer = call.answer
    if call.cost is not None or call.ask.api in ("other", "anthropic.count_tokens") or not call.tries:
        return False
    if answer is None:
        return not call.tries[-1].status and not call.tries[-1].error
    return answer.status < 300 and (answer.usage is None or not answer.whole)


def is_pending(call: Call) -> bool:
    """Whether the answer is only a receipt: a response in the background, whose usage will come with its end."""
    answer = call.answer
    if answer is None or answer.usage is not None or call.method != "POST":
        return False
    return answer.finish in ("queued", "in_progress")


def _finishes(call: Call, world: World) -> bool:
    """Whether this look-up brings the usage of a response that was pending: counted here, once."""
    path, _, name = call.path.rpartition("/")
    if path != "/v1/responses" or call.method != "GET":
        return False
    return world.pending.pop(name.encode(), None) is not None


def _used_unanswered(call: Call, world: World) -> tuple[Usage | None, Basis]:
    """The client left before an answer began: the provider has the input, and may go on to write the whole answer."""
    waiting = call.tries and not call.tries[-1].status and not call.tries[-1].error
    if not waiting or is_free(call):
        return None, "none"
    if call.ask.api == "other":
        return None, "estimated"
    return _estimate(call, world, Answer())


def _estimate(call: Call, world: World, answer: Answer) -> tuple[Usage, Basis]:
    """Count what passed. A cut stream reported its input at best, so its output is always counted."""
    model = answer.model or call.ask.model
    reported = answer.usage
    read = text_of_stream if call.ask.stream else text_of_body
    text = read(call.ask.api, answer.body) if answer.body else ""
    output = count(text, model, rough=True)
    if reported is not None and any(getattr(reported, name) for name in INPUT_CLASSES):
        seen = max(0, output - reported.reasoning)  # thinking that passed is among the counted text
        usage = msgspec.structs.replace(reported, output=max(seen, reported.output))
    else:
        usage = Usage(input=count_request(call.ask.api, call.raw or b"", model, rough=True), output=output)
    if answer.whole:
        return usage, "estimated"
    attempt = call.tries[-1]
    provider = world.providers.get(attempt.provider)  # a recorded call's may be none of ours
    if (provider is not None and provider.cut_bills == "full") or not call.ask.stream:
        cap = (call.ask.cap or 0) * max(1, call.ask.n)
        return msgspec.structs.replace(usage, output=max(usage.output, cap)), "assumed-full"
    return usage, "estimated"
