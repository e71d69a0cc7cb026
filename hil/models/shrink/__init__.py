"""Smaller models from a trained one: pruned, distilled, in 8-bit integers, each a model file of its own.

Rule of this room: everything is learnt from people whom the parent has met, so that whoever it has not met is unseen by
its children too. `narrow` says how wide a child may be, `prune` and `distil` make it, `rounded` is the same network as
boards compute it, `integers` judges that arithmetic itself; `points` calls them in turn.
"""
