"""scrimp cuts what an application pays for LLM APIs, and proves it."""

__version__ = "0.1.0"
