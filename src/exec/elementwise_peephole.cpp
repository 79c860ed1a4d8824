#include "exec/elementwise_peephole.h"

#include <map>
#include <optional>
#include <utility>

namespace tvmq::exec {
namespace {

class Joiner {
 public:
  Joiner(std::vector<Instruction> instructions, std::uint16_t first_result,
         const OperandInfo& operands)
      : list_(std::move(instructions)),
        first_result_(first_result),
        operands_(operands),
        dead_(list_.size(), false) {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      producer_[list_[i].out] = i;
      const std::uint16_t slots[] = {list_[i].a, list_[i].b, list_[i].c, list_[i].d, list_[i].e};
      for (int k = 0; k < operand_count(list_[i].code); ++k) ++uses_[slots[k]];
    }
  }

  void join_requantize() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (!dead_[i] && list_[i].code == Code::kStoreFloatInt8) try_requantize(i);
    }
  }

  /// clip, add number -> add number, clip. Adding a number keeps the order of floats, rounding
  /// included, so that it does not matter which comes first; what follows knows only this order.
  void add_before_clipping() {
    for (Instruction& sum : list_) {
      if (sum.code != Code::kAddFloat) continue;
      const auto found = side(sum, Code::kClipFloat);
      const auto number = found ? operands_.number(found->second) : std::nullopt;
      if (!number) continue;
      Instruction& clip = list_[found->first];
      const float low = clip.f0 + *number;
      const float high = clip.f1 + *number;
      clip.code = Code::kAddFloat;
      clip.b = found->second;
      sum.code = Code::kClipFloat;
      sum.a = clip.out;
      sum.b = 0;
      sum.f0 = low;
      sum.f1 = high;
    }
  }

  /// clip, float_to_int, [clip_int], store_int8 -> clip, store_float_int8
  void join_stores() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (list_[i].code != Code::kStoreInt8) continue;
      std::vector<std::size_t> taken;
      std::uint16_t slot = list_[i].a;
      if (const auto bound = taker(slot, Code::kClipInt)) {
        // The clip of a float that is clipped already does nothing if its bounds are wider, behind
        // a cast that cuts off: 255.5 is 255.
        const auto cast = taker(list_[*bound].a, Code::kFloatToInt);
        const auto clip = cast ? taker(list_[*cast].a, Code::kClipFloat) : std::nullopt;
        if (!clip || list_[*clip].f0 <= static_cast<float>(list_[*bound].i0 - 1) ||
            list_[*clip].f1 >= static_cast<float>(list_[*bound].i1 + 1)) {
          continue;
        }
        taken.push_back(*bound);
        slot = list_[*bound].a;
      }
      const auto cast = taker(slot, Code::kFloatToInt);
      const auto clip = cast ? taker(list_[*cast].a, Code::kClipFloat) : std::nullopt;
      // Within these bounds nothing overflows and no NaN is left.
      if (!clip || list_[*clip].f0 < -32768.0F || list_[*clip].f1 > 65535.0F) continue;
      taken.push_back(*cast);
      list_[i].code = Code::kStoreFloatInt8;
      list_[i].a = list_[*cast].a;
      for (const std::size_t each : taken) dead_[each] = true;
    }
  }

  void join_pairs() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (dead_[i]) continue;
      Instruction& each = list_[i];
      if (each.code == Code::kIntToFloat) {
        if (const auto sum = taker(each.a, Code::kAddInt)) {
          each.code = Code::kAddIntToFloat;
          each.b = list_[*sum].b;
          each.a = list_[*sum].a;
          dead_[*sum] = true;
        }
      } else if (each.code == Code::kClipFloat) {
        join_clip(each);
      }
    }
    for (std::size_t i = 0; i < list_.size(); ++i) {
      Instruction& sum = list_[i];
      if (dead_[i] || sum.code != Code::kAddFloat) continue;
      const auto product = side(sum, Code::kMultiplyFloat);
      if (!product) continue;
      sum.code = Code::kMultiplyAdd;
      sum.a = list_[product->first].a;
      sum.b = list_[product->first].b;
      sum.c = product->second;
      dead_[product->first] = true;
    }
  }

  /// negate, fast_exp, add 1, 1 / ... -> fast_sigmoid
  void join_sigmoids() {
    const auto is_one = [&](std::uint16_t slot) { return operands_.number(slot) == 1.0F; };
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (dead_[i] || list_[i].code != Code::kDivideFloat || !is_one(list_[i].a)) continue;
      const auto sum = taker(list_[i].b, Code::kAddFloat);
      const auto power = sum ? side(list_[*sum], Code::kFastExp) : std::nullopt;
      if (!power || !is_one(power->second)) continue;
      const auto negated = taker(list_[power->first].a, Code::kNegateFloat);
      if (!negated) continue;
      list_[i].code = Code::kFastSigmoid;
      list_[i].a = list_[*negated].a;
      list_[i].b = 0;
      dead_[*sum] = dead_[power->first] = dead_[*negated] = true;
    }
  }

  /// multiply_add_clip, store_float_int8 -> scale_store; with the activation of sums in
  /// front of it -> requantize_clipped, requantize_swish
  void join_scaled_stores() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (dead_[i] || list_[i].code != Code::kStoreFloatInt8) continue;
      const auto scaled = taker(list_[i].a, Code::kMultiplyAddClip);
      if (!scaled) continue;
      const Instruction& from = list_[*scaled];
      const std::optional<float> offset = operands_.number(from.c);
      if (!offset) continue;
      Instruction& store = list_[i];
      store.code = Code::kScaleStore;
      store.a = from.a;
      store.b = from.b;
      if (store.a < first_result_) std::swap(store.a, store.b);  // the value, and what scales it
      store.offset = *offset;
      store.f0 = from.f0;
      store.f1 = from.f1;
      dead_[*scaled] = true;
      if (!join_clipped(store)) join_swish(store);
    }
  }

  /// int_to_float, subtract, multiply -> dequantize; with multiply_add -> dequantize_add
  void join_dequantize() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      const bool adds = list_[i].code == Code::kMultiplyAdd;
      if (dead_[i] || (!adds && list_[i].code != Code::kMultiplyFloat)) continue;
      const auto difference = side(list_[i], Code::kSubtractFloat);
      if (!difference) continue;
      const auto cast = taker(list_[difference->first].a, Code::kIntToFloat);
      if (!cast) continue;
      list_[i].code = adds ? Code::kDequantizeAdd : Code::kDequantize;
      list_[i].d = list_[i].c;
      list_[i].a = list_[*cast].a;
      list_[i].b = list_[difference->first].b;
      list_[i].c = difference->second;
      dead_[difference->first] = dead_[*cast] = true;
    }
  }

  /// Two scaled integers, one of them a sum: add_int_to_float, int_to_float, multiply, multiply_add
  void join_residuals() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (dead_[i] || list_[i].code != Code::kMultiplyAdd) continue;
      Instruction& total = list_[i];
      const auto product = taker(total.c, Code::kMultiplyFloat);
      if (!product) continue;
      // Which of the two products is the sum's does not matter: a + b = b + a.
      Instruction first = total;
      Instruction second = list_[*product];
      if (!side(first, Code::kAddIntToFloat)) std::swap(first, second);
      const auto sums = side(first, Code::kAddIntToFloat);
      const auto other = side(second, Code::kIntToFloat);
      if (!sums || !other) continue;
      total.code = Code::kAddScaledInts;
      total.a = list_[sums->first].a;
      total.b = list_[sums->first].b;
      total.c = sums->second;
      total.d = list_[other->first].a;
      total.e = other->second;
      dead_[*product] = dead_[sums->first] = dead_[other->first] = true;
    }
  }

  /// What is stored is made of bytes, dequantized: a residual sum, or normalised or gated bytes.
  void join_bytes() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (dead_[i] || list_[i].code != Code::kScaleStore) continue;
      Instruction& store = list_[i];
      const std::optional<float> scale = operands_.number(store.b);
      if (!scale) continue;
      store.scale = *scale;
      if (!join_sum(store)) join_shifted(store);
    }
  }

  std::vector<Instruction> result() {
    std::vector<Instruction> kept;
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (!dead_[i]) kept.push_back(std::move(list_[i]));
    }
    return kept;
  }

 private:
  /// The instruction that computes `slot`, if it is `code` and nobody else reads the result.
  std::optional<std::size_t> taker(std::uint16_t slot, Code code) const {
    const auto found = producer_.find(slot);
    if (slot < first_result_ || found == producer_.end() || uses_.at(slot) != 1) return {};
    if (dead_[found->second] || list_[found->second].code != code) return std::nullopt;
    return found->second;
  }

  /// One operand of a commutative instruction computed by `code`, and the other one.
  std::optional<std::pair<std::size_t, std::uint16_t>> side(const Instruction& of,
                                                            Code code) const {
    if (const auto left = taker(of.a, code)) return std::pair{*left, of.b};
    if (const auto right = taker(of.b, code)) return std::pair{*right, of.a};
    return std::nullopt;
  }

  /// Makes `store` read the sums that `cast` made a float of.
  void take_sums(Instruction& store, std::size_t cast, std::uint16_t scale) {
    store.a = list_[cast].a;
    store.b = list_[cast].b;
    store.c = scale;
    dead_[cast] = true;
  }

  bool join_clipped(Instruction& store) {
    std::optional<std::size_t> bounds = taker(store.a, Code::kMultiplyClip);
    const bool shifts = !bounds;
    if (shifts) bounds = taker(store.a, Code::kMultiplyAddClip);
    const auto cast = bounds ? side(list_[*bounds], Code::kAddIntToFloat) : std::nullopt;
    if (!cast) return false;
    store.code = Code::kRequantizeClipped;
    store.e = store.b;
    store.d = shifts ? list_[*bounds].c : operands_.zero_float();
    store.f2 = list_[*bounds].f0;
    store.f3 = list_[*bounds].f1;
    take_sums(store, cast->first, cast->second);
    dead_[*bounds] = true;
    return true;
  }

  void join_swish(Instruction& store) {
    const auto product = taker(store.a, Code::kMultiplyFloat);
    if (!product) return;
    const auto sigmoid = side(list_[*product], Code::kFastSigmoid);
    if (!sigmoid || list_[sigmoid->first].a != sigmoid->second) return;
    // x goes to the sigmoid and to the product, and nowhere else.
    const auto x = producer_.find(sigmoid->second);
    if (x == producer_.end() || uses_.at(sigmoid->second) != 2 || dead_[x->second] ||
        list_[x->second].code != Code::kMultiplyFloat) {
      return;
    }
    const auto cast = side(list_[x->second], Code::kAddIntToFloat);
    if (!cast) return;
    store.code = Code::kRequantizeSwish;
    store.e = store.b;
    take_sums(store, cast->first, cast->second);
    dead_[*product] = dead_[sigmoid->first] = dead_[x->second] = true;
  }

  /// Has `store` dequantize the operand that `from`, a dequantize(_add), does. Says no if it does
  /// so by other than one number each.
  bool take_bytes(Instruction& store, const Instruction& from, std::uint16_t& slot) {
    const auto zero = operands_.number(from.b);
    const auto unit = operands_.number(from.c);
    if (!zero || !unit) return false;
    store.zero = *zero;
    store.unit = *unit;
    slot = from.a;
    store.i0 = uses_.at(from.a) == 1 ? operands_.as_bytes(from.a) : 0;
    return true;
  }

  /// Sums, scaled, and dequantized bytes, one added to the other; floats add up in either order.
  bool join_sum(Instruction& store) {
    std::optional<std::size_t> total = taker(store.a, Code::kMultiplyAdd);
    std::optional<std::pair<std::size_t, std::uint16_t>> cast;
    std::optional<std::size_t> bytes;
    std::optional<std::size_t> product;
    if (total) {
      cast = side(list_[*total], Code::kAddIntToFloat);
      bytes = taker(list_[*total].c, Code::kDequantize);
    } else {
      total = bytes = taker(store.a, Code::kDequantizeAdd);
      product = bytes ? taker(list_[*bytes].d, Code::kMultiplyFloat) : std::nullopt;
      if (product) cast = side(list_[*product], Code::kAddIntToFloat);
    }
    if (!cast || !bytes || !take_bytes(store, list_[*bytes], store.d)) return false;
    store.code = Code::kRequantizeSum;
    take_sums(store, cast->first, cast->second);
    dead_[*total] = dead_[*bytes] = true;
    if (product) dead_[*product] = true;
    return true;
  }

  void join_shifted(Instruction& store) {
    if (const auto sum = taker(store.a, Code::kDequantizeAdd)) {
      if (!take_bytes(store, list_[*sum], store.a)) return;
      store.code = Code::kShiftBytes;
      store.b = list_[*sum].d;
      dead_[*sum] = true;
    } else if (const auto product = taker(store.a, Code::kMultiplyFloat)) {
      const auto gated = side(list_[*product], Code::kDequantize);
      if (!gated || !take_bytes(store, list_[gated->first], store.a)) return;
      store.code = Code::kGateBytes;
      store.b = gated->second;
      dead_[*product] = dead_[gated->first] = true;
    }
  }

  void join_clip(Instruction& clip) {
    if (const auto sum = taker(clip.a, Code::kAddFloat)) {
      const auto product = side(list_[*sum], Code::kMultiplyFloat);
      if (!product) return;
      clip.code = Code::kMultiplyAddClip;
      clip.a = list_[product->first].a;
      clip.b = list_[product->first].b;
      clip.c = product->second;
      dead_[*sum] = dead_[product->first] = true;
    } else if (const auto alone = taker(clip.a, Code::kMultiplyFloat)) {
      clip.code = Code::kMultiplyClip;
      clip.b = list_[*alone].b;
      clip.a = list_[*alone].a;
      dead_[*alone] = true;
    }
  }

  void try_requantize(std::size_t store) {
    const auto clip = taker(list_[store].a, Code::kClipFloat);
    if (!clip) return;
    std::vector<std::size_t> taken = {*clip};
    std::uint16_t slot = list_[*clip].a;
    bool floors = false;
    if (const auto floor = taker(slot, Code::kFloor)) {
      floors = true;
      taken.push_back(*floor);
      slot = list_[*floor].a;
    }
    std::optional<float> offset = 0.0F;
    std::optional<std::size_t> product = taker(slot, Code::kMultiplyFloat);
    if (const auto sum = taker(slot, Code::kAddFloat)) {
      const auto found = side(list_[*sum], Code::kMultiplyFloat);
      if (!found) return;
      product = found->first;
      offset = operands_.number(found->second);
      if (!offset) return;
      taken.push_back(*sum);
    }
    const auto cast = product ? side(list_[*product], Code::kIntToFloat) : std::nullopt;
    if (!cast) return;
    taken.push_back(*product);
    taken.push_back(cast->first);
    Instruction& joined = list_[store];
    joined.a = list_[cast->first].a;
    joined.c = cast->second;
    std::optional<std::uint16_t> bias;
    if (const auto sum = taker(joined.a, Code::kAddInt)) {
      bias = list_[*sum].b;
      joined.a = list_[*sum].a;
      taken.push_back(*sum);
    }
    joined.code = floors ? Code::kRequantizeFloor : Code::kRequantize;
    joined.f0 = list_[*clip].f0;
    joined.f1 = list_[*clip].f1;
    joined.b = bias ? *bias : operands_.zero_int();
    joined.offset = *offset;
    for (const std::size_t each : taken) dead_[each] = true;
  }

  std::vector<Instruction> list_;
  std::uint16_t first_result_;
  const OperandInfo& operands_;
  std::vector<bool> dead_;
  std::map<std::uint16_t, std::size_t> producer_;
  std::map<std::uint16_t, int> uses_;
};

}  // namespace

std::vector<Instruction> join_instructions(std::vector<Instruction> instructions,
                                           std::uint16_t first_result,
                                           const OperandInfo& operands) {
  Joiner joiner(std::move(instructions), first_result, operands);
  joiner.add_before_clipping();
  joiner.join_stores();
  joiner.join_requantize();
  joiner.join_pairs();
  joiner.join_sigmoids();
  joiner.join_scaled_stores();
  joiner.join_dequantize();
  joiner.join_residuals();
  joiner.join_bytes();
  return joiner.result();
}

}  // namespace tvmq::exec
