"""The terminal screen: the only room in which textual lives.

`hil.tui.start.run_tui(client)` shows whatever engine the client speaks to. The rooms below it, from pure to thin:
`canvas`, `cells` (arrays to character cells), `chart`, `heatmap` (pictures), `verdict`, `panes` (words), `state`
(what the keys change), and on top the widgets, the feed that asks the engine, and the app.
"""
