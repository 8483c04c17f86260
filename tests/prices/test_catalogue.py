"""Finding providers and models as the price library does, and where it finds none."""

from __future__ import annotations

from pathlib import Path

from price_samples import MTOK, cost

from scrimp.call import Usage
from scrimp.prices.book import Book
from scrimp.prices.catalogue import Catalogue
from scrimp.prices.table import library_version, read, stored


def test_names_without_a_maker_of_their_own_are_openais(book: Book) -> None:
    assert cost(book, "text-embedding-3-small", Usage(input=MTOK)) == 20_000_000
    assert book.owner("text-embedding-3-small") == book.owner("gpt-4o") == "openai"
    assert book.owner("claude-sonnet-5") == "anthropic"
    assert book.owner("smollm2") == ""


def test_googles_paths_and_compact_dates_are_read(book: Book) -> None:
    usage = Usage(input=1000, output=10)
    assert book.price("models/gemini-2.5-pro", usage) == book.price("gemini-2.5-pro", usage)
    assert book.price("gpt-5.2-20251211", usage, provider="openai") == book.price("gpt-5.2", usage)


def test_providers_answer_to_names_aliases_and_addresses() -> None:
    catalogue = Catalogue(read(stored(library_version()) or Path()))
    asked = {
        "openai": catalogue.named("openai"),
        "google": catalogue.named("vertex_ai"),
        "aws": catalogue.named("bedrock_converse"),
        "fireworks": catalogue.named("fireworks_ai"),
        "groq": catalogue.at("api.groq.com/openai/v1"),
        "azure": catalogue.at("http://name.openai.azure.com/openai/v1"),
        "openrouter": catalogue.at("https://openrouter.ai/api/v1"),
    }
    assert {name: listed.id for name, listed in asked.items() if listed} == {name: name for name in asked}
    assert catalogue.named("nobody") is None
    assert catalogue.at("10.0.0.1:8000") is None


def test_a_seller_of_others_models_is_found_after_its_own(book: Book) -> None:
    catalogue = Catalogue(read(stored(library_version()) or Path()))
    azure = catalogue.named("azure")
    assert azure is not None
    sold = catalogue.find(azure, "gpt-4o")
    own = catalogue.find(azure, catalogue.rows(azure)[0].id)
    assert sold is not None and own is not None
    assert (sold[0].id, own[0].id) == ("openai", "azure")
