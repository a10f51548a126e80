"""Contract terms as dated rows, one TOML file a product."""
