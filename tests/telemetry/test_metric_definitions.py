"""The advice beside each metric names nothing that does not exist."""

import re
from enum import StrEnum
from typing import Any, get_args

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from sluice.cli.__main__ import sluice
from sluice.destinations.contract import HttpStatus, NoAnswer
from sluice.destinations.settings import DestinationSettings
from sluice.settings import DestinationEntry, Settings
from sluice.telemetry.metric_definitions import DEFINITIONS
from sluice.writer.pauses import PauseReason

NAMES = [pytest.param(name, id=name) for name in DEFINITIONS]
BLOCKS = {one.name: one.type for struct in (Settings, DestinationEntry) for one in msgspec.structs.fields(struct)}
BLOCKS["to"] = DestinationSettings


def label_values(annotation: Any) -> set[str]:
    """The words of a label's type; of an HTTP status those that may be meant."""
    if annotation is HttpStatus:
        return {str(status) for status in range(100, 600)}
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return {member.value for member in annotation}
    return {word for one in get_args(annotation) for word in ([one] if isinstance(one, str) else label_values(one))}


@pytest.mark.parametrize("name", NAMES)
def test_each_label_value_and_command_exists(name: str) -> None:
    known = set().union(*map(label_values, DEFINITIONS[name].labels.values()))
    if name == "sluice_paused_partitions":  # its reasons are the writer's, which telemetry does not import
        known = label_values(PauseReason)
    for word in re.findall(r"`(.+?)`", DEFINITIONS[name].text):
        if word.startswith("sluice "):
            assert CliRunner().invoke(sluice, [*word.split()[1:], "--help"]).exit_code == 0
        else:
            assert word in known


@pytest.mark.parametrize("name", NAMES)
def test_each_metric_and_setting_exists(name: str) -> None:
    text = DEFINITIONS[name].text
    assert set(re.findall(r"sluice_\w+", text)) <= set(DEFINITIONS)
    for block, setting in re.findall(r"\b([a-z]+)\.([a-z]\w+)", text):
        assert setting in BLOCKS[block].__struct_fields__


def test_each_error_of_httpx_is_a_status() -> None:
    def leaves(error: type[Exception]) -> set[str]:
        below = [one for one in error.__subclasses__() if one.__module__.startswith("httpx")]
        return set().union(*map(leaves, below)) if below else {error.__name__}

    assert label_values(NoAnswer) == leaves(httpx.RequestError) | {"cancelled"}
