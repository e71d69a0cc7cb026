"""What the panes of each page show, as tables: one file a page, from its scene to a `hil.tui.sheet.Sheet`."""
