"""Service accounts that users create, and their keys."""

import json
from collections.abc import Sequence
from typing import Any

from emulator.core.database import Database

SCHEMA = """
CREATE TABLE service_accounts (
    email TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE service_account_keys (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL REFERENCES service_accounts (email) ON DELETE CASCADE,
    body TEXT NOT NULL
);
"""

Account = dict[str, Any]
Key = dict[str, Any]


class Accounts:
    """The service accounts of all projects, by address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, email: str) -> Account | None:
        """Return an account, if there is one of this address or unique id."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM service_accounts WHERE email = ?1"
                " OR json_extract(body, '$.uniqueId') = ?1",
                (email,),
            ).fetchone()
        return None if row is None else json.loads(row["body"])

    def page(self, project: str, after: str | None, limit: int) -> Sequence[tuple[str, Account]]:
        """Return addresses and accounts of a project, by address; see `paging.Fetch`."""
        return self._database.page(
            "service_accounts", "project", project, after, limit, key="email"
        )

    def add(self, account: Account) -> bool:
        """Add an account; return whether its address was free."""
        with self._database.write() as connection:
            return bool(
                connection.execute(
                    "INSERT OR IGNORE INTO service_accounts VALUES (?, ?, ?)",
                    (account["email"], account["projectId"], json.dumps(account)),
                ).rowcount
            )

    def update(self, account: Account) -> None:
        """Write an account that exists."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE service_accounts SET body = ? WHERE email = ?",
                (json.dumps(account), account["email"]),
            )

    def delete(self, email: str) -> None:
        """Delete an account and its keys."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM service_accounts WHERE email = ?", (email,))

    def keys(self, email: str) -> list[Key]:
        """Return the keys of an account, as the API answers them, with their public part."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT body FROM service_account_keys WHERE email = ? ORDER BY id", (email,)
            ).fetchall()
        return [json.loads(row["body"]) for row in rows]

    def add_key(self, email: str, key_id: str, key: Key) -> None:
        """Add a key to an account."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO service_account_keys VALUES (?, ?, ?)",
                (key_id, email, json.dumps(key)),
            )

    def delete_key(self, email: str, key_id: str) -> bool:
        """Delete a key; return whether there was one."""
        with self._database.write() as connection:
            return bool(
                connection.execute(
                    "DELETE FROM service_account_keys WHERE email = ? AND id = ?", (email, key_id)
                ).rowcount
            )
