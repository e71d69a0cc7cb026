"""What the screen knows and how keys change it: frozen values and the steps between them; no library, no thread."""
