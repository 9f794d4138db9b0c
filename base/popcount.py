"""The processor's population count, for compiled code."""

from typing import Any

import llvmlite.ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["popcount"]


@intrinsic
def _ctpop(context: Any, word: Any) -> Any:
    """Number of ones of a word, as the processor's own instruction."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = builder.module.declare_intrinsic("llvm.ctpop", [llvmlite.ir.IntType(64)])
        return builder.call(function, args)

    return types.uint64(types.uint64), generate


popcount: Any = _ctpop
