"""``python -m sandbox salesforce``."""

import json
import subprocess
import sys
from pathlib import Path

import httpx

from tests.sandbox.salesforce.orgs import INGEST

OBJECTS = """[{"name": "Crate__c", "prefix": "a09", "fields": [
    {"name": "Key__c", "external_id": true, "unique": true}, {"name": "Size__c", "type": "int"}]}]"""


def test_the_command_serves_an_org_with_the_objects_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "objects.json"
    file.write_text(OBJECTS, encoding="utf-8")
    command = [sys.executable, "-m", "sandbox", "salesforce", "--json", "--client-id", "me", "--objects", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": found["client_secret"]}
        with httpx.Client(base_url=found["url"], trust_env=False) as http:
            token = http.post("/services/oauth2/token", data=form).json()["access_token"]
            body = {"object": "crate__c", "operation": "upsert", "externalIdFieldName": "Key__c"}
            made = http.post(INGEST, json=body, headers={"authorization": f"Bearer {token}"}).json()
        process.terminate()
    assert (found["sandbox"], made["object"]) == ("salesforce", "Crate__c")


def test_a_file_that_holds_no_objects_is_one_clear_sentence(tmp_path: Path) -> None:
    file = tmp_path / "objects.json"
    file.write_text("{}", encoding="utf-8")
    command = [sys.executable, "-m", "sandbox", "salesforce", "--objects", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 2
    assert "expected a JSON array of objects" in ran.stderr
