"""The command line: one file a verb, loaded only when it is asked for, so that `--help` is quick."""

from __future__ import annotations

import importlib
import sys

import click

from scrimp import __version__
from scrimp.errors import ScrimpError

VERBS = {
    "audit": "What existing logs cost and could have saved; sends nothing.",
    "serve": "The gateway: put it in front of OpenAI and Anthropic clients.",
    "report": "What was spent and saved, from the records.",
    "export": "The records as a table, one row a call.",
    "plan": "What would happen to a request, step by step; no call is made.",
    "models": "Prices: input, output, cached, batch; context; age of the data.",
    "config": "The effective configuration, and where each value came from.",
    "demo": "A real model, real requests, the gateway and the report.",
}


class Verbs(click.Group):
    """A group whose commands are modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(importlib.import_module(f"scrimp.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, prog_name="scrimp")
def cli() -> None:
    """scrimp cuts what an application pays for LLM APIs, and proves it."""


def main() -> None:
    """Entry point: errors of ours are one line on standard error and exit code 2."""
    try:
        cli()
    except ScrimpError as error:
        click.echo(f"scrimp: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.filename is not None:  # not about what we print
            raise
        from scrimp.cli.options import cannot_print

        click.echo(f"scrimp: {cannot_print(error)}", err=True)
        sys.exit(2)
