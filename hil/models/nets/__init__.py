"""Networks that can be rebuilt from a name and a few numbers, one file each; `shapes` is the allow-list, without torch.

Rule of this room: a network is one set of weights with four readings of it (`hil.models.nets.seam.Net`): `forward` sees
one whole window, `dense` slides over a long piece of signal, `advance` takes one hop with explicit state in and out in
fixed shapes, and `fused` is what is stored. All four give the same decisions.
"""
