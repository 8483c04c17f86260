"""The sentences that every form of the report says in the same words."""

from __future__ import annotations

from scrimp.config import ServeConfig
from scrimp.report.numbers import Dimension, Report
from scrimp.report.times import period
from scrimp.store.base import Rollup


def default_address() -> str:
    """Where the gateway listens unless it is told otherwise."""
    serve = ServeConfig()
    return f"http://{serve.host}:{serve.port}"


def nothing(report: Report) -> str:
    """That there are no calls, and when there are none."""
    span = period(report)
    return f"No calls: {span}." if span else "No calls yet."


def next_command(report: Report, address: str = "", scrimp: str = "scrimp") -> list[str]:
    """What to do where no call is recorded: one command, as its reader calls it, and the two base URLs."""
    address = address or default_address()
    return [
        nothing(report), "", f"Next:  {scrimp} serve", "       and point your clients at it; nothing else changes:",
        f"       OpenAI     base_url={address}/v1", f"       Anthropic  base_url={address}",
    ]  # fmt: skip


def counts(total: Rollup) -> str:
    """Calls and tokens in one sentence."""
    parts = [many(total.calls, "call")]
    if total.failed:
        parts.append(f"{total.failed:,} failed")
    if total.estimated:
        parts.append(f"{total.estimated:,} with usage counted by scrimp, as the provider reported none")
    cached = f" ({total.cached_tokens:,} from the provider's cache)" if total.cached_tokens else ""
    tokens = f"{many(total.input_tokens, 'token')} in{cached}, {total.output_tokens:,} out"
    return f"{', '.join(parts)}. {tokens}. Amounts in USD."


def table_note(by: Dimension) -> str:
    """What a reader of the table has to know; empty for most."""
    return "A call with two tags counts in both rows; the total is the total of calls." if by == "tag" else ""


def unpriced_note(total: Rollup) -> str:
    """How many calls have no price, and the next step."""
    verb = "has" if total.unpriced == 1 else "have"
    return (
        f"{many(total.unpriced, 'call')} {verb} no known price and no part in the amounts above."
        ' Give each model one in scrimp.toml: [models."NAME"] with input and output in USD per million tokens.'
    )


def many(count: int, noun: str) -> str:
    """A count with its noun: "1 call", "2,000 calls"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
