// Modules that are wrong in a few places: the types, indices, operators, attributes, shapes,
// element types and constants of valid ones.
#include "mutate_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <functional>
#include <iterator>
#include <string_view>

#include "ir/op.h"
#include "module_json.h"
#include "random.h"
#include "relay/base64.h"

namespace tvmq::fuzz {
namespace {

constexpr std::array<std::string_view, 12> kUsualNumbers = {"0", "1", "2", "3",  "4",  "5",
                                                            "7", "8", "9", "16", "-1", "-2"};
constexpr std::array<std::string_view, 18> kHostileNumbers = {"-9223372036854775808",
                                                              "9223372036854775807",
                                                              "9223372036854775808",
                                                              "1099511627776",
                                                              "4294967296",
                                                              "4294967295",
                                                              "2147483648",
                                                              "2147483647",
                                                              "-2147483648",
                                                              "1000000",
                                                              "65536",
                                                              "1e39",
                                                              "1e-45",
                                                              "nan",
                                                              "inf",
                                                              "-inf",
                                                              "",
                                                              "0x10"};
constexpr std::array<std::string_view, 22> kTypes = {
    "float32", "float16", "float64", "bfloat16", "int8",  "uint8",     "int16",     "uint16",
    "int32",   "uint32",  "int64",   "uint64",   "bool",  "int4",      "float32x4", "handle",
    "",        "int",     "float0",  "uint1",    "int99", "custom[x]8"};
constexpr std::array<std::string_view, 14> kTexts = {
    "NCHW", "NHWC",  "OIHW",    "NCHW4c", "constant", "reflect",         "",
    "same", "align", "floor\n", "\x01",   "../../x",  "half_pixel\\u20", "%s%n{}"};
constexpr std::array<std::string_view, 16> kTypeKeys = {
    "relay.Call",     "relay.Tuple", "relay.TupleGetItem", "relay.Constant",  "relay.Var",
    "relay.Function", "relay.Let",   "relay.If",           "relay.RefCreate", "relay.TensorType",
    "TupleType",      "IntImm",      "FloatImm",           "Array",           "GlobalVar",
    "no.such.thing"};

std::string_view number_text(Random& random) {
  return random.once_in(3) ? random.of(kHostileNumbers) : random.of(kUsualNumbers);
}

std::string any_text(Random& random) {
  switch (random.below(5)) {
    case 0:
      return std::string(random.of(kTypes));
    case 1:
      return std::string(random.of(kTexts));
    case 2:
      return std::string(1 + random.below(6000), 'x');
    default:
      return std::string(number_text(random));
  }
}

std::string operator_name(Random& random) {
  constexpr auto kOperators = static_cast<std::size_t>(ir::Op::kSimulatedQuantize);
  const auto op = static_cast<ir::Op>(1 + random.below(kOperators));  // 0: not one of ours
  return std::string(ir::op_info(op).name);
}

/// The node that `text` refers to, if it refers to one.
std::optional<std::size_t> node_of(const ModuleFile& file, std::string_view text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (index == 0 || index >= file.nodes.size()) return std::nullopt;
  return index;
}

/// A node that `allowed` accepts; nothing if a few attempts do not meet one.
ModuleNode* find_node(ModuleFile& file, Random& random,
                      const std::function<bool(const ModuleNode&)>& allowed) {
  constexpr int kAttempts = 200;
  for (int i = 0; i < kAttempts && !file.nodes.empty(); ++i) {
    ModuleNode& node = random.of(file.nodes);
    if (allowed(node)) return &node;
  }
  return nullptr;
}

bool has_attrs(const ModuleNode& node) { return !node.attrs.empty(); }
bool has_data(const ModuleNode& node) { return !node.data.empty(); }

/// A text that refers to a node, or might.
std::string* find_reference(ModuleFile& file, Random& random) {
  ModuleNode* node = find_node(file, random, [](const ModuleNode& each) {
    return has_data(each) || (has_attrs(each) && each.type_key != "IntImm");
  });
  if (node == nullptr) return nullptr;
  if (node->attrs.empty()) return &random.of(node->data);
  return &random.of(node->attrs).second;
}

/// To another node of the same kind: the file stays well formed, the network becomes another one.
void refer_to_a_like_node(ModuleFile& file, Random& random) {
  std::string* reference = find_reference(file, random);
  if (reference == nullptr) return;
  const auto target = node_of(file, *reference);
  if (!target) return;
  const std::string type_key = file.nodes[*target].type_key;
  const ModuleNode* other =
      find_node(file, random, [&](const ModuleNode& each) { return each.type_key == type_key; });
  if (other != nullptr) *reference = std::to_string(other - file.nodes.data());
}

/// To any node: wrong types, cycles.
void refer_to_any_node(ModuleFile& file, Random& random) {
  std::string* reference = find_reference(file, random);
  if (reference != nullptr) *reference = std::to_string(random.below(file.nodes.size() + 2));
}

void change_attribute(ModuleFile& file, Random& random) {
  ModuleNode* node = find_node(file, random, [](const ModuleNode& each) {
    return has_attrs(each) && each.type_key.starts_with("relay.attrs.");
  });
  if (node == nullptr) return;
  std::string& value = random.of(node->attrs).second;
  const auto target = node_of(file, value);
  if (target && file.nodes[*target].text) {
    file.nodes[*target].text = any_text(random);
  } else {
    value = any_text(random);
  }
}

void change_number(ModuleFile& file, Random& random) {
  ModuleNode* node = find_node(file, random, [](const ModuleNode& each) {
    return each.type_key == "IntImm" || each.type_key == "FloatImm" || each.type_key == "BoxInt";
  });
  if (node == nullptr) return;
  for (auto& [name, value] : node->attrs) {
    if (name == "value") value = number_text(random);
  }
}

void change_element_type(ModuleFile& file, Random& random) {
  const auto is_type = [](const auto& attr) { return attr.first.ends_with("dtype"); };
  ModuleNode* node = find_node(file, random, [&](const ModuleNode& each) {
    return std::ranges::any_of(each.attrs, is_type);
  });
  if (node == nullptr) return;
  std::ranges::find_if(node->attrs, is_type)->second = random.of(kTypes);
}

void change_operator(ModuleFile& file, Random& random) {
  ModuleNode* node =
      find_node(file, random, [](const ModuleNode& each) { return each.type_key == "Op"; });
  if (node != nullptr) node->text = operator_name(random);
}

void change_type_key(ModuleFile& file, Random& random) {
  ModuleNode& node = random.of(file.nodes);
  node.type_key =
      random.once_in(2) ? std::string(random.of(kTypeKeys)) : random.of(file.nodes).type_key;
}

void change_fields(ModuleFile& file, Random& random) {
  ModuleNode* node = find_node(file, random, has_attrs);
  if (node == nullptr) return;
  const auto at =
      node->attrs.begin() + static_cast<std::ptrdiff_t>(random.below(node->attrs.size()));
  switch (random.below(4)) {
    case 0:
      node->attrs.erase(at);
      break;
    case 1:
      node->attrs.push_back(*at);
      break;
    case 2:
      at->first = any_text(random);
      break;
    default:
      node->attrs = random.of(file.nodes).attrs;
  }
}

void change_list(ModuleFile& file, Random& random) {
  ModuleNode* node = find_node(file, random, has_data);
  if (node == nullptr) return;
  const auto at = node->data.begin() + static_cast<std::ptrdiff_t>(random.below(node->data.size()));
  const std::string element = *at;
  switch (random.below(6)) {
    case 0:
      node->data.erase(at);
      break;
    case 1:
      node->data.insert(at, element);
      break;
    case 2:
      node->data.insert(at, 1 + random.below(2000), element);
      break;
    case 3:
      node->data.clear();
      break;
    case 4:
      std::ranges::reverse(node->data);
      break;
    default:
      *at = random.once_in(3) ? R"("text")" : random.of(kUsualNumbers);
  }
}

void change_list_of_nodes(ModuleFile& file, Random& random) {
  const auto at = file.nodes.begin() + static_cast<std::ptrdiff_t>(random.below(file.nodes.size()));
  switch (random.below(5)) {
    case 0:
      file.nodes.erase(at);
      break;
    case 1:
      file.nodes.erase(at, file.nodes.end());
      break;
    case 2:
      *at = {};
      break;
    case 3:
      file.nodes.push_back(ModuleNode(*at));
      break;
    default:
      file.root = number_text(random);
      if (file.root.empty()) file.root.assign(1, '-');  // no JSON then
  }
}

void change_text(ModuleFile& file, Random& random) {
  ModuleNode* node =
      find_node(file, random, [](const ModuleNode& each) { return each.text.has_value(); });
  if (node != nullptr) node->text = any_text(random);
}

/// The header of a record (relay/ndarray_record.h): rank, type and dimensions.
void change_tensor_header(std::string& record, Random& random) {
  constexpr std::size_t kRank = 24;
  constexpr std::size_t kHeader = 72;
  const std::size_t at = kRank + random.below(kHeader - kRank);
  if (at >= record.size()) return;
  constexpr std::array<unsigned char, 8> kBytes = {0, 1, 2, 4, 8, 0x7F, 0x80, 0xFF};
  record[at] = static_cast<char>(random.of(kBytes));
}

/// Elements that are no numbers, too large, too small, or all the same.
void change_elements(std::string& record, Random& random) {
  constexpr std::array<std::uint32_t, 9> kFloats = {0x7FC00000, 0x7F800000, 0xFF800000,
                                                    0x7F7FFFFF, 0xFF7FFFFF, 0x00000001,
                                                    0x00000000, 0x80000000, 0xFFFFFFFF};
  constexpr std::size_t kShortestHeader = 40;
  if (record.size() < kShortestHeader + sizeof(std::uint32_t)) return;
  const std::size_t rank = std::min<std::size_t>(static_cast<unsigned char>(record[24]), 8);
  const std::size_t begin = kShortestHeader + 8 * rank;
  if (begin + sizeof(std::uint32_t) > record.size()) return;
  const std::size_t elements = (record.size() - begin) / sizeof(std::uint32_t);
  const std::uint32_t bits = random.of(kFloats);
  const bool all = random.once_in(3);
  const std::size_t count = all ? elements : 1 + random.below(3);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t element = all ? i : random.below(elements);
    std::memcpy(record.data() + begin + element * sizeof(bits), &bits, sizeof(bits));
  }
}

void change_tensor(ModuleFile& file, Random& random) {
  if (file.tensors.empty()) return;
  std::string& text = random.of(file.tensors);
  std::string record;
  if (!relay::decode_base64(text, record)) return;
  switch (random.below(8)) {
    case 0:
      text.resize(random.below(text.size() + 1));
      return;
    case 1:
      text = random.of(file.tensors);
      return;
    case 2:
      file.tensors.pop_back();
      return;
    case 3:
      change_tensor_header(record, random);
      break;
    default:
      change_elements(record, random);
  }
  text.clear();
  relay::encode_base64(record, text);
}

using Change = void (*)(ModuleFile& file, Random& random);

/// What keeps a file readable comes more often: it goes further.
constexpr std::array<Change, 24> kChanges = {
    refer_to_a_like_node, refer_to_a_like_node, refer_to_a_like_node, refer_to_a_like_node,
    refer_to_any_node,    change_attribute,     change_attribute,     change_attribute,
    change_number,        change_number,        change_number,        change_number,
    change_element_type,  change_element_type,  change_operator,      change_operator,
    change_type_key,      change_fields,        change_list,          change_list_of_nodes,
    change_text,          change_tensor,        change_tensor,        change_tensor};

}  // namespace

std::string mutate_module(std::string_view json, std::uint64_t number) {
  Random random(number + 1);
  std::optional<ModuleFile> file = read_module_file(json);
  if (!file) return std::string(json);
  const std::size_t changes = 1 + random.below(4);
  for (std::size_t i = 0; i < changes && !file->nodes.empty(); ++i) {
    random.of(kChanges)(*file, random);
  }
  return to_json(*file);
}

}  // namespace tvmq::fuzz
