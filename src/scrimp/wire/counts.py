"""A provider's usage object becomes a Usage: tokens as billed, each in exactly one class.

The shape of the object tells the dialect, whoever sent it. Providers differ in what their totals hold: OpenAI's hold
cached tokens and reasoning, Anthropic's input leaves the cache out, Gemini's candidates leave thinking out.
Totals are believed first and details are clamped to them, so a provider's slip moves tokens but loses none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrimp.call import Usage

Reported = Mapping[str, Any]

MOST = 2**53 - 1
"""The largest count believed: what JSON numbers hold exactly, and what a database column takes."""
_NOTHING: Reported = {}


def usage_of(reported: Reported, anthropic: bool = False) -> Usage | None:
    """What a usage object counts; None where it counts no tokens (seconds, traffic type only, empty).

    `anthropic` says that the object comes from the Messages API, for objects that could be another's as well.
    """
    if _has(reported, "prompt_tokens", "completion_tokens"):
        return _openai(reported)
    if _has(reported, "input_tokens", "output_tokens"):
        beside = anthropic or _has(reported, "cache_read_input_tokens", "cache_creation_input_tokens")
        if beside or not _has(reported, "total_tokens", "input_tokens_details", "input_token_details"):
            return _anthropic(reported)
        return _openai(reported)
    if _has(reported, "promptTokenCount", "candidatesTokenCount", "totalTokenCount"):
        return _gemini(reported)
    if _has(reported, "prompt_token_count", "candidates_token_count", "total_token_count"):
        return _gemini({_camel(key): value for key, value in reported.items()})
    if _has(reported, "inputTokens", "outputTokens", "inputTokenCount", "outputTokenCount"):
        return _bedrock(reported)
    return _rarer(reported)


def _rarer(reported: Reported) -> Usage | None:
    if _has(reported, "total_input_tokens", "total_output_tokens"):
        return _interactions(reported)
    if "billed_units" in reported:  # Cohere
        units = _object(reported, "billed_units")
        if _has(units, "input_tokens", "output_tokens"):
            return Usage(input=_count(units, "input_tokens"), output=_count(units, "output_tokens"))
    if _has(reported, "prompt_eval_count", "eval_count"):  # Ollama's own API
        return Usage(input=_count(reported, "prompt_eval_count"), output=_count(reported, "eval_count"))
    if _has(reported, "total_tokens"):  # embeddings that say no more
        return Usage(input=_count(reported, "total_tokens"))
    timings = _object(reported, "timings")
    if _has(timings, "prompt_n", "predicted_n"):  # llama.cpp; prompt_n leaves out the cache_n that were reused
        cached = _count(timings, "cache_n")
        return Usage(input=_count(timings, "prompt_n"), cached=cached, output=_count(timings, "predicted_n"))
    return None


def _openai(reported: Reported) -> Usage:
    """Chat completions, Responses, embeddings, and what is compatible with them. Details lie inside the totals.

    Reasoning that a provider leaves out of its completion tokens (xAI, Gemini's compatible endpoint) shows as the
    rest of total_tokens and is billed as output.
    """
    total = _count(reported, "total_tokens")
    completion = _count(reported, "completion_tokens", "output_tokens")
    prompt = _count(reported, "prompt_tokens", "input_tokens") or max(0, total - completion)
    unnamed = max(0, total - prompt - completion)
    inside = _object(reported, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    heard = 0
    if unnamed and _count(reported, "prompt_audio_seconds"):  # Mistral leaves audio out of its prompt tokens
        heard, unnamed = unnamed, 0
    spoken = _object(reported, "completion_tokens_details", "output_tokens_details", "output_token_details")
    cached, rest = _take(prompt, _openai_cached(reported, inside))
    written, rest = _take(rest, _openai_written(reported, inside))
    usage = Usage(
        input=rest, cached=cached, cache_write=written, audio_input=heard, output=completion,
        searches=_searches(reported)
    )  # fmt: skip
    if unnamed or any(inside.values()) or any(spoken.values()):
        return _in_detail(usage, inside, spoken, unnamed)
    return usage


def _in_detail(usage: Usage, inside: Reported, spoken: Reported, unnamed: int) -> Usage:
    """The same tokens by kind: `inside` the prompt, `spoken` in the completion; `unnamed` ones are reasoning."""
    written_12h = min(usage.cache_write, _count(_object(inside, "cache_write_tokens_details"), "ttl_12h_tokens"))
    audio_cached = min(usage.cached, _count(_object(inside, "cached_tokens_details"), "audio_tokens"))
    audio, rest = _take(usage.input, _count(inside, "audio_tokens") - audio_cached)
    image, rest = _take(rest, _count(inside, "image_tokens"))
    video, rest = _take(rest, _count(inside, "video_tokens"))
    reasoning, said = _take(usage.output + unnamed, max(unnamed, _count(spoken, "reasoning_tokens")))
    rejected, said = _take(said, _count(spoken, "rejected_prediction_tokens"))
    audio_output, said = _take(said, _count(spoken, "audio_tokens"))
    image_output, said = _take(said, _count(spoken, "image_tokens"))
    return Usage(
        input=rest, cached=usage.cached - audio_cached, cache_write=usage.cache_write - written_12h,
        cache_write_12h=written_12h, audio_input=audio + usage.audio_input, audio_cached=audio_cached,
        image_input=image, video_input=video, output=said, reasoning=reasoning, audio_output=audio_output,
        image_output=image_output, rejected_prediction=rejected, searches=usage.searches
    )  # fmt: skip


def _openai_cached(reported: Reported, inside: Reported) -> int:
    """Cached prompt tokens: OpenAI's own place, else DeepSeek's, Together's, LiteLLM's, llama.cpp's."""
    return (
        _count(inside, "cached_tokens")
        or _count(reported, "prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
        or _count(_object(reported, "timings"), "cache_n")
    )


def _openai_written(reported: Reported, inside: Reported) -> int:
    own = _count(inside, "cache_write_tokens", "cache_creation_tokens")
    return own or _count(reported, "cache_creation_input_tokens")


def _searches(reported: Reported) -> int:
    """Web searches the provider ran: Anthropic's, OpenRouter's, OpenAI's and xAI's places for them."""
    used = _object(reported, "server_tool_use", "server_tool_use_details", "server_side_tool_usage_details")
    beside = _object(_object(reported, "tool_usage"), "web_search")
    return _count(used, "web_search_requests", "web_search_calls") or _count(beside, "num_requests")


def _anthropic(reported: Reported) -> Usage:
    """Messages: cache reads and writes stand beside input_tokens, thinking lies inside output_tokens.

    The totals leave out `compaction` iterations, which the same model runs and which are billed. Iterations of
    another model (`advisor_message`) are billed at that model's price: they are not in this usage.
    https://platform.claude.com/docs/en/build-with-claude/compaction (usage)
    """
    written = _count(reported, "cache_creation_input_tokens")
    split = _object(reported, "cache_creation")
    short = _count(split, "ephemeral_5m_input_tokens")
    long = _count(split, "ephemeral_1h_input_tokens")
    written = written or short + long
    # In a stream the sum may have grown since it was split: what is new lives as long as what was there.
    long = written * long // (short + long) if long else 0
    spoken = _object(reported, "output_tokens_details")
    reasoning, said = _take(_count(reported, "output_tokens"), _count(spoken, "thinking_tokens", "reasoning_tokens"))
    usage = Usage(
        input=_count(reported, "input_tokens"), cached=_count(reported, "cache_read_input_tokens"),
        cache_write=written - long, cache_write_1h=long, output=said, reasoning=reasoning, searches=_searches(reported)
    )  # fmt: skip
    iterations = reported.get("iterations")
    for one in iterations if isinstance(iterations, list) else ():
        if isinstance(one, dict) and one.get("type") == "compaction":
            usage = add(usage, _anthropic({**one, "iterations": None}))
    return usage


def add(first: Usage, second: Usage) -> Usage:
    """Two usages as one, class by class."""
    names = Usage.__struct_fields__
    return Usage(**{name: getattr(first, name) + getattr(second, name) for name in names})


def _gemini(reported: Reported) -> Usage:
    """generateContent: cached tokens inside the prompt, thoughts and tool-use prompt beside the other two."""
    prompt = _count(reported, "promptTokenCount")
    tools = _count(reported, "toolUsePromptTokenCount")
    answer = _count(reported, "candidatesTokenCount", "responseTokenCount")
    thoughts = _count(reported, "thoughtsTokenCount")
    unnamed = max(0, _count(reported, "totalTokenCount") - prompt - tools - answer - thoughts)
    if not _has(reported, "promptTokenCount"):
        prompt, unnamed = unnamed, 0
    heard = _modalities(reported, "promptTokensDetails", "toolUsePromptTokensDetails")
    kept = _modalities(reported, "cacheTokensDetails")
    spoken = _modalities(reported, "candidatesTokensDetails", "responseTokensDetails")
    return _by_modality(
        prompt + tools, _count(reported, "cachedContentTokenCount"), answer, thoughts + unnamed, heard, kept, spoken
    )


def _interactions(reported: Reported) -> Usage:
    """Gemini's Interactions API: the same classes under other names."""
    asked = _count(reported, "total_input_tokens") + _count(reported, "total_tool_use_tokens")
    answer = _count(reported, "total_output_tokens")
    thoughts = _count(reported, "total_thought_tokens")
    unnamed = max(0, _count(reported, "total_tokens") - asked - answer - thoughts)
    heard = _modalities(reported, "input_tokens_by_modality", "tool_use_tokens_by_modality")
    kept = _modalities(reported, "cached_tokens_by_modality")
    spoken = _modalities(reported, "output_tokens_by_modality")
    return _by_modality(asked, _count(reported, "total_cached_tokens"), answer, thoughts + unnamed, heard, kept, spoken)


def _by_modality(
    asked: int, cached: int, answer: int, reasoning: int, heard: Mapping[str, int], kept: Mapping[str, int],
    spoken: Mapping[str, int]
) -> Usage:  # fmt: skip
    cached, rest = _take(asked, cached)
    audio_cached = min(cached, kept.get("AUDIO", 0))
    audio, rest = _take(rest, heard.get("AUDIO", 0) - kept.get("AUDIO", 0))
    image, rest = _take(rest, heard.get("IMAGE", 0) - kept.get("IMAGE", 0))
    video, rest = _take(rest, heard.get("VIDEO", 0) - kept.get("VIDEO", 0))
    audio_output, said = _take(answer, spoken.get("AUDIO", 0))
    image_output, said = _take(said, spoken.get("IMAGE", 0))
    return Usage(
        input=rest, cached=cached - audio_cached, audio_input=audio, audio_cached=audio_cached, image_input=image,
        video_input=video, output=said, reasoning=reasoning, audio_output=audio_output, image_output=image_output
    )  # fmt: skip


def _modalities(reported: Reported, *names: str) -> dict[str, int]:
    """Tokens by modality, summed over the lists of these names."""
    found: dict[str, int] = {}
    for name in names:
        rows = reported.get(name)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                modality = str(row.get("modality", "")).upper()
                tokens = _count(row, "tokenCount", "token_count", "tokens")
                found[modality] = found.get(modality, 0) + tokens
    return found


def _bedrock(reported: Reported) -> Usage:
    """Converse and invocation metrics: the cache beside the input, as with Anthropic."""
    written = _count(reported, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    details = reported.get("cacheDetails")
    rows = [row for row in details if isinstance(row, dict)] if isinstance(details, list) else []
    long = min(written, sum(_count(row, "inputTokens") for row in rows if row.get("ttl") == "1h"))
    return Usage(
        input=_count(reported, "inputTokens", "inputTokenCount"),
        cached=_count(reported, "cacheReadInputTokens", "cacheReadInputTokenCount"), cache_write=written - long,
        cache_write_1h=long, output=_count(reported, "outputTokens", "outputTokenCount")
    )  # fmt: skip


def _take(rest: int, wanted: int) -> tuple[int, int]:
    """As much of `wanted` as there is, and what is left."""
    taken = min(rest, max(0, wanted))
    return taken, rest - taken


def _has(reported: Reported, *names: str) -> bool:
    return any(reported.get(name) is not None for name in names)


def _object(reported: Reported, *names: str) -> Reported:
    for name in names:
        value = reported.get(name)
        if isinstance(value, dict):
            return value
    return _NOTHING


def _count(reported: Reported, *names: str) -> int:
    """The first of these that is a number above 0, as a whole number; text that is a number counts too."""
    for name in names:
        value = reported.get(name)
        if type(value) is not int:
            if value is None:
                continue
            value = _whole(value)
        if value > 0:
            return value if value < MOST else MOST
    return 0


def _whole(value: object) -> int:
    if isinstance(value, str | float):
        try:
            return int(min(float(value), float(MOST)))
        except (ValueError, OverflowError):  # no number, NaN, minus infinity
            return 0
    return 0


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
