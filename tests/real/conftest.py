"""The real model, started once a worker; where it cannot be, its tests skip and say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from scrimp.demo.local_model import LocalModel, ModelUnavailable


@pytest.fixture(scope="session")
def model() -> Iterator[LocalModel]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(LocalModel())
        except ModelUnavailable as error:
            pytest.skip(f"NO REAL MODEL, nothing in this file is tested: {error}")
        yield running
