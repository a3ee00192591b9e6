"""The databases: engines, schema, ledger, journal (SQLAlchemy Core). May import domain only."""
