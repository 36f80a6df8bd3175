"""Requests made from the API's own description: none is a fault of the service, and each answer is as described.

Deterministic and bounded. What a request means (whether a dialect exists, a question can be answered) is no part of
the description, so a request that fits it may still be refused.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_as_described(app, token, mode):
    description = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    operations = [found.ok() for found in description.get_all_operations()]
    asked = [each for each in operations if mode.is_positive or each.body or each.query]
    assert len(asked) > 5
    for operation in asked:

        @settings(
            max_examples=10,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered(case):
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

        answered()
