"""Finds providers and models in the price table, in the price library's own order and by its own rules.

A provider is found by name, by the host or base URL it is called at, or as the maker a plain model name points to.
"""

from __future__ import annotations

import re

import msgspec

from scrimp.prices.known import PROVIDER_ALIASES
from scrimp.prices.table import Listed, Row, Table

_COMPACT_DATE = re.compile(r"-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")
_ROWS = msgspec.msgpack.Decoder(tuple[Row, ...])


class Catalogue:
    """Look-ups over one table. Names are expected in lower case; nothing is remembered but decoded rows."""

    def __init__(self, table: Table) -> None:
        self.providers = table.providers
        self._rows: dict[str, tuple[Row, ...]] = {}

    def rows(self, listed: Listed) -> tuple[Row, ...]:
        """A provider's models, decoded at first use."""
        rows = self._rows.get(listed.id)
        if rows is None:
            rows = self._rows[listed.id] = _ROWS.decode(listed.rows)
        return rows

    def named(self, name: str) -> Listed | None:
        """The provider of that id, else the first one that answers to the name ("vertex" is google)."""
        name = PROVIDER_ALIASES.get(name, name)
        for listed in self.providers:
            if listed.id == name:
                return listed
        for listed in self.providers:
            if listed.provider_match is not None and listed.provider_match.fits(name):
                return listed
        return None

    def at(self, address: str) -> Listed | None:
        """The provider served at a host name or base URL ("api.groq.com/openai/v1")."""
        url = "https://" + address.partition("://")[2] if "://" in address else f"https://{address}"
        for listed in self.providers:
            if re.match(listed.api_pattern, url):
                return listed
        return None

    def maker(self, model: str) -> Listed | None:
        """The provider that a plain model name points to (gpt-... is openai).

        OpenAI's embeddings, images and fine-tuned models have names that the list has no such rule for.
        """
        for listed in self.providers:
            if listed.model_match is not None and listed.model_match.fits(model):
                return listed
        openai = self.named("openai")
        return openai if openai and self._match(openai, model) else None

    def find(self, listed: Listed, model: str) -> tuple[Listed, Row] | None:
        """A model's row at a provider, or at one whose models it sells.

        A name that is not found is tried with "-20251211" spelled "-2025-12-11", then without Google's path before it
        ("publishers/google/models/").
        """
        names = (model, _COMPACT_DATE.sub(r"-\1-\2-\3", model), model.rpartition("models/")[2])
        found = (self._match(listed, name) for name in dict.fromkeys(names))
        return next((hit for hit in found if hit is not None), None)

    def _match(self, listed: Listed, model: str) -> tuple[Listed, Row] | None:
        makers = (self.named(name) for name in listed.fallback)
        for seller in (listed, *(maker for maker in makers if maker is not None)):
            for row in self.rows(seller):
                if row.match.fits(model):
                    return seller, row
        return None
