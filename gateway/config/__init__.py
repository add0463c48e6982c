"""gateway.toml as frozen models; every default is written here, once. Nothing below the registry imports this."""
