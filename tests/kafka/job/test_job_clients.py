"""One stream, three formats, each read by a client that knows nothing of the job."""

from __future__ import annotations

import json

from hop import Stream as HopStream
from hop.auth import Auth
from hop.io import StartPosition
from hop.models import AvroBlob
from job_process import JobProcess
from job_stream import Stream
from received import everything, ids

from demo import science_alerts
from fink_command import fink
from testbed.environment import Environment

COLUMNS = ["objectId", "candid", "candidate", "cutoutScience"]


def hop_reads(login: dict[str, str], topic: str) -> list[AvroBlob]:
    """Read a topic to its end as SCiMMA's users do, with hop-client as it is."""
    auth = Auth(login["sasl.username"], login["sasl.password"], ssl=False, method=login["sasl.mechanism"])
    stream = HopStream(auth=auth, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(f"kafka://{login['bootstrap.servers']}/{topic}", "r") as messages:
        return list(messages)


def test_each_format_is_read_by_clients_that_are_not_ours(
    stream: Stream, job: JobProcess, testbed: Environment
) -> None:
    forms = ("SchemaInKey", "ObjectContainer", "Json")
    topics = {form: stream.topic(form, **{"max.message.bytes": "10485760"}) for form in forms}
    job.document["outputs"] = [
        {"name": form.lower(), "topic": topics[form], "select": COLUMNS, "format": form} for form in forms
    ]
    alerts = science_alerts.generate(60, seed=11)
    job.start()
    science_alerts.write(job.source, alerts, files=2)
    job.until_read(60)
    job.stop()

    expected = {alert["candid"]: alert for alert in alerts.select(COLUMNS).to_pylist()}
    assert ids(stream.login, topics["SchemaInKey"]) == sorted(expected)
    by_hop = hop_reads(stream.login, topics["ObjectContainer"])
    assert {type(blob) for blob in by_hop} == {AvroBlob}
    read = [blob.content for blob in by_hop]
    assert len(read) == len(expected)
    for alert in read:
        wanted = expected[alert["candid"]]
        assert alert["objectId"] == wanted["objectId"]
        assert alert["cutoutScience"]["stampData"] == wanted["cutoutScience"]["stampData"]
        assert alert["candidate"]["jd"] == wanted["candidate"]["jd"]
    messages = everything(stream.login, [topics["Json"]])
    assert sorted(json.loads(message.value)["candid"] for message in messages) == sorted(expected)
    for message in messages:
        alert = json.loads(message.value)
        assert alert["candidate"]["jd"] == expected[alert["candid"]]["candidate"]["jd"]
        assert message.key.decode() == message.headers["id"] == str(alert["candid"])

    [key] = {message.key for message in everything(stream.login, [topics["SchemaInKey"]])}
    for form, status, said in (("SchemaInKey", 0, ""), ("ObjectContainer", 0, ""), ("Json", 1, "which has no schema")):
        shown = fink("schema", "show", topics[form], config=testbed.kafka_admin_config)
        assert shown.status == status, shown.err
        assert said in shown.err
        assert status or json.loads(shown.out) == json.loads(key)
