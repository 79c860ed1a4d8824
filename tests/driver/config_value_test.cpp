#include "driver/config_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <clocale>

namespace tvmq::driver {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(ConfigValue, NumbersAreReadWhollyOrNotAtAll) {
  EXPECT_THAT(parse_number("123.675"), Optional(123.675));
  EXPECT_THAT(parse_number("-1e-3"), Optional(-1e-3));
  EXPECT_THAT(parse_number("1."), Optional(1.0));
  for (const char* bad : {"", "1,5", "1.5x", " 1", "0x10", "nan", "inf", "1e39", "1e999", "--1"}) {
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
  }
  EXPECT_THAT(parse_integer("7", 1, 7), Optional(7));
  for (const char* bad : {"", "8", "0", "-1", "1.0", "1e0", "+1", "99999999999999999999"}) {
    EXPECT_EQ(parse_integer(bad, 1, 7), std::nullopt) << bad;
  }
  EXPECT_THAT(parse_unsigned("18446744073709551615"), Optional(18446744073709551615U));
  EXPECT_EQ(parse_unsigned("-1"), std::nullopt);
}

TEST(ConfigValue, NumbersDoNotDependOnTheLocale) {
  if (std::setlocale(LC_ALL, "de_DE.UTF-8") == nullptr) std::setlocale(LC_ALL, "C.UTF-8");
  EXPECT_THAT(parse_number("0.5"), Optional(0.5));
  std::setlocale(LC_ALL, "C");
}

TEST(ConfigValue, Switches) {
  for (const char* on : {"True", "true", "TRUE", "1"})
    EXPECT_THAT(parse_switch(on), Optional(true));
  for (const char* off : {"False", "faLse", "0"}) EXPECT_THAT(parse_switch(off), Optional(false));
  for (const char* bad : {"", "yes", "Tru", "2", "truee"}) {
    EXPECT_EQ(parse_switch(bad), std::nullopt) << bad;
  }
}

TEST(ConfigValue, Lists) {
  for (const char* text : {"[1, 2]", "(1, 2)", "1, 2", "1,2", "  [ 1 ,\n 2 ] ", "(1, 2,)"}) {
    EXPECT_THAT(parse_numbers(text), Optional(ElementsAre(1, 2))) << text;
  }
  EXPECT_THAT(parse_numbers("0.5"), Optional(ElementsAre(0.5)));
  EXPECT_THAT(parse_integers("[]", 0, 9), Optional(IsEmpty()));
  for (const char* bad : {"[1, 2", "[1, 2)", "1, 2]", "[[1]]", "1 2", ",", "[1,,2]", "[", "a"}) {
    EXPECT_EQ(parse_numbers(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_integers("[1, 10]", 0, 9), std::nullopt);
}

TEST(ConfigValue, Patterns) {
  const struct {
    const char* text;
    std::vector<std::string> expected;
  } rows[] = {
      {"stem", {"stem"}},
      {" stem , nn.conv2d #3,\n fc* ,", {"stem", "nn.conv2d #3", "fc*"}},
      {"[stem, fc]", {"stem", "fc"}},
      {"", {}},
      {"[]", {}},
      {"nn.conv2d 'a, b', c", {"nn.conv2d 'a, b'", "c"}},
      {R"("a, b", 'c')", {"a, b", "c"}},
      {R"("it's", fc)", {"it's", "fc"}},
      {R"(nn.conv2d 'it\'s', a\, b, \*)", {R"(nn.conv2d 'it\'s')", R"(a\, b)", R"(\*)"}},
      {"'a' and 'b'", {"'a' and 'b'"}},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(parse_patterns(row.text), Optional(row.expected)) << row.text;
  }
  for (const char* bad : {"'stem", "a, \"b", "a,,b", ",", "a, ''", "a\\"}) {
    EXPECT_EQ(parse_patterns(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace tvmq::driver
