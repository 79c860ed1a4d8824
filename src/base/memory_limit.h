// How much memory this process can have at all, and whether there is some left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace tvmq {

/// Bytes: the least of the machine's memory, the process's own limits (ulimit -v) and, in a
/// container, the group's (cgroup). What others use at the moment is not taken off.
std::uint64_t memory_limit();

/// The number in a cgroup file such as memory.max; the largest number if it says "max", is missing
/// or is none.
std::uint64_t read_group_limit(const std::filesystem::path& file);

/// Whether the system would give so many bytes in one piece now. For libraries that do not ask.
bool has_room(std::size_t bytes);

}  // namespace tvmq
