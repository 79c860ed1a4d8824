#include "exec/elementwise_tables.h"

namespace tvmq::exec {

using ir::DType;
using ir::Op;

std::optional<Code> load_code(DType dtype) {
  switch (dtype) {
    case DType::kInt8:
      return Code::kLoadInt8;
    case DType::kUInt8:
    case DType::kBool:
      return Code::kLoadUInt8;
    case DType::kInt16:
      return Code::kLoadInt16;
    case DType::kUInt16:
      return Code::kLoadUInt16;
    default:
      return std::nullopt;
  }
}
std::optional<Code> wrap_code(DType dtype) {
  switch (dtype) {
    case DType::kInt8:
      return Code::kWrapInt8;
    case DType::kUInt8:
      return Code::kWrapUInt8;
    case DType::kInt16:
      return Code::kWrapInt16;
    case DType::kUInt16:
      return Code::kWrapUInt16;
    default:
      return std::nullopt;
  }
}

std::optional<BinaryCodes> binary_codes(Op op) {
  switch (op) {
    case Op::kAdd:
    case Op::kBiasAdd:
      return BinaryCodes{Code::kAddFloat, Code::kAddInt, Code::kAddLong, true};
    case Op::kSubtract:
      return BinaryCodes{Code::kSubtractFloat, Code::kSubtractInt, Code::kSubtractLong, true};
    case Op::kMultiply:
      return BinaryCodes{Code::kMultiplyFloat, Code::kMultiplyInt, Code::kMultiplyLong, true};
    case Op::kDivide:
      return BinaryCodes{Code::kDivideFloat, std::nullopt, std::nullopt};
    case Op::kMaximum:
      return BinaryCodes{Code::kMaximumFloat, Code::kMaximumInt, Code::kMaximumLong};
    case Op::kMinimum:
      return BinaryCodes{Code::kMinimumFloat, Code::kMinimumInt, Code::kMinimumLong};
    case Op::kLeftShift:
      return BinaryCodes{std::nullopt, Code::kLeftShiftInt, Code::kLeftShiftLong, true};
    case Op::kRightShift:
      return BinaryCodes{std::nullopt, Code::kRightShiftInt, Code::kRightShiftLong};
    case Op::kPrelu:
      return BinaryCodes{Code::kPrelu, std::nullopt, std::nullopt};
    default:
      return std::nullopt;
  }
}
std::optional<Code> float_code(Op op) {
  switch (op) {
    case Op::kSigmoid:
      return Code::kSigmoid;
    case Op::kTanh:
      return Code::kTanh;
    case Op::kExp:
      return Code::kExp;
    case Op::kFastExp:
      return Code::kFastExp;
    case Op::kLog:
      return Code::kLog;
    case Op::kErf:
      return Code::kErf;
    case Op::kSqrt:
      return Code::kSqrt;
    case Op::kRsqrt:
      return Code::kRsqrt;
    case Op::kAbs:
      return Code::kAbsFloat;
    case Op::kNegative:
      return Code::kNegateFloat;
    case Op::kRound:
      return Code::kRound;
    case Op::kFloor:
      return Code::kFloor;
    case Op::kCeil:
      return Code::kCeil;
    case Op::kTrunc:
      return Code::kTrunc;
    case Op::kLeakyRelu:
      return Code::kLeakyRelu;
    default:
      return std::nullopt;
  }
}

}  // namespace tvmq::exec
