// NumPy's .npz files: zip archives of .npy arrays, as numpy.savez and numpy.savez_compressed write
// them (stored or deflated members, zip64). See data/npy.h for the arrays themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>

#include "data/npy.h"
#include "ir/tensor.h"

namespace tvmq::data {

using NpzArrays = std::map<std::string, ir::Tensor, std::less<>>;

struct NpzOptions {
  /// An array that would unpack to more bytes than this is an error before it is unpacked: deflate
  /// can make 1,000 bytes of one.
  std::uint64_t max_array_bytes = std::numeric_limits<std::uint64_t>::max();
};

/// The arrays by name, without the ".npy" of the member's name. `bytes` is the whole archive.
/// InputError: damaged, truncated or encrypted archives, wrong checksums, members that are no .npy,
/// two members of one name, members that share bytes.
NpzArrays parse_npz(std::string_view bytes, std::string_view name_for_errors,
                    const NpzOptions& options = {});
NpzArrays read_npz(const std::filesystem::path& path, const NpzOptions& options = {});

}  // namespace tvmq::data
