"""Messages of the Open Inference Protocol, version 2, with its extension for binary tensors.

A request goes through `message` (JSON and what follows it), `tensors` (the values of each tensor) and `rows` (what the
model's signature asks for); an answer through `outputs`. `datatypes` has the table of the protocol's types.
"""
