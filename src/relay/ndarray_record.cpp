#include "relay/ndarray_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error.h"
#include "relay/byte_reader.h"

namespace tvmq::relay {
namespace {

constexpr std::uint64_t kMagic = 0xDD5E40F096B4A13F;
constexpr std::int32_t kCpu = 1;
enum DTypeCode : std::uint8_t { kIntCode = 0, kUIntCode = 1, kFloatCode = 2 };

struct StoredDType {
  std::uint8_t code;
  std::uint8_t bits;
};

StoredDType stored_dtype(ir::DType dtype) {
  const auto bits = static_cast<std::uint8_t>(8 * ir::dtype_size(dtype));
  switch (dtype) {
    case ir::DType::kBool:
      return {kUIntCode, 1};
    case ir::DType::kInt8:
    case ir::DType::kInt16:
    case ir::DType::kInt32:
    case ir::DType::kInt64:
      return {kIntCode, bits};
    case ir::DType::kUInt8:
    case ir::DType::kUInt16:
    case ir::DType::kUInt32:
    case ir::DType::kUInt64:
      return {kUIntCode, bits};
    case ir::DType::kFloat16:
    case ir::DType::kFloat32:
    case ir::DType::kFloat64:
      return {kFloatCode, bits};
    case ir::DType::kVoid:
      break;
  }
  throw InternalError("a tensor without a dtype cannot be stored");
}

std::optional<ir::DType> find_dtype(std::uint8_t code, std::uint8_t bits) {
  constexpr ir::DType kAll[] = {ir::DType::kBool,    ir::DType::kInt8,    ir::DType::kInt16,
                                ir::DType::kInt32,   ir::DType::kInt64,   ir::DType::kUInt8,
                                ir::DType::kUInt16,  ir::DType::kUInt32,  ir::DType::kUInt64,
                                ir::DType::kFloat16, ir::DType::kFloat32, ir::DType::kFloat64};
  for (const ir::DType each : kAll) {
    const StoredDType stored = stored_dtype(each);
    if (stored.code == code && stored.bits == bits) return each;
  }
  return std::nullopt;
}

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

}  // namespace

ir::Tensor parse_ndarray(std::string_view bytes, std::size_t& offset, std::string_view where) {
  ByteReader reader(bytes, offset, where);
  const auto magic = reader.number<std::uint64_t>("a tensor's header");
  if (magic != kMagic) {
    reader.fail(offset, fmt::format("a tensor starts with {:#x}, found {:#x}; the file is damaged",
                                    kMagic, magic));
  }
  reader.take(8, "a tensor's header");
  const auto device = reader.number<std::int32_t>("a tensor's device");
  if (device != kCpu) {
    reader.fail(
        reader.offset() - 4,
        fmt::format("device type {}, expected 1 (CPU); save the tensors from a CPU", device));
  }
  reader.take(4, "a tensor's device number");

  const auto rank = reader.number<std::int32_t>("a tensor's rank");
  const std::size_t rank_offset = reader.offset() - 4;
  const std::size_t dtype_offset = reader.offset();
  const auto code = reader.number<std::uint8_t>("a tensor's dtype");
  const auto bits = reader.number<std::uint8_t>("a tensor's dtype");
  const auto lanes = reader.number<std::uint16_t>("a tensor's dtype");
  const std::optional<ir::DType> dtype = find_dtype(code, bits);
  if (!dtype || lanes != 1) {
    reader.fail(dtype_offset,
                fmt::format("dtype code {}, {} bits, {} lanes; expected bool, int8..int64, "
                            "uint8..uint64, float16, float32 or float64; convert the tensor",
                            code, bits, lanes));
  }
  if (rank < 0 || static_cast<std::uint64_t>(rank) * 8 > reader.remaining()) {
    reader.fail(rank_offset,
                fmt::format("{} dimensions, but {} bytes are left; the file is damaged", rank,
                            reader.remaining()));
  }
  ir::Shape shape(static_cast<std::size_t>(rank));
  for (std::int64_t& dim : shape) {
    dim = reader.number<std::int64_t>("a tensor's shape");
    if (dim < 0) {
      reader.fail(reader.offset() - 8, fmt::format("dimension {}, expected 0 or more", dim));
    }
  }

  const std::size_t size_offset = reader.offset();
  const auto byte_size = reader.number<std::int64_t>("a tensor's size");
  const std::optional<std::int64_t> count = ir::element_count(shape);
  const auto element_bytes = static_cast<std::int64_t>(ir::dtype_size(*dtype));
  if (!count || byte_size < 0 || byte_size % element_bytes != 0 ||
      byte_size / element_bytes != *count) {
    reader.fail(size_offset, fmt::format("{} bytes of data announced, which is not what {}{} has",
                                         byte_size, ir::dtype_name(*dtype), ir::to_string(shape)));
  }
  const std::string_view data =
      reader.take(static_cast<std::uint64_t>(byte_size), "a tensor's data");
  offset = reader.offset();
  ir::Tensor tensor(*dtype, std::move(shape));
  if (!data.empty()) std::memcpy(tensor.mutable_bytes(), data.data(), data.size());
  if (*dtype == ir::DType::kBool) {
    for (std::size_t i = 0; i < data.size(); ++i) {
      tensor.mutable_bytes()[i] = data[i] == 0 ? std::byte{0} : std::byte{1};
    }
  }
  return tensor;
}

std::string ndarray_header(const ir::Tensor& tensor) {
  const StoredDType dtype = stored_dtype(tensor.dtype());
  std::string bytes;
  append(bytes, kMagic);
  append(bytes, std::uint64_t{0});
  append(bytes, kCpu);
  append(bytes, std::int32_t{0});
  append(bytes, static_cast<std::int32_t>(tensor.rank()));
  append(bytes, dtype.code);
  append(bytes, dtype.bits);
  append(bytes, std::uint16_t{1});
  for (const std::int64_t dim : tensor.shape()) append(bytes, dim);
  append(bytes, static_cast<std::int64_t>(tensor.byte_size()));
  return bytes;
}

}  // namespace tvmq::relay
