"""Networks over a mesh of cores: mapping, golden model, picture."""
