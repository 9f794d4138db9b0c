"""Moving packets between cores: a clockless router, a clocked one, a mesh of tiles."""
