"""What a good operator does, each with the test that holds it. Numbers are those of the tests' names."""

from __future__ import annotations

from typing import NamedTuple

PLANE, E2E, CHAOS = "tests/controlplane", "tests/e2e", "tests/chaos"


class Behaviour(NamedTuple):
    """`tests` are "file::function"."""

    number: str
    text: str
    tests: tuple[str, ...]


BEHAVIOURS = (
    Behaviour(
        "1",
        "a minimal platform becomes Ready",
        (f"{E2E}/test_more_platforms.py::test_a_second_platform_comes_up_pays_and_leaves_nothing",),
    ),
    Behaviour(
        "2",
        "all condition types within 5 s",
        (f"{PLANE}/test_keeping.py::test_02_all_condition_types_are_there_within_5_s",),
    ),
    Behaviour(
        "3",
        "a wrong spec is refused with the operator down",
        (
            f"{PLANE}/test_refusals.py::test_03_a_wrong_spec_is_refused_with_the_operator_down",
            f"{PLANE}/test_refusals.py::test_03_what_is_fixed_cannot_change_with_the_operator_down",
        ),
    ),
    Behaviour(
        "4",
        "an unchanged platform is not written to",
        (f"{PLANE}/test_keeping.py::test_04_an_unchanged_platform_is_not_written_to",),
    ),
    Behaviour(
        "5",
        "another image rolls with no failed request",
        (f"{E2E}/test_upgrade.py::test_05_an_upgrade_under_fifty_requests_a_second_fails_none",),
    ),
    Behaviour(
        "6",
        "a bad image degrades while the old pods serve",
        (f"{E2E}/test_upgrade.py::test_upgrades_fail_no_request_and_bad_ones_are_rolled_back",),
    ),
    Behaviour(
        "7",
        "an operator that starts anew changes no pod template",
        (f"{PLANE}/test_steps.py::test_an_operator_that_is_killed_at_any_write_is_made_up_for",),
    ),
    Behaviour(
        "8",
        "an unsupported version is told and nothing is done",
        (f"{PLANE}/test_namespaces.py::test_08_a_version_that_is_not_carried_is_told_and_nothing_is_done",),
    ),
    Behaviour(
        "9",
        "backup and restore keep the ledger's totals",
        (
            f"{E2E}/test_backup.py::test_a_platform_starts_from_a_backup_with_the_same_books",
            f"{E2E}/test_backup_volume.py::test_a_deleted_platform_comes_back_from_its_volume",
        ),
    ),
    Behaviour(
        "10",
        "draining a node keeps a pod of each service",
        (f"{CHAOS}/test_drain.py::test_10_a_drained_node_leaves_a_pod_of_each_service",),
    ),
    Behaviour(
        "11",
        "a changed Secret rolls its consumers only, within 30 s",
        (
            f"{PLANE}/test_keeping.py::test_11_a_rotated_secret_rolls_its_consumers_only",
            f"{E2E}/test_password_rotation.py::test_passwords_change_under_load",
        ),
    ),
    Behaviour(
        "12",
        "a deleted platform goes, with the operator down too",
        (
            f"{PLANE}/test_leaving.py::test_12_a_deleted_platform_takes_its_children_along_without_an_operator",
        ),
    ),
    Behaviour(
        "13",
        "pause stops writes, resume applies what waits",
        (f"{PLANE}/test_keeping.py::test_13_pause_stops_writes_and_resume_applies_what_waits",),
    ),
    Behaviour(
        "14",
        "metrics, and Events that are not repeated",
        (f"{PLANE}/test_namespaces.py::test_14_metrics_tell_the_work_and_events_are_not_repeated",),
    ),
    Behaviour(
        "15",
        "a dependency that is down is told within 30 s",
        (
            f"{PLANE}/test_namespaces.py::test_15_a_dependency_that_is_down_is_told_within_30_s",
            f"{CHAOS}/test_dependencies.py::test_dependencies_are_killed_one_and_two_at_once",
        ),
    ),
    Behaviour(
        "16",
        "a deleted child is back within 5 s (p95); with dead watches within a full pass and 10 s",
        (
            f"{PLANE}/test_keeping.py::test_16_fifty_deleted_children_come_back",
            f"{PLANE}/test_trouble.py::test_16_a_deleted_child_comes_back_with_every_watch_dead",
            f"{PLANE}/test_trouble.py::test_16_a_slow_api_server_delays_repair_little",
            f"{CHAOS}/test_watches.py::test_16_a_deleted_child_comes_back_while_packets_get_lost",
        ),
    ),
    Behaviour(
        "17",
        "drift is reverted within 10 s, what others own survives",
        (f"{PLANE}/test_keeping.py::test_17_drift_is_reverted_and_what_others_own_survives",),
    ),
    Behaviour(
        "18",
        "a wedged service is restarted, within limits",
        (
            f"{PLANE}/test_load.py::test_18_a_service_that_hangs_is_restarted_within_limits",
            f"{CHAOS}/test_wedged.py::test_18_a_stopped_process_is_started_again",
            f"{CHAOS}/test_wedged.py::test_18_a_consumer_that_hangs_is_restarted_by_the_operator",
        ),
    ),
    Behaviour(
        "19",
        "three times the load scales out and back",
        (
            f"{PLANE}/test_load.py::test_19_three_times_the_load_lifts_the_floor_and_lets_it_down",
            f"{CHAOS}/test_load.py::test_19_three_times_the_load_scales_out_and_back",
        ),
    ),
    Behaviour(
        "20",
        "another operator takes over within 20 s, one writes at a time",
        (f"{PLANE}/test_leading.py::test_20_another_operator_takes_over_and_one_writes_at_a_time",),
    ),
    Behaviour(
        "21",
        "ten minutes of errors of the API server end nothing; as declared within 60 s after",
        (
            f"{PLANE}/test_trouble.py::test_21_errors_of_the_api_server_end_nothing",
            f"{CHAOS}/test_apiserver.py::test_the_api_server_is_away_for_half_a_minute",
        ),
    ),
    Behaviour(
        "22",
        "a failing platform does not slow the others",
        (f"{PLANE}/test_many.py::test_22_a_failing_platform_does_not_slow_the_others",),
    ),
    Behaviour(
        "–",
        "a dry run writes status and Events only",
        (f"{PLANE}/test_keeping.py::test_a_dry_run_writes_status_and_events_only",),
    ),
    Behaviour(
        "–",
        "what is no longer wanted is pruned, and nothing else",
        (f"{PLANE}/test_namespaces.py::test_what_is_no_longer_wanted_is_pruned_and_nothing_else",),
    ),
    Behaviour(
        "–",
        "somebody else's object is never adopted",
        (f"{PLANE}/test_namespaces.py::test_somebody_elses_object_is_never_adopted",),
    ),
    Behaviour(
        "–",
        "of two platforms in a namespace the oldest wins",
        (f"{PLANE}/test_namespaces.py::test_the_oldest_platform_of_a_namespace_wins",),
    ),
    Behaviour(
        "–",
        "defaults of the administrator give way to what is declared; a quota stops growth",
        (f"{PLANE}/test_namespaces.py::test_defaults_of_the_administrator_give_way_to_what_is_declared",),
    ),
    Behaviour(
        "–",
        "one platform too many waits until another one goes",
        (f"{PLANE}/test_namespaces.py::test_one_platform_too_many_waits_until_another_one_goes",),
    ),
    Behaviour(
        "–",
        "advice about requests is applied when asked for, to one service at a time, within bounds",
        (f"{PLANE}/test_load.py::test_advice_is_applied_to_one_service_at_a_time_within_bounds",),
    ),
    Behaviour(
        "–",
        "the operator may be killed at any write",
        (
            f"{PLANE}/test_steps.py::test_an_operator_that_is_killed_at_any_write_is_made_up_for",
            f"{CHAOS}/test_operator.py::test_the_operator_is_killed_amid_changes",
        ),
    ),
    Behaviour(
        "–",
        "a new CRD keeps what is stored, and uninstalling leaves no stuck platform",
        (
            f"{PLANE}/test_leaving.py::test_a_new_crd_keeps_what_is_stored_and_uninstalling_leaves_nothing_stuck",
            f"{PLANE}/test_chart.py::test_10_helm_upgrades_from_the_version_before_and_uninstalls_without_a_stuck_platform",
        ),
    ),
)
