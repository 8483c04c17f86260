"""Every sample log that there is, as detection sees it: no reader may take another format's log for its own."""

from __future__ import annotations

from reading import SAMPLES

from scrimp.audit.detect import detect
from scrimp.audit.formats.base import Sample

TEXT = (".csv", ".json", ".jsonl")


def samples_of(prefix: str, of: bool = True) -> list[Sample]:
    """The samples whose names begin so; with `of` False all others."""
    paths = [path for path in sorted(SAMPLES.iterdir()) if path.suffix in TEXT]
    chosen = [path for path in paths if path.name.startswith(prefix) == of]
    return [detect(path.name, path.read_bytes(), forced="mooncake").sample for path in chosen]
