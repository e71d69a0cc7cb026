"""Virtual boards that need recordings or models, as ports like any other: `virtual://replay` and `virtual://generated`."""
