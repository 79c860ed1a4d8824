// NumPy's .npy arrays: format 1.0, 2.0 and 3.0, little-endian, C or Fortran order.
//
// Understood element types: bool, [u]int8..64, float16/32/64. Everything else (big-endian, complex,
// text, structured, pickled objects) is an InputError that names what was found. The header is
// checked against the bytes that are there before anything is allocated.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "ir/tensor.h"

namespace tvmq::data {

/// What the header of an array says.
struct NpyHeader {
  ir::DType dtype = ir::DType::kVoid;
  ir::Shape shape;
  bool fortran_order = false;
  std::size_t data_offset = 0;  ///< bytes of magic, version, length and header text
  std::size_t data_bytes = 0;   ///< bytes of the elements, which follow
};

/// Reads the header at the start of `bytes`, which may be only the first part of the file.
NpyHeader parse_npy_header(std::string_view bytes, std::string_view name_for_errors);

/// The array, in row-major order. `bytes` is the whole file: missing and superfluous bytes are
/// errors. Elements of bool are made 0 or 1.
ir::Tensor parse_npy(std::string_view bytes, std::string_view name_for_errors);
ir::Tensor read_npy(const std::filesystem::path& path);

}  // namespace tvmq::data
