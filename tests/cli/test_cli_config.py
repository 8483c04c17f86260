"""`scrimp config`: the effective tree is valid TOML that says the same again, each value with where it came from."""

import json
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.cli import main
from scrimp.cli.config import assignment, leaves
from scrimp.config import Config, convert

FILE = """
store = "calls.db"
passthrough = ["rerank"]
[providers.local]
base_url = "http://127.0.0.1:18101/v1"
api_key = "${LOCAL_KEY}"
[models."local/smollm2-135m"]
input = 0.15
[[step]]
name = "mine"
run = "package.module:function"
[feature."chat bot".mine]
mode = "on"
"""


@pytest.fixture
def config(capsys, monkeypatch, tmp_path):
    """Runs `scrimp config` in a directory of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCRIMP_SET", raising=False)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["scrimp", "config", *words])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return code, *capsys.readouterr()

    return run


def sources(out):
    """Key -> where its value came from, as printed."""
    lines = [line for line in out.splitlines() if " = " in line]
    return {line.partition(" = ")[0]: line.rpartition(" # ")[2] for line in lines}


def test_without_a_file_every_value_is_a_default_and_it_says_so(config):
    code, out, _ = config()
    assert code == 0
    assert out.startswith("# file: none (no ./scrimp.toml, no --config)")
    assert set(sources(out).values()) == {"default"}
    assert convert(tomllib.loads(out)) == Config()


def test_what_is_printed_says_the_same_when_it_is_read_again(config, tmp_path):
    (tmp_path / "scrimp.toml").write_text(FILE)
    _, out, _ = config("-s", 'record.redact=[\'\\d+\', "\\""]')
    read = convert(tomllib.loads(out))
    assert read.providers["local"].api_key == "${LOCAL_KEY}"
    assert read.record.redact == ("\\d+", '"')
    assert read.step[0].run == "package.module:function"
    assert read.mode("mine", "chat bot") == "on"


def test_each_value_says_which_source_set_it_last(config, tmp_path, monkeypatch):
    (tmp_path / "scrimp.toml").write_text(FILE)
    monkeypatch.setenv("SCRIMP_SET", "serve.port=4200; route.mode=off")
    _, out, _ = config("-s", "route.mode=on")
    found = sources(out)
    assert (found["store"], found["serve.port"], found["route.mode"]) == ("scrimp.toml", "SCRIMP_SET", "-s")
    assert found['models."local/smollm2-135m".input'] == "scrimp.toml"
    assert found["serve.host"] == "default"
    assert out.startswith("# file: scrimp.toml")


def test_json_has_the_tree_the_origins_and_the_file(config, tmp_path):
    (tmp_path / "mine.toml").write_text(FILE)
    told = json.loads(config("--json", "--config", "mine.toml")[1])
    assert told["config"]["store"] == "calls.db"
    assert told["origins"]["providers.local.base_url"] == "mine.toml"
    assert told["file"] == "mine.toml"
    assert json.loads(config("--json")[1])["file"] is None


def test_a_secret_stays_a_name(config, tmp_path, monkeypatch):
    (tmp_path / "scrimp.toml").write_text(FILE)
    monkeypatch.setenv("LOCAL_KEY", "sk-canary")
    for words in ((), ("--json",)):
        out = config(*words)[1]
        assert "${LOCAL_KEY}" in out
        assert "canary" not in out


def test_a_wrong_key_is_one_line_and_exit_code_2(config):
    code, out, err = config("-s", "serve.prot=1")
    assert (code, out, err) == (2, "", "scrimp: serve.prot: unknown key; did you mean 'port'?\n")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = texts.filter(bool)
values = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False)
values |= texts | st.lists(texts, max_size=3)


@given(st.dictionaries(names, values | st.dictionaries(names, values, max_size=3), max_size=4))
def test_any_names_and_values_are_printed_as_toml(tree):
    text = "\n".join(assignment(path, value) for path, value in leaves(tree))
    assert tomllib.loads(text) == without_nothing(tree)


def without_nothing(tree):
    """The tree without its None values; what is left of a section that had only those is left out too."""
    kept = {}
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            inner = without_nothing(value)
            if inner:
                kept[name] = inner
        elif value is not None:
            kept[name] = value
    return kept
