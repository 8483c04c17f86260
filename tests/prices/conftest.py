"""The price book, read once for each file of tests."""

import pytest

from scrimp.prices.book import Book


@pytest.fixture(scope="module")
def book() -> Book:
    return Book.load()
