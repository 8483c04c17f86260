"""The call as a row: what is kept, what is blanked, handed to the store."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec

from scrimp.call import Answer, Call, Cost, Outcome
from scrimp.store.base import Record, SavingRow
from scrimp.wire.headers import CREDENTIALS

if TYPE_CHECKING:
    from scrimp.world import World

BLANK = b"[redacted]"
SHORTEST_KEY = 8
"""What is shorter is no key, and would blank ordinary words."""


def record(call: Call, world: World) -> None:
    """Hand the call's row to the store; the store never raises here."""
    world.store.add(row(call, world))


def row(call: Call, world: World) -> Record:
    """The row of a settled call."""
    answer = call.answer or Answer()
    cost = call.cost or Cost(unpriced="its price could not be computed")
    outcome = call.outcome or Outcome("no-answer")
    attempt = call.tries[-1] if call.tries else None
    kept = Record(
        id=call.id, at=call.at, provider=attempt.provider if attempt else "", api=call.ask.api, method=call.method,
        path=call.path[:200], stream=call.ask.stream, model_asked=call.ask.model[:200],
        model=(answer.model or (attempt.model if attempt else call.ask.model))[:200],
        status=answer.status, ending=outcome.ending, error=without_keys(outcome.error, call, world)[:500],
        finish=answer.finish, tier=answer.tier, request_id=answer.request_id[:200],
        **msgspec.structs.asdict(call.who),  # the labels go by the same names in both
        usage=cost.usage, basis=cost.basis, unpriced=cost.unpriced, price_model=cost.price_model, flags=cost.flags,
        list_nano=cost.list, paid_nano=cost.paid, overhead_nano=cost.overhead,
        savings=tuple(SavingRow(saving.strategy, saving.nano, saving.kind) for saving in call.savings),
        first_byte_ns=max(0, answer.first_byte_at - call.mono) if answer.first_byte_at else 0,
        total_ns=time.monotonic_ns() - call.mono, overhead_ns=max(0, call.sent_at - call.mono) if call.sent_at else 0,
        tries=len(call.tries), facts=msgspec.json.encode(call.facts).decode() if call.facts else "{}"
    )  # fmt: skip
    if world.config.record.bodies:
        kept.request_body = blank(call.raw, world.redactions)
        kept.answer_body = blank(answer.body, world.redactions)
    return kept


def without_keys(text: str, call: Call, world: World) -> str:
    """An error text without any key that the call carried: providers like to quote them back."""
    if not text:
        return text
    keys = [provider.key for provider in world.providers.values()]
    keys += [value.decode("latin-1").removeprefix("Bearer ") for name, value in call.headers if name in CREDENTIALS]
    keys += [value for _, value in parse_qsl(call.query.decode("latin-1"))]
    keys += [part.partition("=")[2] for part in call.query.decode("latin-1").split("&")]
    for key in keys:
        if len(key) >= SHORTEST_KEY:
            text = text.replace(key, "[key]")
    return text


def blank(body: bytes | None, patterns: tuple[re.Pattern[bytes], ...]) -> bytes | None:
    """A body as it may be stored: whatever matches a redaction pattern is blanked."""
    if body is None:
        return None
    for pattern in patterns:
        body = pattern.sub(BLANK, body)
    return body
