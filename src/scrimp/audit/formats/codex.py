"""To be written."""

from __future__ import annotations

from scrimp.audit.formats.base import Format

FORMATS: tuple[Format, ...] = ()
