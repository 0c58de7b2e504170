"""Evidence weights, one TOML file a class family; read by ``cmdb_server.model.weighing``."""
