"""Verification on this machine, of what `fink start distribution` has published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fink_distribution.cli.fink_kafka.reaching import home
from fink_distribution.cli.start.preparing import connectors, problems, said_of, say, settings
from fink_distribution.cli.verify.asking import Unverified, answer
from fink_distribution.local_jobs import programs
from fink_distribution.local_jobs import settings as local_settings
from fink_distribution.local_jobs.documents import distribution_document, login_files
from fink_distribution.local_jobs.folder import JobFolder
from fink_distribution.streams.verification import Question


def ask(config_file: Path | None, question: Question) -> dict[str, Any]:
    """Have it counted by the job's packages, which say what they do on stderr, and return the answer.

    Raises
    ------
    Unverified
        There is none.
    """
    with problems():
        _, found = settings(config_file, local_settings.distribution)
        folder = connectors(programs.VERIFICATION)
        # Not the distribution's own folder, which may run.
        job = JobFolder(home(), "verify", found.transactional_id)
        job.write_login(login_files(found.kafka))
        document = job.write_document(distribution_document(found, job.credentials, sorted(folder.glob("*.jar"))))
    say(f"Recounting {found.topic} at {said_of(found.kafka)} against {found.science}.")
    words = ["--config", str(document), "--since", question.since, "--limit", str(question.limit)]
    words += [word for output in question.outputs for word in ("--only", output)]
    said = programs.answered(programs.VERIFICATION, words)
    document_found = answer(said)
    if document_found is None:
        raise Unverified("it could not be counted; what is above says why.")
    return document_found
