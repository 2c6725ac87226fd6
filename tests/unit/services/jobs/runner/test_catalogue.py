"""Which jobs there are, and what they take."""

import pytest

from nightdesk.errors import ConfigurationError
from services.jobs.runner import catalogue


def test_every_plain_file_is_a_job_and_loads() -> None:
    names = catalogue.names()

    assert {"backfill_gaps", "verify_data"} <= set(names)
    assert not {"app", "hand", "settings", "__init__", "runner"} & set(names)
    for name in names:
        job = catalogue.load(name)
        assert catalogue.arguments(job, {}) == job.Arguments()
        assert all(field.description for field in job.Arguments.model_fields.values())


@pytest.mark.parametrize("name", ["no_such_job", "app", "settings", "../x", "runner", ""])
def test_what_is_no_job_is_named_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no job .*there are .*backfill_gaps"):
        catalogue.load(name)


def test_a_wrong_argument_is_named_with_those_there_are() -> None:
    job = catalogue.load("verify_data")
    with pytest.raises(ConfigurationError) as caught:
        catalogue.arguments(job, {"colour": "red"})

    assert str(caught.value).startswith("colour: ")
    assert "it takes " in str(caught.value)
