// Which slots the operands and results of elementwise code have in the end. Internal to exec.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exec/elementwise_compile.h"

namespace tvmq::exec {

/// Leaves out operands that no instruction reads (any more) and numbers the others anew. Slots from
/// `first_result` on are results.
void drop_unread_operands(ElementwiseCode& code, std::uint16_t first_result);

/// Gives `results` results, numbered from `first_result` on, few slots behind the operands: one is
/// free again after the last instruction that reads it. `output` gets the last slot.
void assign_slots(ElementwiseCode& code, std::uint16_t first_result, std::size_t results,
                  std::uint16_t output);

}  // namespace tvmq::exec
