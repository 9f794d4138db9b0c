"""Eight bytes at a time, for compiled code that reads text."""

from typing import Any

import llvmlite.ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["load", "trailing_zeros"]


@intrinsic
def _load(context: Any, array: Any, at: Any) -> Any:
    """Bytes ``at`` to ``at + 7`` of uint8[n], the first one lowest; all of them must be there."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(view.data, [args[1]])
        word = llvmlite.ir.IntType(64)
        loaded = builder.load(builder.bitcast(place, word.as_pointer()))
        loaded.align = 1
        return loaded

    return types.uint64(array, types.int64), generate


@intrinsic
def _cttz(context: Any, word: Any) -> Any:
    """Number of zeros below the lowest one of a word, 64 of 0, as the processor's instruction."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        size, flag = llvmlite.ir.IntType(64), llvmlite.ir.IntType(1)
        function = builder.module.declare_intrinsic(
            "llvm.cttz", [size], llvmlite.ir.FunctionType(size, [size, flag])
        )
        return builder.call(function, [args[0], flag(0)])

    return types.uint64(types.uint64), generate


load: Any = _load
trailing_zeros: Any = _cttz
