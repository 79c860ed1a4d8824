#include "data/npz.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "data/zip.h"

namespace tvmq::data {

NpzArrays parse_npz(std::string_view bytes, std::string_view name_for_errors,
                    const NpzOptions& options) {
  constexpr std::string_view kSuffix = ".npy";
  constexpr std::uint64_t kHeaderRoom = 1 << 16;  // what surrounds the elements in a member
  NpzArrays arrays;
  for (const ZipMember& member : read_zip_directory(bytes, name_for_errors)) {
    std::string_view array = member.name;
    if (!array.ends_with(kSuffix)) {
      throw InputError(fmt::format(
          "{}: found the member '{}', expected only .npy arrays; write the file with numpy.savez",
          name_for_errors, array.substr(0, 100)));
    }
    array.remove_suffix(kSuffix.size());
    const std::string name = fmt::format("{}[{}]", name_for_errors, array.substr(0, 100));
    if (member.size > kHeaderRoom && member.size - kHeaderRoom > options.max_array_bytes) {
      throw InputError(fmt::format("{}: the array has {} bytes, expected at most {}", name,
                                   member.size, options.max_array_bytes));
    }
    if (arrays.contains(array)) {
      throw InputError(fmt::format("{}: two arrays have this name, expected one", name));
    }
    arrays.emplace(array, parse_npy(unpack(member, name), name));
  }
  return arrays;
}

NpzArrays read_npz(const std::filesystem::path& path, const NpzOptions& options) {
  return parse_npz(read_file(path), path.string(), options);
}

}  // namespace tvmq::data
