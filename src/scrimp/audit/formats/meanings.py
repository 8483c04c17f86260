"""What columns of logs are called: names by meaning, and the guess made of them.

Names are compared without regard to case or to how their words are joined.
"""

from __future__ import annotations

import re

MEANINGS: dict[str, tuple[str, ...]] = {
    "time": (
        "timestamp", "time", "created_at", "start_time", "request_time", "requested_at", "started_at", "created",
        "datetime", "date", "ts", "at",
    ),
    "model": ("model", "model_name", "model_id", "model_asked", "deployment", "engine"),
    "provider": ("provider", "provider_name", "vendor", "api_base"),
    "input": (
        "input_tokens", "prompt_tokens", "context_tokens", "request_tokens", "tokens_in", "input_length",
        "prompt_length", "num_prompt_tokens", "num_input_tokens", "input_token_count", "prompt_token_count",
        "tokens_input", "tokens_prompt", "n_input_tokens", "input",
    ),
    "output": (
        "output_tokens", "completion_tokens", "generated_tokens", "response_tokens", "answer_tokens", "tokens_out",
        "output_length", "num_generated_tokens", "num_output_tokens", "output_token_count", "completion_token_count",
        "tokens_output", "tokens_completion", "n_output_tokens", "output",
    ),
    "cached": (
        "cached_tokens", "cache_read_tokens", "cached_input_tokens", "cache_read_input_tokens", "input_cached_tokens",
        "prompt_cache_read_tokens", "cached",
    ),
    "cache_write": (
        "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens", "prompt_cache_write_tokens",
    ),
    "reasoning": ("reasoning_tokens", "thinking_tokens"),
    "id": ("id", "request_id", "call_id", "trace_id", "generation_id"),
    "user": ("user", "user_id", "end_user", "customer", "customer_id"),
    "feature": (
        "feature", "feature_name", "use_case", "app", "application", "route", "task", "endpoint", "workload", "name",
    ),
    "team": ("team", "team_id", "project", "project_id", "department"),
    "key": ("key_name", "api_key_id", "key", "api_key"),
    "session": ("session", "session_id", "conversation_id", "thread_id"),
    "status": ("status", "status_code", "http_status", "response_status"),
    "finish": ("finish_reason", "stop_reason", "finish"),
    "tier": ("service_tier", "tier"),
    "cost": ("cost", "spend", "cost_usd", "total_cost", "price", "usd"),
    "duration": ("duration_ms", "latency_ms", "elapsed_ms", "delay_ms"),
    "prompt": ("prompt", "question", "query", "input_text", "prompt_text"),
    "answer": ("answer", "response", "completion", "output_text", "response_text", "answer_text"),
}  # fmt: skip
"""What a column may mean -> the names it goes by, as `plain` writes them; earlier ones are believed first."""


def guess(columns: tuple[str, ...]) -> dict[str, str]:
    """Meaning -> column, by name; no column means two things."""
    named = {plain(column): column for column in reversed(columns)} | {
        plain(column).replace("_", ""): column for column in reversed(columns)
    }
    found: dict[str, str] = {}
    for meaning, names in MEANINGS.items():
        for name in names:
            column = named.get(name) or named.get(name.replace("_", ""))
            if column is not None and column not in found.values():
                found[meaning] = column
                break
    return found


def plain(column: str) -> str:
    """ "ContextTokens", "Context tokens" and "context-tokens" are all "context_tokens"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.strip())
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
