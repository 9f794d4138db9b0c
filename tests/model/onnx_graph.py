"""A quantised network as a graph of ONNX's integer operators, and ONNX Runtime to run it."""

import numpy as np
import onnxruntime
from numpy.typing import ArrayLike, NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from spikewatt.model.network.quantised import QuantisedNetwork, Requantisation
from spikewatt.model.params.systolic import Rounding

__all__ = ["onnx_graph", "onnx_run"]

IntArray = NDArray[np.int64]
_OPSET, _IR_VERSION = 17, 8


class _Graph:
    """Nodes and constants, and the name of the value that was made last."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, values: ArrayLike, dtype: type[np.generic]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def then(self, operator: str, *operands: str) -> None:
        """Apply an operator to the last value."""
        result = f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.value, *operands], [result]))
        self.value = result

    def cast(self, kind: int) -> None:
        """Change the type of the last value."""
        self.then("Cast")
        self.nodes[-1].attribute.append(helper.make_attribute("to", kind))


def _requantise(graph: _Graph, how: Requantisation) -> None:
    """In doubles: exact while an accumulator times the multiplier has at most 53 bits."""
    graph.cast(TensorProto.DOUBLE)
    graph.then("Mul", graph.constant(how.multiplier / 2**how.shift, np.float64))
    if how.rounding is Rounding.HALF_EVEN:
        graph.then("Round")
    else:
        if how.rounding is Rounding.HALF_UP:
            graph.then("Add", graph.constant(0.5, np.float64))
        graph.then("Floor")
    graph.then("Clip", *(graph.constant(bound, np.float64) for bound in (0, how.clip_max)))
    graph.cast(TensorProto.UINT8)


def onnx_graph(network: QuantisedNetwork) -> ModelProto:
    """``MatMulInteger``, ``Add``, and the requantisation, layer after layer; each is an output."""
    graph, outputs = _Graph("x"), []
    for layer in network.layers:
        graph.then("MatMulInteger", graph.constant(layer.weights, np.int8))
        graph.then("Add", graph.constant(layer.bias, np.int32))
        kind = TensorProto.INT32
        if layer.requantisation is not None:
            _requantise(graph, layer.requantisation)
            kind = TensorProto.UINT8
        shape = ["n", layer.outputs]
        outputs.append(helper.make_tensor_value_info(graph.value, kind, shape))
    x = helper.make_tensor_value_info("x", TensorProto.UINT8, ["n", network.layers[0].inputs])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "network", [x], outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    checker.check_model(model)
    return model


def onnx_run(network: QuantisedNetwork, x: IntArray) -> list[IntArray]:
    """What ONNX Runtime gives for each layer, int64[n, outputs]; as `QuantisedNetwork.run`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        onnx_graph(network).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return [np.asarray(y).astype(np.int64) for y in session.run(None, {"x": x.astype(np.uint8)})]
