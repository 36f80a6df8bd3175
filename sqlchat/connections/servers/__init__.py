"""Shared by the connections to database servers: their base, reading a config, hosts, pools and deadlines."""
