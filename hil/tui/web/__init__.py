"""The screen in a browser: who may come in, the server, and each tab's own terminal."""
