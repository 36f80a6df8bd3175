"""What the connections to database servers share: `config.py` reads a config, `network.py` says which hosts may be
reached, `pool.py` keeps sessions, `deadlines.py` ends what its server does not.
"""
