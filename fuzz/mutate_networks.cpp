// mutate.h for module files.
#include "module_corpus.h"
#include "mutate.h"
#include "mutate_module.h"
#include "random.h"

namespace tvmq::fuzz {

std::vector<std::string> read_corpus(std::span<const std::filesystem::path> folders) {
  return read_module_corpus(folders);
}

std::string mutate(const std::vector<std::string>& corpus, std::uint64_t number) {
  return mutate_module(corpus[Random(~number).below(corpus.size())], number);
}

}  // namespace tvmq::fuzz
