"""One optional scrimp.toml, read into frozen structs; every key is known or refused with its path.

Sections are the steps. Values come from the defaults, then the file, then SCRIMP_SET, then -s, then flags; `origins`
keeps which one set what. Secrets are written as "${NAME}" and stay names here: `World` looks them up.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from scrimp.call import Mode
from scrimp.errors import ConfigError

Seconds = Annotated[float, Meta(gt=0)]
SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every section: frozen, unknown keys refused."""


class ServeConfig(Section, frozen=True):
    """`[serve]`: where the gateway listens. `origins`: browser origins that may call it.

    `hosts`: further host names its pages answer to; loopback names and `host` itself always do.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 4100
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    max_body_mb: Annotated[int, Meta(gt=0)] = 64
    drain: Seconds = 20.0


class ProviderConfig(Section, frozen=True):
    """`[providers.NAME]`: one provider. Times in seconds; `total` 0: no limit. `api_key` is "${NAME}" or empty."""

    base_url: str
    api: Literal["openai", "anthropic"] = "openai"
    api_key: str = ""
    retries: Annotated[int, Meta(ge=0, le=10)] = 0
    connect: Seconds = 10.0
    first_token: Seconds = 600.0
    idle: Seconds = 300.0
    total: Annotated[float, Meta(ge=0)] = 0.0
    cut_bills: Literal["stops", "full", ""] = ""


class ModelConfig(Section, frozen=True):
    """`[models."NAME"]` or `[models."provider/NAME"]`: a price of one's own, in USD per million tokens.

    `gpu_hour_usd` with `tokens_per_second` prices a server of one's own instead. `context` in tokens.
    """

    input: float | None = None
    output: float | None = None
    cached_input: float | None = None
    cache_write: float | None = None
    batch_input: float | None = None
    batch_output: float | None = None
    context: int | None = None
    gpu_hour_usd: float | None = None
    tokens_per_second: float | None = None
    tier: str = ""


class AttributeConfig(Section, frozen=True):
    """`[attribute]`: how features are named where nothing is tagged: by words, by plain hash, or not at all."""

    fingerprint: Literal["words", "hash", "off"] = "words"


class RouteConfig(Section, frozen=True):
    """`[route]`: a model asked for by name goes to the provider that has it, whatever the mode says."""

    mode: Mode = "shadow"


class RecordConfig(Section, frozen=True):
    """`[record]`: what is written down. `redact`: regular expressions blanked in stored bodies; retention in days."""

    bodies: bool = False
    redact: tuple[str, ...] = ()
    retention_days: Annotated[int, Meta(gt=0)] = 30


class StepConfig(Section, frozen=True):
    """`[[step]]`: a step of one's own, run after the named one. `run` is "package.module:function".

    `name` is what modes and facts go by; by default the function's.
    """

    run: str
    after: str = "route"
    name: str = ""
    mode: Mode = "shadow"

    @property
    def title(self) -> str:
        """The step's name."""
        return self.name or self.run.rpartition(":")[2]


class Config(Section, frozen=True):
    """The whole tree. `feature` holds per-feature settings: `[feature.NAME.STEP]`, the same keys as the step."""

    store: str = "scrimp.db"
    passthrough: tuple[str, ...] = ()
    serve: ServeConfig = ServeConfig()
    providers: dict[str, ProviderConfig] = {}
    models: dict[str, ModelConfig] = {}
    attribute: AttributeConfig = AttributeConfig()
    route: RouteConfig = RouteConfig()
    record: RecordConfig = RecordConfig()
    step: tuple[StepConfig, ...] = ()
    feature: dict[str, dict[str, dict[str, Any]]] = {}

    @property
    def hosts(self) -> dict[str, str]:
        """The providers of the user's own and where they are: such a name never lends a call a maker's prices."""
        return {name: p.base_url for name, p in self.providers.items() if name not in ("openai", "anthropic")}

    def mode(self, step: str, feature: str = "") -> Mode:
        """The mode of a step for a feature: the feature's own, else the step's."""
        own = self.feature.get(feature, {}).get(step, {}).get("mode")
        if own is not None:
            return own  # type: ignore[no-any-return]  # checked by `check`
        for extension in self.step:
            if extension.title == step:
                return extension.mode
        section = getattr(self, step, None)
        return getattr(section, "mode", "on")


class Loaded(msgspec.Struct, frozen=True):
    """A configuration and where each of its values came from: dotted key -> "scrimp.toml", "SCRIMP_SET", "-s", ..."""

    config: Config
    origins: dict[str, str]
    path: str = ""


def load(path: str | None = None, overrides: Sequence[str] = (), env: Mapping[str, str] | None = None) -> Config:
    """The configuration: `path` (or ./scrimp.toml if there is one), SCRIMP_SET from `env`, then `overrides`.

    Raises ConfigError naming the key and, for a mistyped one, the nearest right name.
    """
    return load_with_origins(path, overrides, env).config


def load_with_origins(
    path: str | None = None, overrides: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> Loaded:
    """Like `load`, and says where each value came from."""
    tree, name = _read_file(path)
    origins = dict.fromkeys(_leaves(tree), name)
    layers = (("SCRIMP_SET", _split_set((env or {}).get("SCRIMP_SET", ""))), ("-s", overrides))
    for source, assignments in layers:
        for assignment in assignments:
            key = _assign(tree, assignment, source)
            origins = {k: v for k, v in origins.items() if k != key and not k.startswith(f"{key}.")}
            origins[key] = source
    return Loaded(convert(tree), origins, name)


def convert(tree: dict[str, Any]) -> Config:
    """A plain tree as a checked Config. Raises ConfigError with the path of the first wrong key."""
    _refuse_unknown(tree, Config, "")
    try:
        config = msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(_plain_path(str(error))) from None
    check(config)
    return config


def check(config: Config) -> None:
    """What types cannot say: secrets are names, URLs are URLs, patterns compile, features name real steps."""
    for name, provider in config.providers.items():
        where = f"providers.{name}"
        if "/" in name or not name.strip():
            raise ConfigError(f"{where}: a provider's name has no slash and is not empty")
        check_url(f"{where}.base_url", provider.base_url)
        if provider.api_key and not SECRET.fullmatch(provider.api_key):
            raise ConfigError(
                f"{where}.api_key: a key is never written into the file",
                hint='Write api_key = "${NAME}" and set NAME in the environment',
            )
    for index, pattern in enumerate(config.record.redact):
        try:
            re.compile(pattern)
        except re.error as error:
            raise ConfigError(f"record.redact[{index}]: {pattern!r} is not a regular expression: {error}") from None
    _check_steps(config)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_url(where: str, text: str) -> None:
    """Raise ConfigError unless `text` is an http or https address without credentials, query or fragment."""
    try:
        url = urlsplit(text)
        sound = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        sound = False
    if not sound or url.query or url.fragment:
        raise ConfigError(
            f"{where}: {text!r} is not an http or https address",
            hint='Write it as its own clients would, such as "http://127.0.0.1:8000/v1"',
        )
    if url.username or url.password:
        raise ConfigError(f"{where}: keys do not belong in an address", hint="Use api_key in [providers.NAME]")


def _check_steps(config: Config) -> None:
    names = {"attribute", "route", "price", "settle", "record"}
    for extension in config.step:
        where = f"step.{extension.title}"
        if extension.title in names:
            raise ConfigError(f"{where}: there is a step of that name already")
        if extension.after not in names:
            near = _nearest(extension.after, names)
            raise ConfigError(f"{where}.after: no step is named {extension.after!r}{near}")
        if not re.fullmatch(r"[\w.]+:\w+", extension.run):
            raise ConfigError(f'{where}.run: {extension.run!r} is not of the form "package.module:function"')
        names.add(extension.title)
    for feature, steps in config.feature.items():
        for step, settings in steps.items():
            _check_settings(f"feature.{feature}.{step}", step, settings, names)


def _check_settings(where: str, step: str, settings: Mapping[str, Any], names: set[str]) -> None:
    if step not in names:
        raise ConfigError(f"{where}: no step is named {step!r}{_nearest(step, names)}")
    for key, value in settings.items():
        if key != "mode":
            raise ConfigError(f"{where}.{key}: unknown key{_nearest(key, {'mode'})}")
        if value not in get_args(Mode):
            raise ConfigError(f"{where}.mode: {value!r} is none of off, shadow, on")


def _read_file(path: str | None) -> tuple[dict[str, Any], str]:
    file = Path(path) if path else Path("scrimp.toml")
    if path is None and not file.exists():
        return {}, ""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")), str(file)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}", hint="Name another with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from None


def _split_set(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]


def _assign(tree: dict[str, Any], assignment: str, source: str) -> str:
    key, equals, text = assignment.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ConfigError(f"{source} {assignment!r}: write key=value, such as route.mode=on")
    try:
        parts = _key_parts(key)
        value = _value(text.strip())
    except tomllib.TOMLDecodeError:
        raise ConfigError(f"{source} {assignment!r}: {key!r} is not a key") from None
    node = tree
    for part in parts[:-1]:
        child = node.setdefault(part, {})
        if not isinstance(child, dict):
            raise ConfigError(f"{source} {assignment!r}: {part!r} is not a section")
        node = child
    node[parts[-1]] = value
    return ".".join(parts)


def _key_parts(key: str) -> list[str]:
    node: Any = tomllib.loads(f"{key} = 0")
    parts = []
    while isinstance(node, dict):
        (part, node), *_ = node.items()
        parts.append(part)
    return parts


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text  # a bare word is a string, as on every command line


def _refuse_unknown(tree: Any, kind: Any, path: str) -> None:
    """Walk the tree beside its types, so that whatever is wrong is named with its path, and the nearest right key."""
    if get_origin(kind) is dict and isinstance(tree, dict):
        for key, value in tree.items():
            _refuse_unknown(value, get_args(kind)[1], f"{path}{key}.")
    elif get_origin(kind) is tuple and isinstance(tree, list):
        for index, value in enumerate(tree):
            _refuse_unknown(value, get_args(kind)[0], f"{path}{index}.")
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(tree, dict):
        fields = get_type_hints(kind, include_extras=True)
        for key, value in tree.items():
            if key not in kind.__struct_fields__:
                raise ConfigError(f"{path}{key}: unknown key{_nearest(key, set(kind.__struct_fields__))}")
            _refuse_unknown(value, fields[key], f"{path}{key}.")
    else:
        _refuse_wrong(tree, kind, path.rstrip("."))


def _refuse_wrong(value: Any, kind: Any, path: str) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        said = f"{value!r} is none of {', '.join(map(str, choices))}" if choices else str(error).partition(" - at")[0]
        raise ConfigError(f"{path}: {said}") from None


def _nearest(word: str, known: set[str]) -> str:
    near = difflib.get_close_matches(word, known, 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(known))}"


def _plain_path(message: str) -> str:
    text, _, path = message.partition(" - at `$.")
    return f"{path.rstrip('`')}: {text}" if path else text


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
