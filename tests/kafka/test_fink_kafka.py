"""`fink_kafka` with the Kafka that it starts: the walkthrough of docs/fink-kafka.md, and what Kafka itself shows of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from local_kafka_scene import TOPIC, Local, Watcher, acls, is_gone, prepare, publish, read

from fink_command import fink, fink_kafka
from testbed import jars


@dataclass(frozen=True)
class Started:
    """A local Kafka, and what others could see while it was first started."""

    local: Local
    texts: list[str]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The walkthrough's first steps, in processes of their own."""
    local = prepare(tmp_path_factory.mktemp("fink"))
    authentication = ("--authentication", "-u", "alice", "-p", "-")
    try:
        with Watcher() as watcher:
            all_done = [fink_kafka("start", home=local.home), fink_kafka("--create-topic", TOPIC, home=local.home)]
            all_done.append(fink_kafka(*authentication, home=local.home, stdin="alices-password"))
        texts = [text for done in all_done for text in (done.out, done.err)]
        assert [done.status for done in all_done] == [0, 0, 0], texts
        assert "1 broker(s) started: it listens at 127.0.0.1:" in texts[0]
        yield Started(local, [*watcher.seen, *texts])
    finally:
        local.run("stop")


@pytest.fixture
def local(started: Started) -> Local:
    """The same, for tests of what can be done with it."""
    return started.local


def test_a_topic_is_created_once_described_and_deleted(local: Local) -> None:
    assert local.do("--create-topic", "t1", "--partitions", "3") == "Topic t1 created: 3 partition(s), 1 replica(s).\n"
    again = local.do("--create-topic", "t1", "--partitions", "5")
    assert again == "Topic t1 exists already, with 3 partition(s), 1 replica(s); it is left as it is.\n"
    assert {"name": "t1", "partitions": 3, "replicationFactor": 1} in local.listed("--list-topics")
    assert "t1              3           1" in local.do("--list-topics").splitlines()
    described = local.listed("--describe-topic", "t1")
    assert described["partitions"][2] == {"partition": 2, "leader": 1, "replicas": [1], "inSync": [1]}
    assert yaml.safe_load(local.do("--describe-topic", "t1", "-o", "yaml")) == described
    assert "2          1       1         1" in local.do("--describe-topic", "t1").splitlines()
    assert local.do("--delete-topic", "t1") == "Topic t1 deleted.\n"
    for service in ("--delete-topic", "--describe-topic"):
        gone = local.run(service, "t1")
        assert (gone.status, "There is no topic t1 at 127.0.0.1:" in gone.err) == (7, True)


def test_the_users_of_the_configuration_can_publish_and_read_and_no_more(local: Local) -> None:
    publish(local.settings("producer", transactional_id=local.configuration.transactional_id), "one")
    assert read(local.settings("consumer"), local.configuration.group, "one") == ["one"]
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        publish(local.settings("consumer"), "two")
    with pytest.raises(KafkaException, match="GROUP_AUTHORIZATION_FAILED"):
        read(local.settings("consumer"), "another-group", "one")
    with pytest.raises(KafkaException):
        AdminClient({**local.settings("admin"), "security.protocol": "PLAINTEXT"}).list_topics(timeout=3)


def test_what_authorization_gives_is_what_kafkas_own_tool_gives(local: Local) -> None:
    tools = local.tools()
    roles = {"consumer": (["-c", "g"], ["--consumer", "--group", "g"]), "producer": (["-p"], ["--producer"])}
    more = ("-H", "192.0.2.1", "-t", TOPIC, "-t", "more")
    for role, (ours, theirs) in roles.items():
        local.do("--authorization", "-a", "-u", f"our-{role}", *ours, *more)
        who = ("--allow-principal", f"User:their-{role}", "--allow-host", "192.0.2.1")
        tools.acls("--add", *theirs, *who, "--topic", TOPIC, "--topic", "more")
    local.do("--authorization", "-a", "-u", "our-both", "-c", "g", "-p", *more)
    listings = tools.listings()
    assert listings["our-consumer"] == listings["their-consumer"]
    assert listings["our-producer"] == listings["their-producer"]
    assert listings["our-both"] == listings["their-consumer"] | listings["their-producer"]
    for user, listing in listings.items():
        assert acls(local, user) == listing
    local.do("--authorization", "-d", "-u", "our-both", "-c", "g", *more)
    assert acls(local, "our-both") == listings["their-producer"] - listings["their-consumer"]
    local.do("--authorization", "-d", "-u", "their-producer", "-p", *more)
    assert acls(local, "their-producer") == set()


def test_a_user_is_added_authorized_and_deleted(local: Local, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first-word\n")
    added = local.do("--authentication", "-u", "community", "--password-file", str(file))
    assert added == "User community: SCRAM-SHA-512 credential added.\n"
    local.do("--authorization", "-a", "-u", "community", "-c", "community", "-p", "-t", TOPIC)
    again = local.do("--authorization", "-a", "-u", "community", "-c", "community", "-t", TOPIC)
    assert again == "User:community has all of these permissions already.\n"
    login = {**local.settings("consumer"), "sasl.username": "community", "sasl.password": "first-word"}
    publish(login, "from the community")
    read(login, "community", "from the community")
    replaced = local.run("--authentication", "-a", "-u", "community", "-p", "second-word")
    assert (replaced.status, replaced.out) == (0, "User community: SCRAM-SHA-512 credential replaced.\n")
    assert "Warning: -p PASSWORD stands in the process list" in replaced.err
    publish({**login, "sasl.password": "second-word"}, "with the new password")
    revoked = local.do("--authorization", "-d", "-u", "community", "-p", "-t", TOPIC)
    assert f"User:community: revoke Write on Topic {TOPIC} from *" in revoked.splitlines()
    none = local.run("--authorization", "-d", "-u", "community", "-p", "-t", TOPIC)
    assert (none.status, "has none of these permissions" in none.err) == (7, True)
    deleted = local.do("--authentication", "-d", "-u", "community")
    assert deleted.splitlines() == [
        "User community: SCRAM-SHA-512 credential deleted.",
        "2 permission(s) of community stay: see fink_kafka --list-acl, and delete them with --authorization -d.",
    ]
    gone = local.run("--authentication", "-d", "-u", "community")
    assert (gone.status, "There is no user community" in gone.err) == (7, True)


def test_manifests_give_the_same_as_the_commands(local: Local) -> None:
    lines = [
        ("--create-topic", "fink_same", "--partitions", "2"),
        ("--authentication", "-u", "Same"),
        ("--authorization", "-a", "-u", "Same", "-c", "same", "-t", "fink_same"),
        ("--authorization", "-a", "-u", "Same", "-p", "-t", "fink_same", "-H", "192.0.2.1"),
    ]
    manifests = "".join(local.do(*line, "-o", "yaml") for line in lines)
    before = fink("plan", "-f", "-", config=local.client_file("admin"), stdin=manifests)
    assert (before.status, "Plan: 4 to create" in before.out) == (2, True)
    for line in lines:
        local.do(*line, *(["-p", "-"] if "-u" in line and "-a" not in line else []), stdin="the-word")
    after = fink("plan", "-f", "-", config=local.client_file("admin"), stdin=manifests)
    assert (after.status, after.out.splitlines()[0]) == (0, "Nothing to do: 4 as declared.")


def test_another_kafka_is_reached_by_its_address_and_a_login(local: Local, tmp_path: Path) -> None:
    servers = local.configuration.bootstrap_servers
    elsewhere = Local(tmp_path)
    admin = ("--bootstrap-server", servers, "--command-config", str(local.client_file("admin")))
    assert TOPIC in elsewhere.do("--list-topics", *admin)
    assert elsewhere.run("--list-topics").status == 5
    consumer = ("--command-config", str(local.client_file("consumer")))
    for refused in (("--create-topic", "mine"), ("--list-acl",), ("--authentication", "-d", "-u", "nobody")):
        done = elsewhere.run(*refused, *consumer)
        assert (done.status, "Kafka does not allow fink-consumer this: " in done.err) == (6, True), done.err
        assert "Log in as an administrator" in done.err
    wrong = tmp_path / "wrong.properties"
    password = local.configuration.consumer.password
    wrong.write_text(local.client_file("consumer").read_text().replace(password, "quite-wrong"))
    done = elsewhere.run("--list-topics", "--command-config", str(wrong))
    assert (done.status, f"{servers} refused the login of fink-consumer" in done.err) == (6, True)
    done = elsewhere.run("--list-topics", "--bootstrap-server", "127.0.0.1:1", "--timeout", "1")
    assert (done.status, "No answer from 127.0.0.1:1" in done.err) == (5, True)


def test_starting_twice_is_fine_and_stop_keeps_all_data(local: Local) -> None:
    local.do("--create-topic", "kept")
    local.do("--authentication", "-u", "kept", "-p", "-", stdin="kept-word")
    local.do("--authorization", "-a", "-u", "kept", "-c", "kept", "-t", "kept")
    publish(local.settings("admin"), "one", "two", topic="kept")
    before, topics = local.listed("--list-acl"), local.listed("--list-topics")
    process = local.processes()
    assert "Kafka runs already: it listens at 127.0.0.1:" in local.do("start")
    assert local.processes() == process
    assert "Kafka stopped. Its data stay in" in local.do("stop")
    assert all(map(is_gone, process))
    assert "No Kafka runs here." in local.do("stop")
    assert local.run("--list-topics").status == 5
    assert "1 broker(s) started: it listens at 127.0.0.1:" in local.do("start")
    assert (local.listed("--list-acl"), local.listed("--list-topics")) == (before, topics)
    login = {**local.settings("consumer"), "sasl.username": "kept", "sasl.password": "kept-word"}
    assert read(login, "kept", "two", topic="kept") == ["one", "two"]


def test_a_broker_that_was_killed_and_does_not_come_up_is_mended_and_started(local: Local) -> None:
    (process,) = local.processes()
    process.kill()
    process.wait(10)
    done = local.run("--list-topics")
    assert (done.status, "No Kafka runs here" in done.err) == (5, True)
    file = local.home / "kafka" / "broker-1" / "data" / "meta.properties"
    text = file.read_text()
    file.write_text(text.replace("node.id=1", "node.id=7"))
    done = local.run("start")
    assert done.status == 1
    assert "broker 1 ended before it answered." in done.err
    assert f"All of its log: {local.home}/kafka/broker-1/broker.log" in done.err
    assert "No Kafka runs here." in local.do("stop")
    file.write_text(text)
    assert "1 broker(s) started" in local.do("start")
    assert TOPIC in local.do("--list-topics")


def test_a_changed_password_of_the_configuration_counts_from_the_next_start(local: Local) -> None:
    file = local.home / "fink.conf"
    old, password = local.settings("consumer"), local.configuration.consumer.password
    file.write_text(file.read_text().replace(password, "another-password"))
    local.do("start")
    publish(local.settings("producer"), "for who has the new one")
    read(local.settings("consumer"), local.configuration.group, "for who has the new one")
    with pytest.raises(KafkaException):
        AdminClient(old).list_topics(timeout=3)


def test_a_changed_administrator_is_told_from_a_slow_start(local: Local) -> None:
    file = local.home / "fink.conf"
    text, password = file.read_text(), local.configuration.admin.password
    file.write_text(text.replace(password, "another-password"))
    done = local.run("start", "--timeout", "3")
    assert (done.status, "they refuse the administrator's login" in done.err) == (1, True)
    file.write_text(text)
    assert "Kafka runs already" in local.do("start")


def test_no_password_is_in_a_process_list_an_output_or_a_log(started: Started) -> None:
    assert any("format.args" in text for text in started.texts), "it was looked at while the data were made ready"
    assert any("kafka.Kafka" in text for text in started.texts)
    kafka = started.local.home / "kafka"
    log = (kafka / "broker-1" / "broker.log").read_text()
    for password in [*started.local.passwords, "alices-password"]:
        assert not [text for text in (*started.texts, log) if password in text]
    assert kafka.stat().st_mode & 0o777 == 0o700
    for file in ("admin.properties", "producer.properties", "consumer.properties", "broker-1/server.properties"):
        assert (kafka / file).stat().st_mode & 0o777 == 0o600, file
    assert not list(kafka.rglob("*.args"))


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    local = prepare(tmp_path)
    host, _, port = local.configuration.servers[0].partition(":")
    with socket.create_server((host, int(port))):
        done = local.run("start")
    assert done.status == 8
    assert f"A broker cannot listen at {host}:{port}: Address already in use (by process" in done.err
    assert f"choose another port in {tmp_path / 'fink.conf'}" in done.err
    assert not local.processes()


def test_each_of_two_brokers_keeps_a_copy(tmp_path: Path) -> None:
    local = prepare(tmp_path, brokers=2)
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked" / "libs").symlink_to(jars.kafka())
    variables = {"KAFKA_HOME": str(tmp_path / "unpacked"), "KAFKA_HEAP_OPTS": "-Xmx256m"}
    data = local.home / "kafka" / "broker-1" / "data"
    interrupted = data.with_name("data.half")
    interrupted.mkdir(parents=True)
    (interrupted / "meta.properties").write_text("version=1\n")
    try:
        assert "2 broker(s) started" in local.do("start", **variables)
        local.do("--create-topic", TOPIC)
        (partition,) = local.listed("--describe-topic", TOPIC)["partitions"]
        assert sorted(partition["inSync"]) == [1, 2]
        processes = local.processes()
        assert all(f"{variables['KAFKA_HOME']}/libs/*" in process.cmdline() for process in processes)
        processes[1].kill()
        processes[1].wait(10)
        publish(local.settings("producer"), "one")
        assert "1 broker(s) started" in local.do("start", **variables)
        assert read(local.settings("consumer"), local.configuration.group, "one") == ["one"]
    finally:
        local.run("stop")
    assert all(map(is_gone, processes))
    data.rename(data.with_name("lost"))
    done = local.run("start", **variables)
    assert (done.status, f"{data} is gone, and the other brokers' data belong to it" in done.err) == (10, True)
