"""Which hop is named, and why, when a part of an environment that is well breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.doctor.diagnosis import PATH, diagnose
from pipeline.doctor.seen import (
    AirflowSeen,
    ContainerSeen,
    DagSeen,
    Failed,
    HistorySeen,
    KafkaSeen,
    OutboxSeen,
    RegistrySeen,
    Seen,
    ServingSeen,
    SparkSeen,
    TopicSeen,
    WeatherSeen,
)
from tests.unit.doctor.scenes import NOW, WELL, ago, container, dag, progress

if TYPE_CHECKING:
    from pipeline.doctor.hop import Hop

AIRFLOW, SERVING, KAFKA = WELL.airflow, WELL.serving, WELL.kafka
assert isinstance(AIRFLOW, AirflowSeen)
assert isinstance(SERVING, ServingSeen)
assert isinstance(KAFKA, KafkaSeen)


def with_container(*changed: ContainerSeen) -> tuple[ContainerSeen, ...]:
    assert not isinstance(WELL.containers, Failed)
    by_name = {one.service: one for one in WELL.containers}
    return tuple({**by_name, **{one.service: one for one in changed}}.values())


def with_dags(*changed: DagSeen) -> AirflowSeen:
    assert isinstance(AIRFLOW, AirflowSeen)
    return replace(AIRFLOW, dags=tuple({one.dag_id: one for one in (*AIRFLOW.dags, *changed)}.values()))


def with_progress(**behind: int) -> ServingSeen:
    """Everything that is behind has not moved for five minutes."""
    assert isinstance(SERVING, ServingSeen)
    told = tuple(
        replace(one, at=ago(minutes=5)) if behind.get(f"{one.query}_{one.copy}") else one
        for one in progress(**behind)
    )
    return replace(SERVING, progress=told)


def first(seen: Seen) -> Hop:
    found = diagnose(seen).first_broken
    assert found is not None
    return found


def states(seen: Seen) -> dict[str, str]:
    return {hop.name: hop.state for hop in diagnose(seen).hops if hop.state != "ok"}


def test_an_environment_that_is_well_has_no_broken_hop() -> None:
    found = diagnose(WELL)
    assert found.first_broken is None
    assert "The path is whole." == found.sentence
    assert [(name, "ok", "") for name in PATH] == [(hop.name, hop.state, hop.cause) for hop in found.hops]


def test_facts_hold_counts_and_ages() -> None:
    facts = {hop.name: hop.facts for hop in diagnose(WELL).hops}
    assert "ingest_gateway: success 30 min ago" in facts["Airflow"]
    assert "5,034 readings; gateway loaded 2 min ago; open-meteo loaded 29 min ago" == facts["PostgreSQL"]
    assert "readings 2,000, newest 2 min ago; alerts 12, newest 2 min ago; readings.dlq 0" == facts["Kafka"]
    assert "2 workers; alerts-0 0 behind, 1 s ago; alerts-1 0 behind, 1 s ago" in facts["Spark"]
    assert facts["Cassandra"].startswith("78 stations, newest reading 2 min ago; 24 alerts since yesterday")


@pytest.mark.parametrize(
    ("changed", "hop", "cause"),
    [
        ({"weather": Failed("http://w does not answer")}, "weather API", "http://w does not answer"),
        ({"airflow": Failed("Airflow does not answer")}, "Airflow", "Airflow does not answer"),
        ({"history": Failed("PostgreSQL let nobody in")}, "PostgreSQL", "let nobody in"),
        ({"registry": Failed("the registry is away")}, "Schema Registry", "is away"),
        ({"kafka": Failed("Kafka cannot be asked")}, "Kafka", "cannot be asked"),
        ({"spark": Failed("no master")}, "Spark", "no master"),
        ({"serving": Failed("Cassandra let nobody in")}, "Cassandra", "let nobody in"),
        ({"history": HistorySeen(0, more=False, loaded_at={})}, "PostgreSQL", "the history is empty"),
        ({"registry": RegistrySeen(2, ("reading.v2.avsc",))}, "Schema Registry", "reading.v2"),
        ({"kafka": replace(KAFKA, missing=("alerts",))}, "Kafka", "no topic alerts"),
        ({"spark": SparkSeen(0, {})}, "Spark", "no worker is registered"),
        ({"serving": replace(SERVING, stations=0)}, "Cassandra", "are empty, although 2,000 readings"),
        ({"airflow": replace(AIRFLOW, unhealthy=("scheduler",))}, "Airflow", "scheduler is not healthy"),
        ({"airflow": replace(AIRFLOW, import_errors=("x.py cannot",))}, "Airflow", "x.py cannot"),
        ({"airflow": replace(AIRFLOW, dags=())}, "Airflow", "no DAG that fetches"),
    ],
)  # fmt: skip
def test_what_one_probe_sees_breaks_its_own_hop(changed: dict[str, Any], hop: str, cause: str) -> None:
    found = first(replace(WELL, **changed))
    assert hop == found.name
    assert cause in found.cause
    assert f"{hop}: {found.cause}" == diagnose(replace(WELL, **changed)).sentence


HOP_OF_SERVICE = pytest.mark.parametrize(
    ("service", "hop"),
    [
        ("weather-api", "weather API"),
        ("airflow-scheduler", "Airflow"),
        ("airflow-api", "Airflow"),
        ("postgres", "PostgreSQL"),
        ("schema-registry", "Schema Registry"),
        ("zookeeper", "Kafka"),
        ("kafka", "Kafka"),
        ("spark-master", "Spark"),
        ("driver-tables", "Spark"),
        ("cassandra", "Cassandra"),
    ],
)


@HOP_OF_SERVICE
@pytest.mark.parametrize(
    ("state", "health", "words"),
    [
        ("exited", "", "has ended (exit code 137)"),
        ("paused", "healthy", "is paused"),
        ("restarting", "", "is restarting"),
    ],
)
def test_a_container_that_does_not_run_breaks_its_hop(
    service: str, hop: str, state: str, health: str, words: str
) -> None:
    found = first(replace(WELL, containers=with_container(container(service, state, health, 137))))
    assert (hop, f"the container {service} {words}") == (found.name, found.cause.partition(":")[0])


@HOP_OF_SERVICE
@pytest.mark.parametrize(
    ("health", "words"),
    [("unhealthy", "runs, but is unhealthy"), ("starting", "runs, but is still starting")],
)
def test_a_hop_that_answers_while_its_health_lags_behind_is_worth_a_look(
    service: str, hop: str, health: str, words: str
) -> None:
    ill = with_container(container(service, "running", health))
    found = diagnose(replace(WELL, containers=ill))
    (warned,) = [one for one in found.hops if one.state != "ok"]
    assert (None, hop, "warning") == (found.first_broken, warned.name, warned.state)
    assert f"the container {service} {words}" == warned.cause.partition(":")[0]
    # Another hop that is broken is named, and not called affected by this one.
    another = replace(WELL, containers=ill, outbox=OutboxSeen(3, ago(minutes=10)))
    assert "outbox" == first(another).name


@pytest.mark.parametrize(
    ("service", "probe", "hop"),
    [
        ("weather-api", "weather", "weather API"),
        ("airflow-api", "airflow", "Airflow"),
        ("postgres", "history", "PostgreSQL"),
        ("schema-registry", "registry", "Schema Registry"),
        ("zookeeper", "kafka", "Kafka"),
        ("spark-master", "spark", "Spark"),
        ("cassandra", "serving", "Cassandra"),
    ],
)
def test_a_hop_that_does_not_answer_is_broken_because_of_its_unhealthy_container(
    service: str, probe: str, hop: str
) -> None:
    ill = with_container(container(service, "running", "unhealthy"))
    changed: dict[str, Any] = {"containers": ill, probe: Failed("away")}
    found = first(replace(WELL, **changed))
    assert (hop, "no answer") == (found.name, found.facts)
    assert found.cause.startswith(f"the container {service} runs, but is unhealthy")


def test_copies_of_the_alerts_that_are_all_called_unhealthy_break_nothing_while_they_move() -> None:
    ill = with_container(*(container(f"driver-alerts-{copy}", health="unhealthy") for copy in (0, 1)))
    assert {"Spark": "warning"} == states(replace(WELL, containers=ill))
    found = first(replace(WELL, containers=ill, serving=with_progress(alerts_0=10, alerts_1=8)))
    assert found.cause.startswith("query alerts-1: 8 offsets behind")


def test_without_an_engine_the_probes_still_tell() -> None:
    blind = replace(WELL, containers=Failed("no engine"))
    assert {} == states(blind)
    assert "Kafka" == first(replace(blind, kafka=Failed("away"))).name


@pytest.mark.parametrize(
    ("broken", "hop", "affected"),
    [
        # All that keeps its state in PostgreSQL goes with it.
        (
            {name: Failed("away") for name in ("airflow", "history", "outbox", "registry")},
            "PostgreSQL",
            {"Airflow", "outbox", "Schema Registry"},
        ),
        ({"kafka": Failed("away"), "serving": with_progress(readings_0=4)}, "Kafka", set()),
        ({"kafka": Failed("away"), "spark": Failed("away")}, "Kafka", {"Spark"}),
        ({"serving": Failed("away"), "spark": SparkSeen(0, {})}, "Cassandra", {"Spark"}),
        (
            {"weather": Failed("away"), "airflow": with_dags(dag("ingest_gateway", trouble="failed"))},
            "weather API",
            {"Airflow"},
        ),
        (
            {"registry": Failed("away"), "outbox": OutboxSeen(3, ago(minutes=10))},
            "Schema Registry",
            {"outbox"},
        ),
    ],
)  # fmt: skip
def test_what_breaks_because_of_another_hop_is_not_the_cause(
    broken: dict[str, Any], hop: str, affected: set[str]
) -> None:
    seen = replace(WELL, **broken)
    assert hop == first(seen).name
    assert {hop: "broken", **dict.fromkeys(affected, "affected")} == states(seen)


def test_a_fault_that_is_switched_on_is_worth_a_look() -> None:
    seen = replace(WELL, weather=WeatherSeen("synthetic", {"gateway": "overloaded"}))
    assert {"weather API": "warning"} == states(seen)
    assert "The path is whole, with 1 worth a look." == diagnose(seen).sentence


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        (dag("ingest_gateway", is_paused=True), "the DAG ingest_gateway is paused"),
        (dag("ingest_gateway", state="failed", trouble="The task load failed: x"), "The task load failed: x"),
        (
            dag("ingest_gateway", next_at=ago(minutes=6)),
            "should have begun a run of ingest_gateway 6 min ago",
        ),
    ],
)
def test_a_dag_that_does_not_fetch_breaks_airflow(changed: DagSeen, cause: str) -> None:
    found = first(replace(WELL, airflow=with_dags(changed)))
    assert "Airflow" == found.name
    assert cause in found.cause


@pytest.mark.parametrize(
    "changed",
    [
        # It catches up, one run after the other.
        dag("ingest_gateway", state="running", next_at=ago(hours=2)),
        dag("ingest_gateway", next_at=ago(minutes=4)),
        dag("selftest", is_paused=True),
        dag("selftest", state="failed", trouble="nobody waits for it"),
        # It belongs to the outbox, which is empty.
        dag("publish_readings", state="failed", trouble="Kafka was away"),
    ],
)
def test_a_dag_that_works_or_that_nothing_waits_for_breaks_nothing(changed: DagSeen) -> None:
    assert {} == states(replace(WELL, airflow=with_dags(changed)))


@pytest.mark.parametrize(
    ("outbox", "publish", "cause"),
    [
        (OutboxSeen(3, ago(seconds=5)), {"is_paused": True}, "the DAG publish_readings is paused"),
        (
            OutboxSeen(3, ago(seconds=5)),
            {"trouble": "Kafka refused the password"},
            "Kafka refused the password",
        ),
        (OutboxSeen(3, ago(minutes=6)), {}, "nothing has published them"),
    ],
)
def test_readings_that_stay_in_the_outbox_break_it(
    outbox: OutboxSeen, publish: dict[str, Any], cause: str
) -> None:
    found = first(replace(WELL, outbox=outbox, airflow=with_dags(dag("publish_readings", **publish))))
    assert "outbox" == found.name
    assert cause in found.cause


def test_readings_that_have_just_come_into_the_outbox_break_nothing() -> None:
    assert {} == states(replace(WELL, outbox=OutboxSeen(3, ago(seconds=30))))


def test_a_query_that_does_not_move_is_named_with_offsets_age_and_its_drivers_words() -> None:
    seen = replace(
        WELL,
        serving=with_progress(readings_0=1204),
        spark=SparkSeen(2, {"driver-tables": "last batch failed: WriteTimeout"}),
    )
    assert (
        "Spark: query readings: driver healthy, 1,204 offsets behind, its last step was 5 min ago; "
        "it says: last batch failed: WriteTimeout" == diagnose(seen).sentence
    )


def test_a_query_that_is_behind_and_moves_breaks_nothing() -> None:
    assert isinstance(SERVING, ServingSeen)
    moving = replace(SERVING, progress=progress(readings_0=1204, alerts_0=3, alerts_1=3))
    assert {} == states(replace(WELL, serving=moving))


def test_a_query_that_has_nothing_to_do_for_an_hour_breaks_nothing() -> None:
    assert isinstance(SERVING, ServingSeen)
    idle = tuple(replace(one, at=ago(hours=1)) for one in progress())
    assert {} == states(replace(WELL, serving=replace(SERVING, progress=idle)))


def test_one_of_two_copies_of_the_alerts_is_enough() -> None:
    assert {} == states(replace(WELL, serving=with_progress(alerts_0=10)))
    found = first(replace(WELL, serving=with_progress(alerts_0=10, alerts_1=8)))
    assert "query alerts-1: driver healthy, 8 offsets behind" in found.cause


def test_a_driver_of_the_alerts_that_has_ended_is_a_warning_while_another_runs() -> None:
    one = with_container(container("driver-alerts-0", "exited", "", 1))
    assert {"Spark": "warning"} == states(replace(WELL, containers=one))
    both = with_container(*(container(f"driver-alerts-{copy}", "exited", "", 1) for copy in (0, 1)))
    seen = replace(WELL, containers=both, spark=SparkSeen(2, {"driver-alerts-0": "no slots"}))
    assert first(seen).cause.startswith("the container driver-alerts-0 has ended (exit code 1)")
    assert first(seen).cause.endswith("it says: no slots")


def test_a_worker_that_is_gone_is_a_warning_while_the_queries_move() -> None:
    seen = replace(WELL, containers=with_container(container("spark-worker-1", "exited", "", 137)))
    assert {"Spark": "warning"} == states(seen)


def test_a_query_that_never_got_through_anything_is_named() -> None:
    assert isinstance(SERVING, ServingSeen)
    without = tuple(one for one in progress() if one.query != "averages")
    found = first(replace(WELL, serving=replace(SERVING, progress=without)))
    assert "the query averages has not got through a single reading yet" == found.cause


def test_progress_that_went_by_its_ttl_while_nothing_came_is_no_fault() -> None:
    assert isinstance(SERVING, ServingSeen)
    seen = replace(WELL, serving=replace(SERVING, progress=()))
    assert {"Spark": "broken"} == states(seen)
    old = KafkaSeen({"readings": TopicSeen(2000, {0: 1000, 1: 1000}, ago(days=2))})
    assert {} == states(replace(seen, kafka=old))


def test_nothing_on_the_topic_is_no_fault_of_the_queries() -> None:
    assert isinstance(SERVING, ServingSeen)
    empty = KafkaSeen({"readings": TopicSeen(0, {0: 0, 1: 0}, None)})
    assert {} == states(replace(WELL, kafka=empty, serving=replace(SERVING, progress=(), stations=0)))


def test_a_copy_whose_driver_is_no_more_is_not_counted() -> None:
    assert isinstance(SERVING, ServingSeen)
    old = tuple(replace(one, copy=2, next_offset=0, at=ago(hours=3)) for one in progress() if one.copy == 1)
    seen = replace(WELL, serving=replace(SERVING, progress=(*progress(), *old)))
    assert {} == states(seen)
    assert "alerts-2" not in next(hop.facts for hop in diagnose(seen).hops if hop.name == "Spark")


def test_the_first_of_two_broken_hops_is_named() -> None:
    seen = replace(WELL, weather=Failed("away"), serving=Failed("away"))
    assert "weather API" == first(seen).name
    assert {"weather API": "broken", "Cassandra": "broken"} == states(seen)
    assert NOW == seen.now


def test_what_a_driver_says_comes_before_what_its_container_is_called() -> None:
    ill = with_container(*(container(name, health="unhealthy") for name in ("spark-master", "driver-tables")))
    told = SparkSeen(2, {"driver-tables": "the registry is away"})
    (warned,) = [one for one in diagnose(replace(WELL, containers=ill, spark=told)).hops if one.state != "ok"]
    assert ("Spark", "warning", "driver-tables: the registry is away") == (
        warned.name,
        warned.state,
        warned.cause,
    )
