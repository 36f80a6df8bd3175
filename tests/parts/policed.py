"""A connection under a policy, by all the parts that a service has."""

import json

from sqlchat.config import Settings
from sqlchat.connections.manager import ConnectionManager
from sqlchat.sql.policies.policy import refuse
from sqlchat.store import Store
from sqlchat.workers import Workers


class PolicedDatabase:
    """A connection under a policy as the service uses it: by the manager, examined."""

    def __init__(self, folder, provider, config, policy=None):
        self.settings = Settings(data_dir=folder, pool_size=1)
        self.workers, self.judges = Workers(1, 1024), Workers(1, 1024)
        self.store = Store(self.settings)
        self.store.upgrade()
        self.manager = ConnectionManager(self.settings, self.store, self.workers, judges=self.judges)
        self.provider, self.config, self.names = provider, config, {}
        self.manager.create("me", provider, "data", config, policy)

    def open(self, name="data"):
        return self.manager.open("me", name)

    def run(self, sql, name="data"):
        opened = self.open(name)
        return json.loads(opened.run(opened.examine(sql)).rows)

    def run_under(self, sql, **policy):
        """The rows of `sql` on a connection with that policy, made at its first use."""
        key = json.dumps(policy)
        if key not in self.names:
            self.names[key] = f"data{len(self.names)}"
            self.manager.create("me", self.provider, self.names[key], self.config, policy)
        return self.run(sql, self.names[key])

    def run_unguarded(self, sql):
        """As if the guard had let it pass: the policy has to hold alone."""
        opened = self.open()
        refuse(sql, opened._present.policed.select_part(sql))
        return json.loads(opened._driver.run(sql, max_rows=10, timeout=100).rows)

    def close(self):
        self.manager.close()
        self.workers.close()
        self.judges.close()
        self.store.close()
