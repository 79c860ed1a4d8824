#include "exec/elementwise_slots.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tvmq::exec {

void drop_unread_operands(ElementwiseCode& code, std::uint16_t first_result) {
  const std::uint16_t unread = first_result;
  std::vector<std::uint16_t> place(code.operands.size(), unread);
  std::vector<ElementwiseCode::Operand> read;
  for (Instruction& each : code.instructions) {
    std::uint16_t* const slots[] = {&each.a, &each.b, &each.c, &each.d, &each.e};
    for (int i = 0; i < operand_count(each.code); ++i) {
      if (*slots[i] >= first_result) continue;
      std::uint16_t& to = place[*slots[i]];
      if (to == unread) {
        to = static_cast<std::uint16_t>(read.size());
        read.push_back(std::move(code.operands[*slots[i]]));
      }
      *slots[i] = to;
    }
  }
  code.operands = std::move(read);
}

void assign_slots(ElementwiseCode& code, std::uint16_t first_result, std::size_t results,
                  std::uint16_t output) {
  std::vector<std::size_t> last_use(results, 0);
  const auto for_each_read = [&](Instruction& each, auto visit) {
    std::uint16_t* const slots[] = {&each.a, &each.b, &each.c, &each.d, &each.e};
    for (int i = 0; i < operand_count(each.code); ++i) {
      if (*slots[i] >= first_result) visit(*slots[i]);
    }
  };
  for (std::size_t i = 0; i < code.instructions.size(); ++i) {
    for_each_read(code.instructions[i],
                  [&](std::uint16_t slot) { last_use[slot - first_result] = i; });
  }
  std::vector<std::uint16_t> place(results, 0);
  std::vector<std::uint16_t> free;
  std::size_t next = code.operands.size();
  for (std::size_t i = 0; i < code.instructions.size(); ++i) {
    Instruction& each = code.instructions[i];
    if (each.out != output) {  // never one that the instruction reads
      if (free.empty()) free.push_back(static_cast<std::uint16_t>(next++));
      place[each.out - first_result] = free.back();
      each.out = free.back();
      free.pop_back();
    }
    for_each_read(each, [&](std::uint16_t& slot) {
      const std::size_t result = slot - first_result;
      slot = place[result];
      const bool last = last_use[result] == i;
      if (last && std::ranges::find(free, slot) == free.end()) free.push_back(slot);
    });
  }
  code.slots = next + 1;
  for (Instruction& each : code.instructions) {
    if (each.out == output) each.out = static_cast<std::uint16_t>(next);
  }
}

}  // namespace tvmq::exec
