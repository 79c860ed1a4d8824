// Modules that are wrong in a few places and right everywhere else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tvmq::fuzz {

/// One to four changes of a module file: references to other nodes (of the same type, so that the
/// file stays readable and the network becomes another one; or of any, so that there are cycles),
/// operators, attributes, dimensions, element types, texts, node types, lists and fields that are
/// shorter, longer or twice there, constants with NaN, infinities, zeros and wrong headers. The
/// same for the same arguments on every machine; `json` itself if it is no module file.
std::string mutate_module(std::string_view json, std::uint64_t number);

}  // namespace tvmq::fuzz
