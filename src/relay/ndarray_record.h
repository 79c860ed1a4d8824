// One tensor as TVM stores it, in .params files and (as base64) in module files; little-endian:
//
//   offset          bytes   field
//   0               8       magic 0xDD5E40F096B4A13F
//   8               8       reserved, 0 (not checked)
//   16              4       device type, 1 = CPU
//   20              4       device number, 0
//   24              4       rank
//   28              1 1 2   dtype: code (0 int, 1 uint, 2 float), bits, lanes (1)
//   32              8*rank  dimensions
//   32 + 8*rank     8       bytes of data = product of dimensions * bytes per element
//   40 + 8*rank             the elements, row-major
//
// bool is {code 1, bits 1} with one byte per element.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ir/tensor.h"

namespace tvmq::relay {

/// Reads the record that begins at `bytes[offset]` and moves `offset` behind it. Nothing is
/// allocated before the length has been compared with what `bytes` holds. Anything wrong is an
/// InputError "WHERE: byte N: ...", N counted in `bytes`.
ir::Tensor parse_ndarray(std::string_view bytes, std::size_t& offset, std::string_view where);

/// Everything in front of the elements. The record is this and the tensor's bytes.
std::string ndarray_header(const ir::Tensor& tensor);

}  // namespace tvmq::relay
