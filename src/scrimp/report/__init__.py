"""The report: numbers from rollups (numbers), told in a terminal, Markdown, JSON or HTML; checked by verify."""
