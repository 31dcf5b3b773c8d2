"""Schedules of the templates, due now instead of at the weekend: with their own targets, roles and queues."""

import uuid
from datetime import datetime, timezone

from .accounts import client

KEPT = ("GroupName", "State", "Target", "FlexibleTimeWindow", "Description")


def fire(account, name):
    """One like it, due once and at once."""
    api = client("scheduler", account)
    found = api.get_schedule(Name=name)
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    api.create_schedule(Name=f"{name}-{uuid.uuid4().hex[:8]}", ScheduleExpression=f"at({now})", ActionAfterCompletion="DELETE",
                        **{field: found[field] for field in KEPT})
