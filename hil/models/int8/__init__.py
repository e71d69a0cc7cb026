"""Networks in 8-bit integers: from a trained model to an op list, and the arithmetic that every board repeats exactly.

Rule of this room: data go one way. `trace` reads a torch network, `onnx_graph` an ONNX program; either gives a
`graph.Graph` of float operators; `calibrate` finds the range of every tensor; `quantise` gives the op list and
`reference` runs it bit for bit as boards do. Only `trace` knows torch, only `onnx_graph` knows onnx.
"""
