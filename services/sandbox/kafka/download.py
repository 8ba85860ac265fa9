"""Download of Apache Kafka's jars with jgo's pure-Python resolver, without Maven or Java."""

import time
from pathlib import Path

import requests
from jgo.config import GlobalSettings
from jgo.maven import Artifact, MavenContext, PythonResolver

# Kafka's distribution contains this bridge to log4j2, its published dependencies do not: without it nothing is logged.
_LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3"
_ATTEMPTS = 4


def download_kafka(version: str, repository: Path) -> None:
    """Fill ``repository`` with the jars that a broker needs, and no others. Raises ``OSError`` that says what to do."""
    context = MavenContext(resolver=_RetryingResolver(), repo_cache=repository, timeout=30)
    # A company's mirror, from jgo's own configuration file.
    context.remote_repos = context.remote_repos | GlobalSettings.load().repositories
    # The bridge is resolved by itself: together, its parent's version of kafka-clients (3.9) would override Kafka's.
    kafka = context.create_dependency(f"org.apache.kafka:kafka_2.13:{version}")
    inputs, needed = context.resolver.resolve([kafka])
    for dependency in [*inputs, *needed, context.create_dependency(_LOGGING)]:
        dependency.artifact.resolve()


class _RetryingResolver(PythonResolver):
    """Resolver that tries a file again and removes a partial one, which jgo would later take for complete."""

    def download(self, artifact: Artifact) -> Path | None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return super().download(artifact)
            # jgo raises RuntimeError for every status but 200.
            except (requests.RequestException, RuntimeError) as error:
                assert artifact.cached_path
                artifact.cached_path.unlink(missing_ok=True)
                if attempt == _ATTEMPTS:
                    raise OSError(
                        f"could not download {artifact} in {_ATTEMPTS} attempts; the last one: {error}. "
                        "Check the network and HTTPS_PROXY, or name a mirror as `central` in the section "
                        "[repositories] of ~/.config/jgo.conf; or set KAFKA_BOOTSTRAP_SERVERS to a "
                        "Kafka that already runs"
                    ) from error
                time.sleep(2 ** (attempt - 1))
        raise AssertionError("unreachable")
