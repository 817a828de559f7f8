"""Schemathesis asks a real server whatever the API's schema allows, and some that it does not.

No 5xx, no answer that the schema does not name; also along the links between operations, with the identifiers that
the server itself gave out.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.processes import Machine
from tests.server.conftest import DatabaseServer, machine_in, with_device
from tests.support import PASSWORD, unit
from veilface.server import openapi
from veilface.server.enrolment.services import DELETION_LENGTHS, ENROLMENT_LENGTHS
from veilface.server.galleries.registering import LENGTHS as REGISTRATION_LENGTHS
from veilface.server.octets import OCTETS
from veilface.server.recognition.liveness import LENGTHS as LENGTHS_WITH_MOVEMENTS
from veilface.server.recognition.services import VERIFICATION_LENGTHS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]
Case = schemathesis.Case[Any]
USERNAME = "person-fuzzed"
BOUNDED = settings(
    max_examples=2,
    stateful_step_count=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

LENGTHS = sorted(
    ENROLMENT_LENGTHS | VERIFICATION_LENGTHS | LENGTHS_WITH_MOVEMENTS | DELETION_LENGTHS | REGISTRATION_LENGTHS
)
# Every length that some operation takes, filled from a few random octets: 74,048 of them are too many to draw.
schemathesis.openapi.media_type(
    OCTETS,
    st.builds(lambda start, length: start.ljust(length, b"\x5a"), st.binary(max_size=64), st.sampled_from(LENGTHS)),
)
CONFIG = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": False}, "examples": {"enabled": False}}})
schema = schemathesis.openapi.from_dict(openapi.schema(), config=CONFIG)
OPERATIONS = {found.ok().label: found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)}
"""By method and path. Schemathesis's own parametrising gives all tests one name, of which xdist runs one."""


class Fuzzed:
    """A person with a device and a face, and the browser that asks in their name."""

    def __init__(self, machine: Machine) -> None:
        self.url = machine.url
        self.session = requests.Session()
        self.session.trust_env = False
        person = machine.api().register(USERNAME)
        self.device = with_device(person)
        self.device.scheme = "ranking"
        assert self.device.enrol(unit(1)).status == 201
        self.sign_in()

    def sign_in(self) -> None:
        self.session.get(f"{self.url}/api/v1/session")
        content = {"username": USERNAME, "password": PASSWORD}
        answer = self.session.post(f"{self.url}/api/v1/session", json=content, headers=self.headers)
        assert answer.status_code == 200, answer.text

    @property
    def headers(self) -> dict[str, str]:
        return {"X-CSRFToken": self.session.cookies.get("veilface_csrf") or ""}

    def ask(self, case: Case) -> None:
        """Send the case as the person, and look at the answer."""
        keep_password(case)
        response = case.call(base_url=self.url, session=self.session, headers=self.headers)
        self.look_at(case, response)

    def look_at(self, case: Case, response: Any) -> None:
        """Check the answer, and sign in again where it ended the session or came without one."""
        case.validate_response(response, checks=CHECKS)
        if response.status_code == 401 or (case.method == "DELETE" and response.status_code == 204):
            self.sign_in()


def keep_password(case: Case) -> None:
    """Many wrong passwords would close the account's name for a while, to everything that comes after."""
    if isinstance(case.body, dict) and "password" in case.body and "username" not in case.body:
        case.body["password"] = None


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, database_server: DatabaseServer) -> Iterator[Fuzzed]:
    with (
        machine_in(tmp_path_factory.mktemp("machine"), database_server) as machine,
        machine.keyholder(),
        machine.server(),
    ):
        yield Fuzzed(machine)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_one_that_the_schema_names(operation: str, fuzzed: Fuzzed) -> None:
    @BOUNDED
    @given(OPERATIONS[operation].as_strategy())
    def ask(case: Case) -> None:
        fuzzed.ask(case)

    ask()


def test_what_one_answer_gives_out_may_be_asked_of_the_next(fuzzed: Fuzzed) -> None:
    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def call(self, case: Case, **_: Any) -> Any:
            keep_password(case)
            case.headers.pop("Authorization", None)  # drawn ones are junk, and would end the walk at its first step
            case.cookies.clear()
            return case.call(base_url=fuzzed.url, session=fuzzed.session, headers=fuzzed.headers)

        def validate_response(self, response: Any, case: Case, **_: Any) -> None:
            fuzzed.look_at(case, response)

    schemathesis.generation.stateful.run_state_machine_as_test(Walk, settings=BOUNDED)
