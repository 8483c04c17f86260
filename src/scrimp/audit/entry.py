"""One call as a log tells it: what every format reader makes, and all that the replay knows of the log.

A reader fills in what its log says and leaves the rest alone: nothing is guessed here. Tokens are disjoint classes
(`scrimp.call.Usage`), times are ns since the epoch (UTC), money is nanodollars.
"""

from __future__ import annotations

import msgspec

from scrimp.call import Api, Usage


class BadRecord(ValueError):
    """A row that cannot be read; the text is the reason, in words for its owner. The row is counted and left out."""


class Entry(msgspec.Struct, gc=False):
    """One recorded call, or (with `aggregate`) the sum of `calls` calls that nobody kept apart.

    `id` is the log's own id of the call ("" for none): two rows with one id are one call, and the fuller one counts.
    `at` None: the log has no time. `model` is the asked one, `answered` the answer's. `provider`: a name, host or URL.
    `usage` None with an `answer`: it is read from that; without: it is counted from the texts.
    `request` and `answer` are bodies as the dialect `api` has them (JSON; a stream as its events), b"" where not kept.
    `calls` 0: the log does not say how many. `size`: input tokens of one call of a sum, where the log tells (prices of
    some models depend on it); else their mean is taken.
    `cut`: the answer's stream ended early. `from_cache`: the logging gateway's own cache answered, for nothing.
    `logged` is what the log itself says was paid. `tier` is the service tier ("batch" for batch prices).
    `blocks` are ids of the prompt's blocks of `block_tokens` tokens each, equal ids: an equal prefix up to there.
    `action` is what the answer did (a tool call and its arguments), to find loops where no request was kept.
    """

    id: str = ""
    at: int | None = None
    api: Api = "other"
    provider: str = ""
    model: str = ""
    answered: str = ""
    usage: Usage | None = None
    status: int = 200
    error: str = ""
    finish: str = ""
    tier: str = ""
    stream: bool = False
    cut: bool = False
    feature: str = ""
    user: str = ""
    team: str = ""
    key: str = ""
    session: str = ""
    environment: str = ""
    tags: tuple[str, ...] = ()
    duration: int = 0
    request: bytes = b""
    answer: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    logged: int | None = None
    from_cache: bool = False
    aggregate: bool = False
    calls: int = 1
    size: int | None = None
    blocks: tuple[int, ...] = ()
    block_tokens: int = 0
    action: str = ""
