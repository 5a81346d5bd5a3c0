"""What must be true of any service's messages, deadlines and errands."""

from __future__ import annotations

from chassis.service import Invariant, Service


def message_invariants(service: Service, grace_s: float) -> list[Invariant]:
    """The invariants of the chassis's own tables and of the service's deadlines; ``grace_s`` is what may be late."""
    late = f"interval '{grace_s} seconds'"
    found = [
        Invariant(
            "outbox_sent",
            "Every event is sent soon after its commit.",
            f"select id::text from outbox where at < now() - {late}",
        ),
        Invariant(
            "nothing_parked",
            "No key is parked for the operator.",
            "select consumer_group || ' ' || topic || ' ' || key from parked_key where due_at is null",
        ),
        Invariant(
            "parked_whole",
            "A key is set aside exactly as long as messages of it are.",
            "select distinct consumer_group || ' ' || topic || ' ' || key from parked_key k "
            "full join parked_message m using (consumer_group, topic, key) where m.id is null or k.reason is null",
        ),
        Invariant("errands_done", "No errand was given up.", "select id from errand where state = 'failed'"),
        Invariant(
            "errands_tried",
            "An errand that is owed is tried when it is due.",
            f"select id from errand where state = 'owed' and due_at < now() - {late}",
        ),
    ]
    for model in service.timers:
        table = model.__tablename__
        found.append(
            Invariant(
                f"{table}_deadlines_met",
                f"No deadline of a {table} has passed unnoticed.",
                f"select id from {table} where due_at < now() - {late}",
            )
        )
        if waits := getattr(model, "waits", None):
            states = ", ".join(f"'{state}'" for state in sorted(waits))
            found.append(
                Invariant(
                    f"{table}_waits_with_deadline",
                    f"A {table} that waits has a deadline.",
                    f"select id from {table} where state in ({states}) and due_at is null",
                )
            )
    return found
