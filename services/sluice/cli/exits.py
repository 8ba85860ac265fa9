"""Exit codes that a script can rely on, and the errors that end a command with one of them."""

from enum import IntEnum
from typing import Any

import click
from aiokafka.errors import KafkaError

from sluice.destinations.contract import BatchError
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.outbox import PublishError
from sluice.kafka.refusals import describe_refusal
from sluice.kafka.topic_admin import TopicsError
from sluice.settings_file import SettingsError


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    SETTINGS = 3
    KAFKA = 4
    TOPICS = 5
    DESTINATION = 6
    INTERRUPTED = 130


HELP = """\b
Exit codes:
  0    done
  1    some rows or records failed; the others are done
  2    the command line or the input file cannot be used; nothing is done
  3    the settings are not valid
  4    Kafka cannot be reached, or has not confirmed what was published
  5    topics are missing, or their partition counts differ
  6    a destination cannot be used
  130  interrupted
"""

_CODES: dict[type[Exception], Exit] = {
    SettingsError: Exit.SETTINGS,
    KafkaUnreachable: Exit.KAFKA,
    PublishError: Exit.KAFKA,
    TopicsError: Exit.TOPICS,
    BatchError: Exit.DESTINATION,
    KafkaError: Exit.KAFKA,
}


class CommandFailed(click.ClickException):
    """The end of a command: one sentence on standard error, and an exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.exit_code = code


class CommandGroup(click.Group):
    """A group of commands that prints each error that has an exit code as one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises ``CommandFailed`` in place of an error that has an exit code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(Exit.INTERRUPTED) from None
        except tuple(_CODES) as error:
            code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
            raise CommandFailed(_sentence(error), code) from error


def _sentence(error: Exception) -> str:
    if isinstance(error, KafkaError) and (refusal := describe_refusal(error)) == repr(error):
        return f"Kafka failed: {refusal}; look at its brokers, then run the same command again"
    return describe_refusal(error)
