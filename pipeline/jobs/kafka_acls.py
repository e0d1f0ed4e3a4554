"""Kafka's rights as they follow from platform.yaml: pure, so that they are tested without a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.platform import KafkaUser

__all__ = ["describe", "wanted_acls"]


def wanted_acls(users: Mapping[str, KafkaUser]) -> set[AclBinding]:
    """Give every right of every user: what it may read and write, and the groups that it may consume in.

    A right to write on any topic includes the idempotent producer's (KIP-679), so that needs none of its own.
    """
    acls = set()
    for name, user in users.items():
        for topic in user.read:
            acls |= {_topic(name, topic, AclOperation.READ), _topic(name, topic, AclOperation.DESCRIBE)}
        for topic in user.write:
            acls |= {_topic(name, topic, AclOperation.WRITE), _topic(name, topic, AclOperation.DESCRIBE)}
        if user.group_prefix:
            acls.add(
                _acl(
                    ResourceType.GROUP,
                    user.group_prefix,
                    ResourcePatternType.PREFIXED,
                    name,
                    AclOperation.READ,
                )
            )
    return acls


def describe(acl: AclBinding) -> str:
    """Give one line for people, such as `User:publisher may WRITE topic readings`."""
    prefix = "…" if acl.resource_pattern_type == ResourcePatternType.PREFIXED else ""
    verb = "may" if acl.permission_type == AclPermissionType.ALLOW else "may not"
    operation, kind = AclOperation(acl.operation), ResourceType(acl.restype)
    return f"{acl.principal} {verb} {operation.name} {kind.name.lower()} {acl.name}{prefix}"


def _topic(user: str, topic: str, operation: AclOperation) -> AclBinding:
    return _acl(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, user, operation)


def _acl(
    kind: ResourceType, name: str, pattern: ResourcePatternType, user: str, operation: AclOperation
) -> AclBinding:
    return AclBinding(kind, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)
