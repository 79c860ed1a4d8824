// Lists of images and their classes.
#include "data/labels.h"
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view text) {
    const tvmq::data::LabelList list = tvmq::data::parse_labels(text, "labels.txt");
    tvmq::check(!list.files.empty() && list.files.size() == list.labels.size(),
                "a class for every image");
    for (const std::int64_t label : list.labels) tvmq::check(label >= 0, "a class is 0 or more");
  });
}
