"""The command ``spikewatt``."""

import os
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from spikewatt.base.errors import SimulationError, SpikewattError, TimingError
from spikewatt.base.files import what_was_written
from spikewatt.base.interrupts import catch_interrupts, interrupt_status
from spikewatt.flow.cli.cache import cache
from spikewatt.flow.cli.compare import compare
from spikewatt.flow.cli.demo import demo
from spikewatt.flow.cli.doctor import doctor
from spikewatt.flow.cli.energy import energy
from spikewatt.flow.cli.export import export
from spikewatt.flow.cli.fpga import fpga
from spikewatt.flow.cli.help import CONTEXT, Commands
from spikewatt.flow.cli.options import command
from spikewatt.flow.cli.run import run
from spikewatt.flow.cli.schema import schema
from spikewatt.flow.cli.synth import synth
from spikewatt.flow.cli.usage import usage_message

__all__ = ["app", "main"]

BAD_INPUT, FAILED_CHECK = 2, 1
TYPER_INTERRUPTED = 130  # what typer makes of KeyboardInterrupt, whatever the signal

app = typer.Typer(
    cls=Commands,
    context_settings=CONTEXT,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def spikewatt(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Joules of spiking networks, from RTL that is proven bit-exact."""
    if show_version:
        print(version("spikewatt"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


app.command()(command(demo))
app.command()(command(run))
app.command()(command(compare))
app.command()(command(synth))
app.command()(command(export))
app.command()(command(energy))
app.command()(doctor)
app.command()(command(schema))
app.add_typer(fpga, name="fpga")
app.add_typer(cache, name="cache")


def _fail(message: object, status: int) -> NoReturn:
    """One line on standard error, and out."""
    line = " ".join(str(message).split())
    print(f"spikewatt: {line}", file=sys.stderr)
    raise SystemExit(status)


def main() -> None:
    """Entry point: an error of the user's is one line and status 2, a signal one and 128 + it."""
    catch_interrupts()
    try:
        # Not by typer: our errors are one line, and its exit status is not ours.
        if app(standalone_mode=False) == TYPER_INTERRUPTED:
            raise KeyboardInterrupt
        # Here, so that a closed pipe or a full disk is an error that is handled below.
        sys.stdout.flush()
    except typer.TyperException as error:
        _fail(usage_message(error, sys.argv), BAD_INPUT)
    except (SimulationError, TimingError) as error:
        _fail(error, FAILED_CHECK)
    except SpikewattError as error:
        _fail(error, BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        _fail(f"interrupted: {what_was_written()}", interrupt_status())
    except BrokenPipeError:
        sys.stderr.close()
    except MemoryError as error:
        _fail(f"not enough memory ({error}): run fewer samples with --images", BAD_INPUT)
    except OSError as error:
        if error.filename is None:  # what is still buffered cannot be written either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"{error.filename or 'output'}: {error.strerror or error}", BAD_INPUT)
