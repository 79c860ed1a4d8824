// Reads a report's JSON from standard input and writes its page to standard output, for
// browser_test.mjs.
#include <iostream>
#include <iterator>
#include <string>

#include "report/html.h"

int main() {
  const std::string json(std::istreambuf_iterator<char>(std::cin), {});
  std::cout << tvmq::report::to_html(json);
  return std::cout.good() ? 0 : 1;
}
