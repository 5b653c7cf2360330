"""Whether the policy of a bucket denies an upload, as AWS documents it. moto looks at no condition, and denies all."""

from __future__ import annotations

from fnmatch import fnmatchcase

UPLOAD = "s3:PutObject"
#: A condition on a header has the name of that header.
HEADER = "s3:x-amz-"


def denies_upload(policy: dict, resource: str, headers: dict[str, str]) -> bool:
    """Say whether a statement denies everybody an upload with these headers, by their names in small letters."""
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and UPLOAD in as_list(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
        and all(
            holds(operator, headers.get(key.removeprefix("s3:")), as_list(wanted))
            for operator, conditions in statement.get("Condition", {}).items()
            for key, wanted in conditions.items()
            if key.startswith(HEADER) or refuse(key)
        )
        for statement in policy["Statement"]
    )


def holds(operator: str, value: str | None, wanted: list[str]) -> bool:
    """Evaluate a condition. Those that begin with Not, and those that end in IfExists, hold where there is no value."""
    if operator == "Null":
        return str(value is None).lower() in wanted
    name = operator.removesuffix("IfExists")
    if value is None:
        return name == "StringNotEquals" or name != operator
    if name not in ("StringEquals", "StringNotEquals"):
        return refuse(operator)
    return (value in wanted) == (name == "StringEquals")


def refuse(what: str) -> bool:
    """Refuse what nothing here evaluates: it must not seem to hold."""
    msg = f"{what} is not evaluated here"
    raise ValueError(msg)


def as_list(value: str | list[str]) -> list[str]:
    """Return one value, or several, as a list."""
    return [value] if isinstance(value, str) else value
