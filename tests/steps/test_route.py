"""Where a call may go: what a person wrote first, then the maker of the model, then the client's dialect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from step_samples import a_call, a_world

from scrimp.call import Ask, Target
from scrimp.errors import Refused
from scrimp.steps.route import route

LOCAL = {"base_url": "http://127.0.0.1:8000/v1"}
AZURE = {"base_url": "https://example.openai.azure.com/openai/v1"}
ROUTER = {"base_url": "https://openrouter.ai/api/v1"}
CLAUDE = {"base_url": "https://api.anthropic.com", "api": "anthropic"}
OPENAI = {"base_url": "https://api.openai.com/v1"}


def routed(model, providers=None, models=(), dialect="openai", path="/v1/chat/completions", **more):
    tree = {"providers": providers or {}, "models": {name: {"input": 1.0} for name in models}}
    world = a_world(tree, {"KEY": "sk-own"})
    assert world.book  # the maker of a model is known once the prices are there
    call = a_call(dialect=dialect, path=path, ask=Ask(api="openai.chat", model=model), **more)
    route(call, world)
    (target,) = call.targets
    return target


@pytest.mark.parametrize(
    ("model", "providers", "models", "dialect", "target"),
    [
        ("gpt-4o-mini", {}, (), "openai", Target("openai", "gpt-4o-mini")),
        ("claude-sonnet-5", {}, (), "anthropic", Target("anthropic", "claude-sonnet-5")),
        ("", {}, (), "openai", Target("openai", "")),
        ("gpt-4o-mini", {"local": LOCAL}, (), "openai", Target("local", "gpt-4o-mini")),
        ("claude-sonnet-5", {"local": LOCAL}, (), "anthropic", Target("anthropic", "claude-sonnet-5")),
        ("local/smollm", {"local": LOCAL}, (), "openai", Target("local", "smollm", strip_prefix=True)),
        ("openai/gpt-oss-20b", {"local": LOCAL}, (), "openai", Target("local", "openai/gpt-oss-20b")),
        ("anthropic/claude-x", {"local": LOCAL}, (), "anthropic", Target("anthropic", "claude-x", strip_prefix=True)),
        ("anthropic/claude-sonnet-5", {}, (), "openai", Target("anthropic", "claude-sonnet-5", strip_prefix=True)),
        ("local/org/smollm", {"local": LOCAL}, (), "openai", Target("local", "org/smollm", strip_prefix=True)),
        ("org/smollm", {"local": LOCAL}, (), "openai", Target("local", "org/smollm")),
        ("smollm", {"azure": AZURE, "local": LOCAL}, ("local/smollm",), "openai", Target("local", "smollm")),
        ("claude-x", {"local": LOCAL, "c": CLAUDE}, ("c/claude-x",), "openai", Target("c", "claude-x")),
        (
            "openai/gpt-oss-20b",
            {"router": ROUTER},
            ("router/openai/gpt-oss-20b",),
            "openai",
            Target("router", "openai/gpt-oss-20b"),
        ),
        ("smollm", {"a": LOCAL, "b": LOCAL}, ("b/smollm", "a/smollm"), "openai", Target("a", "smollm")),
        ("gpt-4o", {"local": LOCAL, "openai": OPENAI}, (), "openai", Target("openai", "gpt-4o")),
        ("nobody-knows-me", {"local": LOCAL, "openai": OPENAI}, (), "openai", Target("local", "nobody-knows-me")),
        ("", {"local": LOCAL, "openai": OPENAI}, (), "openai", Target("local", "")),
    ],
    ids=[
        "the dialect's own provider",
        "the other dialect's own provider",
        "no model is named",
        "one configured provider takes the dialect",
        "another dialect's provider is no candidate",
        "a prefix names the provider",
        "a server of one's own keeps names that begin with a maker's: prompts never leave for another address",
        "a built-in provider of a dialect for which none is configured",
        "a prefix wins over the dialect",
        "only the first part is the prefix",
        "a slash without a provider before it is part of the name",
        "declared at the second of two",
        "declared at a provider of the other dialect",
        "a declared name with a slash is no prefix",
        "declared twice: the configuration's order of providers",
        "the maker among several",
        "no maker is known: the first",
        "no model among several: the first",
    ],
)
def test_a_call_goes_where_the_first_rule_that_holds_sends_it(model, providers, models, dialect, target):
    assert routed(model, providers, models, dialect) == target


@given(st.text(max_size=40), st.sampled_from([{}, {"local": LOCAL}, {"local": LOCAL, "azure": AZURE}]))
def test_any_model_name_has_exactly_one_target_that_is_configured(model, providers):
    target = routed(model, providers)
    assert target.provider in {"openai", "anthropic", *providers}
    assert target.model == (model.partition("/")[2] if target.strip_prefix else model)


def test_a_lent_key_opens_listed_paths_only_and_the_refusal_says_how_to_list_one():
    lent = {"local": {**LOCAL, "api_key": "${KEY}"}}
    assert routed("m", lent).provider == "local"
    with pytest.raises(Refused, match=r'passthrough = \["/v1/admin"\]') as refused:
        routed("m", lent, path="/v1/admin")
    assert (refused.value.status, refused.value.code) == (404, "unknown_path")
    assert routed("m", {"local": LOCAL}, path="/v1/admin").provider == "local"
