#include "quant/target.h"

#include <algorithm>
#include <span>
#include <vector>

namespace tvmq::quant {
namespace {

/// What TVM asks LLVM about a target, as far as it concerns 8-bit kernels.
struct Features {
  bool sse42 = false;
  bool avx512f = false;
  bool avx512bw = false;
  bool avx512vnni = false;
  bool avxvnni = false;
  bool amx_int8 = false;
};

constexpr Features kBaseline{};
constexpr Features kSse42{.sse42 = true};
constexpr Features kAvx512{.sse42 = true, .avx512f = true, .avx512bw = true};
constexpr Features kAvx512Vnni{
    .sse42 = true, .avx512f = true, .avx512bw = true, .avx512vnni = true};
constexpr Features kAvxVnni{.sse42 = true, .avxvnni = true};
constexpr Features kAmx{.sse42 = true,
                        .avx512f = true,
                        .avx512bw = true,
                        .avx512vnni = true,
                        .avxvnni = true,
                        .amx_int8 = true};

struct Cpu {
  std::string_view name;
  Features features;
};

/// LLVM's names of x86-64 CPUs.
constexpr Cpu kCpus[] = {
    {"generic", kBaseline},
    {"x86-64", kBaseline},
    {"core2", kBaseline},
    {"penryn", kBaseline},
    {"x86-64-v2", kSse42},
    {"nehalem", kSse42},
    {"corei7", kSse42},
    {"westmere", kSse42},
    {"sandybridge", kSse42},
    {"corei7-avx", kSse42},
    {"ivybridge", kSse42},
    {"core-avx-i", kSse42},
    {"silvermont", kSse42},
    {"slm", kSse42},
    {"goldmont", kSse42},
    {"goldmont-plus", kSse42},
    {"tremont", kSse42},
    {"btver2", kSse42},
    {"bdver1", kSse42},
    {"bdver2", kSse42},
    {"bdver3", kSse42},
    {"bdver4", kSse42},
    {"x86-64-v3", kSse42},
    {"haswell", kSse42},
    {"core-avx2", kSse42},
    {"broadwell", kSse42},
    {"skylake", kSse42},
    {"znver1", kSse42},
    {"znver2", kSse42},
    {"znver3", kSse42},
    {"x86-64-v4", kAvx512},
    {"skylake-avx512", kAvx512},
    {"skx", kAvx512},
    {"cannonlake", kAvx512},
    {"cascadelake", kAvx512Vnni},
    {"cooperlake", kAvx512Vnni},
    {"icelake-client", kAvx512Vnni},
    {"icelake-server", kAvx512Vnni},
    {"tigerlake", kAvx512Vnni},
    {"rocketlake", kAvx512Vnni},
    {"znver4", kAvx512Vnni},
    {"znver5", kAvx512Vnni},
    {"alderlake", kAvxVnni},
    {"raptorlake", kAvxVnni},
    {"meteorlake", kAvxVnni},
    {"sierraforest", kAvxVnni},
    {"grandridge", kAvxVnni},
    {"sapphirerapids", kAmx},
    {"emeraldrapids", kAmx},
    {"graniterapids", kAmx},
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end != 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// One of "+avx512vnni" and "-avx512vnni"; others are features that choose no kernel.
bool apply(std::string_view attribute, Features& features) {
  if (attribute.size() < 2 || (attribute[0] != '+' && attribute[0] != '-')) return false;
  const bool present = attribute[0] == '+';
  const std::string_view name = attribute.substr(1);
  if (name == "sse4.2") features.sse42 = present;
  if (name == "avx512f") features.avx512f = present;
  if (name == "avx512bw") features.avx512bw = present;
  if (name == "avx512vnni") features.avx512vnni = present;
  if (name == "avxvnni") features.avxvnni = present;
  if (name == "amx-int8") features.amx_int8 = present;
  // As in LLVM, a feature brings the older ones that it builds on.
  if (present && name.starts_with("avx")) features.sse42 = true;
  if (present && name.starts_with("avx512")) features.avx512f = true;
  return true;
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
  constexpr std::string_view kCpuOption = "-mcpu=";
  constexpr std::string_view kAttributeOption = "-mattr=";
  const std::vector<std::string_view> words = split(text, ' ');
  if (words.empty() || words[0] != "llvm") return std::nullopt;
  Features features;
  std::vector<std::string_view> attributes;
  for (const std::string_view word : std::span(words).subspan(1)) {
    if (word.starts_with(kCpuOption)) {
      const std::string_view name = word.substr(kCpuOption.size());
      const auto* cpu = std::find_if(std::begin(kCpus), std::end(kCpus),
                                     [&](const Cpu& candidate) { return candidate.name == name; });
      if (cpu == std::end(kCpus)) return std::nullopt;
      features = cpu->features;
    } else if (word.starts_with(kAttributeOption)) {
      attributes = split(word.substr(kAttributeOption.size()), ',');
    } else if (!word.starts_with('-')) {
      return std::nullopt;
    }
  }
  for (const std::string_view attribute : attributes) {
    if (!apply(attribute, features)) return std::nullopt;
  }
  Target target;
  // Its schedule for AMX wants samples in multiples of 16 and does not compile for others.
  target.dense = features.avx512f && features.avx512bw && !features.amx_int8;
  if (!features.sse42) {
    target.products = ByteProducts::kNone;
  } else if (!features.avx512vnni && !features.avxvnni) {
    target.products = ByteProducts::kSaturating;
  } else {
    target.products = ByteProducts::kExact;
  }
  return target;
}

}  // namespace tvmq::quant
