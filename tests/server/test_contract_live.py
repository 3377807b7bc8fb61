"""The published contract, tried on a running server: what it says, and what it does not say."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from automl_jupyter.server.routes import ROUTES, Route

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

OPERATIONS = [
    pytest.param(route, verb, id=f"{verb.upper()} {route.path}")
    for route in ROUTES
    for verb in route.operations
]

# What is well formed may still make no sense for the data (422), be too much at once (429) or not be there.
SENSELESS = ["2xx", "3xx", "403", "404", "409", "413", "422", "429"]
# Of a file, that it is no table is seen only when it is read.
NO_TABLE = [*SENSELESS, "415"]
CHECKS = {
    "positive_data_acceptance": {"expected-statuses": SENSELESS},
    # The first rows that are explained start a process and open a model, beside other tests.
    "max_response_time": 40.0,
}


@pytest.fixture(scope="module")
def contract(ground) -> dict[str, Any]:
    with ground.server.client("alice-token") as alice:
        document: dict[str, Any] = alice.get("/automl/api/openapi.json").json()
    return document


@pytest.fixture(scope="module")
def alice(ground) -> Iterator[httpx.Client]:
    with ground.server.client("alice-token") as client:
        yield client


@pytest.fixture(scope="module", autouse=True)
def files_of_the_contract() -> None:
    """How the bodies that are files are made and sent; imported here, so that nobody else pays for it."""
    import schemathesis
    from hypothesis import strategies as st

    cells = st.sampled_from(["Paris", "Lyon", "", "2024-01-02", "yes", "no", "1", "2.5"]) | st.text(
        max_size=5
    )
    rows = st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=6)
    tables = rows.map(lambda table: "\n".join(["age,city,since", *map(",".join, table)]).encode())
    for media in ("text/csv", "application/offset+octet-stream"):
        schemathesis.openapi.media_type(media, tables | st.binary(max_size=40))

        @schemathesis.serializer(media)
        def as_it_is(_context: object, value: object) -> bytes:
            return value if isinstance(value, bytes) else str(value).encode()


def of_schema(
    contract: Mapping[str, Any], ground, *, examples: int, phases: tuple[str, ...], **pinned: str
) -> Any:
    """The contract as schemathesis reads it: always the same cases, and nothing kept of them."""
    import schemathesis

    names = ("examples", "coverage", "fuzzing", "stateful")
    config = schemathesis.Config.from_dict(
        {
            "base-url": f"{ground.server.base}/automl",
            "headers": {"Authorization": "token alice-token"},
            "request-timeout": 60.0,
            "max-redirects": 0,
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "generation": {"deterministic": True, "max-examples": examples},
            "phases": {name: {"enabled": name in phases} for name in names},
            "checks": CHECKS,
            "dictionaries": {name: {"values": [value]} for name, value in pinned.items()},
            "parameters": {f"path.{name}": {"dictionary": name, "probability": 0.8} for name in pinned},
            "operations": [
                {
                    "include-path": [route.path for route in ROUTES if takes_files(route)],
                    "checks": {"positive_data_acceptance": {"expected-statuses": NO_TABLE}},
                }
            ],
        }
    )
    return schemathesis.openapi.from_dict(copy.deepcopy(dict(contract)), config=config)


def takes_files(route: Route) -> bool:
    return any(operation.media for operation in route.operations.values())


@pytest.mark.parametrize(("route", "verb"), OPERATIONS)
def test_an_operation_keeps_its_word(route, verb, contract, ground, alice, fuzz_examples, tally, wait_for):
    # What deletes is asked about what is not there: others need what is.
    pinned = {} if verb == "delete" else ground.ids
    wanted = {name: pinned[name] for name in re.findall(r"\{(\w+)\}", route.path) if name in pinned}
    alone = {**contract, "paths": {route.path: {verb: contract["paths"][route.path][verb]}}}
    phases = ("coverage", "fuzzing")
    schema = of_schema(alone, ground, examples=fuzz_examples(8), phases=phases, **wanted)
    # What the document alone says of this path lacks its other methods; these are asked elsewhere.
    schema.config.checks.unsupported_method.enabled = len(route.operations) == 1
    failures, answered = tried(schema)
    stop_all(alice, wait_for)
    tally["cases of the contract"] += answered.total()
    assert not failures, "\n\n".join(failures)
    assert answered.total() >= 1


def tried(schema: Any) -> tuple[list[str], Counter[str]]:
    """What schemathesis found, and how many answers it had by operation and status."""
    from schemathesis.engine import events, from_schema

    failures: dict[str, None] = {}
    answered: Counter[str] = Counter()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            failures[f"{event.label}: {event.value!r}"] = None
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.ScenarioFinished):
            failures.update(dict.fromkeys(failed(event.recorder)))
            for case_id, interaction in event.recorder.interactions.items():
                label = event.recorder.cases[case_id].value.operation.label
                answered[f"{label} {interaction.response.status_code if interaction.response else '-'}"] += 1
    return list(failures), answered


def failed(recorder: Any) -> Iterator[str]:
    """What the checks found, with the request that shows it."""
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                answer = recorder.interactions[case_id].response
                found = check.failure_info
                yield (
                    f"{check.name}: {found.failure.title}\n{found.failure.message}\n"
                    f"{found.code_sample}\n{answer.status_code} {answer.content[:300]!r}"
                )


def stop_all(client: httpx.Client, wait_for: Callable[..., object]) -> None:
    """End what was started: who follows a running job waits for its end."""

    def none_left() -> bool:
        jobs = client.get("/automl/api/jobs/").json()["items"]
        going = [job["id"] for job in jobs if job["state"] in ("queued", "running")]
        for job in going:
            client.post(f"/automl/api/jobs/{job}/cancel/")
        return not going

    wait_for(none_left, 60)


# --- one after the other


def test_what_is_answered_leads_on_at_random(contract, ground, alice, fuzz_examples, tally, wait_for):
    schema = of_schema(contract, ground, examples=fuzz_examples(24), phases=("stateful",))
    failures, answered = tried(schema)
    stop_all(alice, wait_for)
    tally["steps along links"] += answered.total()
    assert not failures, "\n\n".join(failures)
    # How far a walk gets is luck; that each link leads on is certain, in the tests below.
    assert answered.total() >= 24, answered


def pointed_at(body: Any, expression: str) -> str:
    """The value that ``$response.body#/a/0`` names."""
    found = body
    for part in expression.removeprefix("$response.body#/").split("/"):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return str(found)


class Guide:
    """Asks what the links of an answer lead to, knowing nothing but the contract."""

    def __init__(self, contract: Mapping[str, Any], client: httpx.Client) -> None:
        self._client = client
        self._links = contract["components"]["links"]
        self._operations = {
            told["operationId"]: (path, verb, told)
            for path, verbs in contract["paths"].items()
            for verb, told in verbs.items()
        }

    def ask(
        self, operation: str, parameters: Mapping[str, str], **request: Any
    ) -> tuple[Any, dict[str, str]]:
        """The answer, and the names of the links by the operation that they lead to."""
        path, verb, told = self._operations[operation]
        url = "/automl" + path.format(**parameters)
        answer = self._client.request(verb.upper(), url, **request)
        assert answer.is_success, answer.text
        links = told["responses"][str(answer.status_code)].get("links", {})
        return answer.json(), {self._links[name]["operationId"]: name for name in links}

    def follow(
        self, body: Any, links: Mapping[str, str], operation: str, **request: Any
    ) -> tuple[Any, dict[str, str]]:
        """The answer of the operation that a link leads to."""
        link = self._links[links[operation]]
        parameters = {name: pointed_at(body, where) for name, where in link["parameters"].items()}
        return self.ask(operation, parameters, **request)


def test_the_links_lead_from_an_upload_to_a_prediction(contract, alice, table, verbs):
    guide = Guide(contract, alice)
    headers = {"Content-Type": "text/csv"}
    dataset, links = guide.ask("post_api_upload", {}, content=table, headers=headers)
    wanted = {"target": "bought", "time_budget": 60, "name": "guided"}
    begun, onward = guide.follow(dataset, links, "post_api_train_dataset_id", json=wanted)
    assert verbs.cut_short(alice, begun["id"])["model"]
    job, onward = guide.follow(begun, onward, "get_api_jobs_job_id")
    row = {"rows": [{"age": 70, "city": "Paris", "since": "2024-01-01"}]}
    for operation in ("post_api_predict_name", "post_api_test_model_dataset_id_model"):
        answered, _ = guide.follow(job, onward, operation, json=row)
        assert answered["model"] == "guided"
        assert answered["predictions"][0]["value"] in ("yes", "no")
    model, onward = guide.follow(job, onward, "get_api_models_name")
    assert model["champion"] == 1
    promoted, _ = guide.follow(model, onward, "post_api_models_name_promote", json={"version": 1})
    assert promoted == model


def test_every_path_with_a_parameter_is_led_to(contract):
    led_to = {link["operationId"] for link in contract["components"]["links"].values()}
    with_parameter = {
        told["operationId"]
        for path, verbs in contract["paths"].items()
        if "{" in path
        for told in verbs.values()
    }
    assert with_parameter == led_to
