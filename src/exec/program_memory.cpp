#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "exec/program_plan.h"

namespace tvmq::exec {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kForever = std::numeric_limits<std::size_t>::max();

/// A piece of the arena and the steps during which it is taken, both ends included.
struct Piece {
  std::size_t bytes = 0;
  std::size_t first = kForever;
  std::size_t last = 0;
  std::size_t offset = 0;
};

/// The pieces that have an offset, to find those that are taken at the same time as another.
class PlacedPieces {
 public:
  explicit PlacedPieces(std::size_t steps) : at_step_(steps) {}

  void insert(const Piece* piece) {
    insert_by_offset(piece, all_);
    if (!is_brief(*piece)) return insert_by_offset(piece, lasting_);
    for (std::size_t s = piece->first; s <= piece->last; ++s) at_step_[s].push_back(piece);
  }
  /// All that are taken together with `piece`, by offset, and some others; some may be there twice.
  const std::vector<const Piece*>& around(const Piece& piece) {
    if (!is_brief(piece)) return all_;
    found_.clear();
    for (std::size_t s = piece.first; s <= piece.last; ++s) {
      found_.insert(found_.end(), at_step_[s].begin(), at_step_[s].end());
    }
    std::ranges::sort(found_, {}, &Piece::offset);
    const auto brief = std::ssize(found_);
    found_.insert(found_.end(), lasting_.begin(), lasting_.end());
    std::ranges::inplace_merge(found_, found_.begin() + brief, {}, &Piece::offset);
    return found_;
  }

 private:
  /// Most pieces are used up within a few steps.
  [[nodiscard]] bool is_brief(const Piece& piece) const {
    constexpr std::size_t kFewSteps = 64;
    return piece.last < at_step_.size() && piece.last - piece.first < kFewSteps;
  }
  static void insert_by_offset(const Piece* piece, std::vector<const Piece*>& to) {
    to.insert(std::ranges::upper_bound(to, piece->offset, {}, &Piece::offset), piece);
  }

  std::vector<const Piece*> all_;                   ///< by offset
  std::vector<const Piece*> lasting_;               ///< those of them that are not brief
  std::vector<std::vector<const Piece*>> at_step_;  ///< the brief ones, by each step of their life
  std::vector<const Piece*> found_;
};

class Placer {
 public:
  explicit Placer(Plan& plan) : plan_(plan), pieces_(plan.buffers.size()) {
    for (std::size_t b = 0; b < pieces_.size(); ++b) {
      pieces_[b].bytes = (plan.buffers[b].bytes + kAlignment - 1) / kAlignment * kAlignment;
    }
  }

  void run() {
    find_lifetimes();
    share_places();
    std::vector<Piece*> pieces;
    for (std::size_t b = 0; b < pieces_.size(); ++b) {
      if (plan_.buffers[b].kind == Buffer::Kind::kArena && pieces_[b].first != kForever) {
        pieces.push_back(&pieces_[b]);
      }
    }
    std::vector<Piece> scratch;
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      const std::size_t bytes = plan_.steps[s].kernel->scratch_bytes();
      scratch.push_back(
          {.bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment, .first = s, .last = s});
    }
    for (Piece& each : scratch) pieces.push_back(&each);
    std::erase_if(pieces, [](const Piece* p) { return p->bytes == 0; });  // most scratch memory
    plan_.arena_bytes = pack(pieces);
    for (std::size_t b = 0; b < pieces_.size(); ++b) {
      if (plan_.buffers[b].kind == Buffer::Kind::kArena)
        plan_.buffers[b].offset = pieces_[b].offset;
    }
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      plan_.steps[s].scratch_offset = scratch[s].offset;
    }
  }

 private:
  /// The buffer whose bytes `buffer` is part of.
  BufferId root(BufferId buffer) const {
    while (plan_.buffers[buffer].kind == Buffer::Kind::kView) buffer = plan_.buffers[buffer].index;
    return buffer;
  }

  void find_lifetimes() {
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      const auto touch = [&](BufferId buffer) {
        Piece& piece = pieces_[root(buffer)];
        piece.first = std::min(piece.first, s);
        piece.last = std::max(piece.last, s);
      };
      std::ranges::for_each(plan_.steps[s].inputs, touch);
      std::ranges::for_each(plan_.steps[s].outputs, touch);
    }
    for (const Target& target : plan_.targets) pieces_[root(target.buffer)].last = kForever;
  }

  /// Results that lie where an operand lay.
  void share_places() {
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      const Step& step = plan_.steps[s];
      if (!step.in_place) continue;
      const BufferId from = root(step.inputs[*step.in_place]);
      const BufferId to = step.outputs[0];
      const auto uses =
          std::ranges::count_if(step.inputs, [&](BufferId input) { return root(input) == from; });
      const bool possible = plan_.buffers[from].kind == Buffer::Kind::kArena && uses == 1 &&
                            plan_.buffers[to].kind == Buffer::Kind::kArena &&
                            pieces_[from].last == s && pieces_[from].bytes == pieces_[to].bytes;
      check(possible || !step.accumulates, "the operand that a step adds to is still needed");
      if (!possible) continue;
      pieces_[from].last = pieces_[to].last;
      plan_.buffers[to].kind = Buffer::Kind::kView;
      plan_.buffers[to].index = from;
      plan_.buffers[to].offset = 0;
    }
  }

  /// Largest first, each into the lowest gap that is free during its life. Returns the total.
  [[nodiscard]] std::size_t pack(std::vector<Piece*> pieces) const {
    std::ranges::stable_sort(pieces, std::greater<>(), [](const Piece* p) { return p->bytes; });
    PlacedPieces placed(plan_.steps.size());
    std::size_t total = 0;
    for (Piece* piece : pieces) {
      std::size_t offset = 0;
      for (const Piece* other : placed.around(*piece)) {
        const bool together = piece->first <= other->last && other->first <= piece->last;
        if (!together || other->offset + other->bytes <= offset) continue;
        if (other->offset >= offset + piece->bytes) break;
        offset = other->offset + other->bytes;
      }
      piece->offset = offset;
      total = std::max(total, offset + piece->bytes);
      placed.insert(piece);
    }
    return total;
  }

  Plan& plan_;
  std::vector<Piece> pieces_;
};

}  // namespace

void place_buffers(Plan& plan) { Placer(plan).run(); }

}  // namespace tvmq::exec
