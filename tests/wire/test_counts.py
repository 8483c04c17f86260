"""Usage objects of every dialect become disjoint classes; slips of a provider move tokens and lose none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.call import TOKEN_CLASSES, Usage
from scrimp.wire.counts import MOST, add, usage_of


def test_openai_details_lie_inside_the_totals():
    reported = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10, "audio_tokens": 7, "image_tokens": 3},
        "completion_tokens_details": {
            "reasoning_tokens": 20,
            "audio_tokens": 5,
            "accepted_prediction_tokens": 4,
            "rejected_prediction_tokens": 6,
        },
    }
    assert usage_of(reported) == Usage(
        input=40,
        cached=40,
        cache_write=10,
        audio_input=7,
        image_input=3,
        output=19,
        reasoning=20,
        audio_output=5,
        rejected_prediction=6,
    )


def test_cached_audio_is_its_own_class():
    details = {"cached_tokens": 30, "audio_tokens": 50, "cached_tokens_details": {"audio_tokens": 20}}
    usage = usage_of({"input_tokens": 100, "output_tokens": 0, "total_tokens": 100, "input_token_details": details})
    assert usage == Usage(input=40, cached=10, audio_cached=20, audio_input=30)


def test_responses_writes_of_twelve_hours_cost_more_and_are_counted_apart():
    details = {"cached_tokens": 5, "cache_write_tokens": 20, "cache_write_tokens_details": {"ttl_12h_tokens": 15}}
    reported = {"input_tokens": 100, "output_tokens": 9, "total_tokens": 109, "input_tokens_details": details}
    assert usage_of(reported) == Usage(input=75, cached=5, cache_write=5, cache_write_12h=15, output=9)


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        # xAI, recorded: reasoning stands beside the completion
        (
            {
                "prompt_tokens": 12,
                "completion_tokens": 2,
                "total_tokens": 334,
                "prompt_tokens_details": {"cached_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 320},
            },
            Usage(input=10, cached=2, output=2, reasoning=320),
        ),
        # Gemini's compatible endpoint, recorded: thinking is only in the total
        (
            {"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109},
            Usage(input=35, output=12, reasoning=62),
        ),
        # OpenRouter, recorded: more reasoning than completion
        (
            {
                "prompt_tokens": 43,
                "completion_tokens": 10,
                "total_tokens": 53,
                "completion_tokens_details": {"reasoning_tokens": 11},
            },
            Usage(input=43, reasoning=10),
        ),
        # DeepSeek, recorded
        (
            {"prompt_tokens": 339, "completion_tokens": 83, "total_tokens": 422, "prompt_cache_hit_tokens": 320},
            Usage(input=19, cached=320, output=83),
        ),
        # Together
        (
            {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11, "cached_tokens": 4},
            Usage(input=6, cached=4, output=1),
        ),
        # embeddings: OpenAI's, and those that give a total only
        ({"prompt_tokens": 12, "total_tokens": 12}, Usage(input=12)),
        ({"total_tokens": 12}, Usage(input=12)),
        # Mistral: audio only in the total
        (
            {"prompt_audio_seconds": 203, "prompt_tokens": 4, "completion_tokens": 635, "total_tokens": 3264},
            Usage(input=4, audio_input=2625, output=635),
        ),
        # a total and a completion, no prompt
        ({"prompt_tokens": None, "completion_tokens": 5, "total_tokens": 20}, Usage(input=15, output=5)),
    ],
)
def test_openai_like_servers_differ(reported, expected):
    assert usage_of(reported) == expected


def test_anthropic_counts_the_cache_beside_the_input():
    reported = {
        "input_tokens": 10,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 15},
        "server_tool_use": {"web_search_requests": 2},
    }
    assert usage_of(reported) == Usage(
        input=10, cached=200, cache_write=20, cache_write_1h=10, output=35, reasoning=15, searches=2
    )


def test_a_cache_write_that_grew_after_it_was_split_keeps_its_life():
    split = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100}
    usage = usage_of({"output_tokens": 1, "cache_creation_input_tokens": 150, "cache_creation": split})
    assert usage == Usage(cache_write_1h=150, output=1)


def test_anthropic_compaction_is_billed_and_another_models_advice_is_not_this_usage():
    iterations = [
        {"type": "compaction", "input_tokens": 60_385, "output_tokens": 522},
        {"type": "message", "input_tokens": 612, "output_tokens": 2819},
        {"type": "advisor_message", "model": "claude-opus-4-7", "input_tokens": 2728, "output_tokens": 3880},
    ]
    usage = usage_of({"input_tokens": 612, "output_tokens": 2819, "iterations": iterations})
    assert usage == Usage(input=60_997, output=3341)


def test_the_api_decides_where_the_shape_could_be_either():
    reported = {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 2, "total_tokens": 16}
    assert usage_of(reported) == usage_of(reported, anthropic=True) == Usage(input=10, cached=4, output=2)


def test_gemini_counts_thoughts_and_tool_use_beside_and_the_cache_inside():
    reported = {
        "promptTokenCount": 4610,
        "cachedContentTokenCount": 1000,
        "candidatesTokenCount": 101,
        "thoughtsTokenCount": 50,
        "toolUsePromptTokenCount": 30,
        "totalTokenCount": 4791,
        "promptTokensDetails": [
            {"modality": "VIDEO", "tokenCount": 2096},
            {"modality": "TEXT", "tokenCount": 1014},
            {"modality": "AUDIO", "tokenCount": 1500},
        ],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 400}, {"modality": "TEXT", "tokenCount": 600}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 90}, {"modality": "TEXT", "tokenCount": 11}],
    }
    expected = Usage(
        input=444,
        cached=600,
        audio_cached=400,
        audio_input=1100,
        video_input=2096,
        output=11,
        image_output=90,
        reasoning=50,
    )
    assert usage_of(reported) == expected
    snake = {"prompt_token_count": 9, "candidates_token_count": 3, "thoughts_token_count": 2, "total_token_count": 14}
    assert usage_of(snake) == Usage(input=9, output=3, reasoning=2)


def test_other_dialects_are_read():
    converse = {
        "inputTokens": 3,
        "outputTokens": 121,
        "cacheReadInputTokens": 1712,
        "cacheWriteInputTokens": 236,
        "cacheDetails": [{"inputTokens": 200, "ttl": "1h"}, {"inputTokens": 36, "ttl": "5m"}],
        "totalTokens": 2072,
    }
    assert usage_of(converse) == Usage(input=3, cached=1712, cache_write=36, cache_write_1h=200, output=121)
    assert usage_of({"inputTokenCount": 5, "outputTokenCount": 6}) == Usage(input=5, output=6)
    interaction = {
        "total_input_tokens": 22,
        "total_tool_use_tokens": 198,
        "total_output_tokens": 590,
        "total_thought_tokens": 1173,
        "total_tokens": 1983,
    }
    assert usage_of(interaction) == Usage(input=220, output=590, reasoning=1173)
    assert usage_of({"billed_units": {"input_tokens": 5, "output_tokens": 7}}) == Usage(input=5, output=7)
    assert usage_of({"prompt_eval_count": 26, "eval_count": 290}) == Usage(input=26, output=290)
    timings = {"timings": {"cache_n": 100, "prompt_n": 5, "predicted_n": 9}}
    assert usage_of(timings) == Usage(input=5, cached=100, output=9)
    reported = {"prompt_tokens": 105, "completion_tokens": 9, "total_tokens": 114, **timings}
    assert usage_of(reported) == Usage(input=5, cached=100, output=9)


@pytest.mark.parametrize(
    "reported",
    [
        {},
        {"type": "duration", "seconds": 37},
        {"trafficType": "ON_DEMAND"},
        {"prompt_tokens": None},
        {"billed_units": None},
        {"billed_units": {"search_units": 1}},
        {"timings": "fast"},
    ],
)
def test_what_counts_no_tokens_is_no_usage(reported):
    assert usage_of(reported) is None


def test_numbers_in_odd_clothes_count_and_nonsense_does_not():
    assert usage_of({"prompt_tokens": "12", "completion_tokens": 3.0}) == Usage(input=12, output=3)
    assert usage_of({"prompt_tokens": True, "completion_tokens": float("nan")}) == Usage()
    assert usage_of({"prompt_tokens": -5, "completion_tokens": "many"}) == Usage()
    assert usage_of({"prompt_tokens": 10**40, "completion_tokens": float("inf")}) == Usage(input=MOST, output=MOST)


counts = st.integers(0, 10_000)
junk = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
)
detail_names = [
    "audio_tokens",
    "cache_write_tokens",
    "cache_write_tokens_details",
    "cached_tokens",
    "cached_tokens_details",
    "image_tokens",
    "reasoning_tokens",
    "rejected_prediction_tokens",
    "video_tokens",
]
finer = st.dictionaries(st.sampled_from(["audio_tokens", "ttl_12h_tokens"]), counts | junk)
details = st.dictionaries(st.sampled_from(detail_names), counts | junk | finer)


@given(counts, counts, details | junk, details | junk)
def test_openai_totals_survive_any_details(prompt, completion, inside, spoken):
    usage = usage_of(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": inside,
            "completion_tokens_details": spoken,
        }
    )
    assert (usage.input_total, usage.output_total) == (prompt, completion)
    assert all(getattr(usage, name) >= 0 for name in TOKEN_CLASSES)


rows = st.lists(
    st.dictionaries(st.sampled_from(["modality", "tokenCount"]), st.sampled_from(["AUDIO", "IMAGE", "VIDEO"]) | counts)
)


@given(counts, counts, counts, counts, counts, rows | junk, rows | junk, rows | junk)
def test_gemini_totals_survive_any_lists(prompt, tools, cached, answer, thoughts, heard, kept, spoken):
    usage = usage_of(
        {
            "promptTokenCount": prompt,
            "toolUsePromptTokenCount": tools,
            "cachedContentTokenCount": cached,
            "candidatesTokenCount": answer,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": prompt + tools + answer + thoughts,
            "promptTokensDetails": heard,
            "cacheTokensDetails": kept,
            "candidatesTokensDetails": spoken,
        }
    )
    assert (usage.input_total, usage.output_total) == (prompt + tools, answer + thoughts)
    assert all(getattr(usage, name) >= 0 for name in TOKEN_CLASSES)


names = st.sampled_from(
    [
        *detail_names,
        "billed_units",
        "cacheDetails",
        "cache_creation",
        "cache_read_input_tokens",
        "completion_tokens",
        "inputTokens",
        "input_tokens",
        "iterations",
        "output_tokens",
        "output_tokens_details",
        "promptTokenCount",
        "promptTokensDetails",
        "prompt_tokens",
        "prompt_tokens_details",
        "server_tool_use",
        "timings",
        "tool_usage",
        "totalTokenCount",
        "total_input_tokens",
        "total_tokens",
    ]
)


@given(
    st.dictionaries(names, junk | st.dictionaries(names, junk) | st.lists(st.dictionaries(names, junk))), st.booleans()
)
def test_no_usage_object_raises_or_counts_below_zero(reported, anthropic):
    usage = usage_of(reported, anthropic)
    assert usage is None or all(getattr(usage, name) >= 0 for name in TOKEN_CLASSES)


def test_adding_is_class_by_class():
    assert add(Usage(input=1, searches=2), Usage(input=3, output=4)) == Usage(input=4, output=4, searches=2)
