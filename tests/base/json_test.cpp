#include "base/json.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <limits>

namespace tvmq {
namespace {

TEST(JsonText, EscapesWhatJsonWants) {
  EXPECT_EQ(json_text("conv \"a\\b\"\n"), R"("conv \"a\\b\"\u000a")");
  EXPECT_EQ(json_text(std::string_view("\0x", 2)), R"("\u0000x")");
  EXPECT_EQ(json_text("Gr\xC3\xB6\xC3\x9F"
                      "e \xF0\x9F\x98\x80"),
            "\"Gr\xC3\xB6\xC3\x9F"
            "e \xF0\x9F\x98\x80\"");
}

TEST(JsonText, BytesThatAreNoTextAreReplaced) {
  const std::string replaced = "\"\xEF\xBF\xBD";
  // A lone continuation, a cut sequence, an overlong form, a surrogate, beyond Unicode.
  for (const std::string bytes :
       {"\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    EXPECT_EQ(json_text(bytes).substr(0, 4), replaced);
    simdjson::dom::parser parser;
    EXPECT_EQ(parser.parse(json_text(bytes)).error(), simdjson::SUCCESS);
  }
}

TEST(JsonNumber, ReadsBackAsTheSame) {
  for (const float value : {0.1F, 3.5088F, 1e-42F, 3.4028235e38F, -0.F, 16777217.F}) {
    EXPECT_EQ(static_cast<float>(std::stod(json_number(value))), value);
  }
  EXPECT_EQ(json_number(0.1), "0.1");
  EXPECT_EQ(json_number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(json_number(std::nanf("")), "null");
}

TEST(JsonWriter, CommasAndLines) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("name", "x").field("yes", true).field("count", std::uint64_t{7});
  json.key("rows").begin_array();
  json.begin_object().field("a", std::vector<double>{1.5, NAN}).key("b").null().end_object();
  json.begin_object().end_object();
  json.end_array();
  json.key("none").begin_array().end_array();
  json.end_object();
  EXPECT_EQ(text,
            "{\n"
            " \"name\": \"x\",\n"
            " \"yes\": true,\n"
            " \"count\": 7,\n"
            " \"rows\": [\n"
            "  {\"a\": [1.5, null], \"b\": null},\n"
            "  {}\n"
            " ],\n"
            " \"none\": []\n"
            "}\n");
}

}  // namespace
}  // namespace tvmq
