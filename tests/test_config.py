"""Configuration: every key is known or refused with its path; values say where they came from; secrets stay names."""

import pytest

from scrimp.config import convert, load, load_with_origins
from scrimp.errors import ConfigError


def refusal(*overrides: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load(None, overrides)
    return str(refused.value)


def test_a_mistyped_key_is_named_with_its_path_and_the_nearest_right_one():
    assert refusal("serve.prot=1") == "serve.prot: unknown key; did you mean 'port'?"
    assert refusal("rout.mode=on") == "rout: unknown key; did you mean 'route'?"


def test_wrong_values_name_their_key():
    assert refusal("serve.port=99999").startswith("serve.port:")
    assert refusal("route.mode=sometimes").startswith("route.mode:")
    assert refusal("providers.x.base_url=nowhere").startswith("providers.x.base_url: 'nowhere'")


def test_a_value_of_the_wrong_kind_names_its_whole_path_and_what_would_do():
    assert refusal('providers.p.base_url="http://h/v1"', 'providers.p.retries="two"').startswith(
        "providers.p.retries: Expected"
    )
    assert refusal('models."local/m".input="a"').startswith("models.local/m.input: Expected")
    assert refusal("route.mode=maybe") == "route.mode: 'maybe' is none of off, shadow, on"


def test_a_key_written_into_the_file_is_refused():
    message = refusal('providers.x.base_url="http://h/v1"', "providers.x.api_key=sk-live-1")
    assert message.startswith("providers.x.api_key")
    assert "sk-live-1" not in message


def test_later_sources_win_and_are_named(tmp_path):
    file = tmp_path / "scrimp.toml"
    file.write_text('store = "a.db"\n[serve]\nport = 1\n[models."local/m"]\ninput = 0.15\n')
    loaded = load_with_origins(str(file), ["serve.port=3"], {"SCRIMP_SET": "serve.port=2; store=b.db"})
    assert (loaded.config.serve.port, loaded.config.store) == (3, "b.db")
    assert loaded.config.models["local/m"].input == 0.15
    assert loaded.origins["serve.port"] == "-s"
    assert loaded.origins["store"] == "SCRIMP_SET"
    assert loaded.origins["models.local/m.input"] == str(file)


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere.toml: cannot be read"):
        load(str(tmp_path / "nowhere.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_text("a = = 1")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(str(broken))


def test_modes_are_per_step_and_per_feature():
    config = convert(
        {
            "step": [{"name": "mine", "run": "package.module:function", "mode": "on"}],
            "feature": {"support": {"mine": {"mode": "off"}}},
        }
    )
    assert config.mode("mine") == "on"
    assert config.mode("mine", "support") == "off"
    assert config.mode("route") == "shadow"


def test_a_step_goes_by_its_functions_name_where_it_has_none():
    config = convert({"step": [{"run": "package.module:function", "after": "attribute", "mode": "on"}]})
    assert config.mode("function") == "on"
    with pytest.raises(ConfigError, match=r"step.function: there is a step of that name already"):
        convert({"step": [{"run": "a.b:function"}, {"run": "c.d:function"}]})


def test_a_feature_that_names_no_step_is_refused():
    with pytest.raises(ConfigError, match=r"feature.support.rote: no step is named 'rote'; did you mean 'route'"):
        convert({"feature": {"support": {"rote": {"mode": "on"}}}})
