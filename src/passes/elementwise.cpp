#include "passes/elementwise.h"

namespace tvmq::passes {

using ir::Op;

bool is_unary_elementwise(Op op) {
  switch (op) {
    case Op::kRelu:
    case Op::kClip:
    case Op::kLeakyRelu:
    case Op::kSigmoid:
    case Op::kTanh:
    case Op::kExp:
    case Op::kErf:
    case Op::kNegative:
    case Op::kAbs:
    case Op::kSqrt:
    case Op::kCopy:
      return true;
    default:
      return false;
  }
}

bool is_binary_elementwise(Op op) {
  switch (op) {
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kMaximum:
    case Op::kMinimum:
      return true;
    default:
      return false;
  }
}

}  // namespace tvmq::passes
