"""What a screen wants to know of recordings and models, read in a process of its own: nobody waits for a long file."""
