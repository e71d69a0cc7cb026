"""Pictures of readings as character cells, before any library has a say in how they look: arrays in, cells out."""
