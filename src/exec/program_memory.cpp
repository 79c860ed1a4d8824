#include <algorithm>
#include <limits>

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
  static std::size_t pack(std::vector<Piece*> pieces) {
    std::ranges::stable_sort(pieces, std::greater<>(), [](const Piece* p) { return p->bytes; });
    std::vector<const Piece*> placed;  // by offset
    std::size_t total = 0;
    for (Piece* piece : pieces) {
      std::size_t offset = 0;
      for (const Piece* other : placed) {
        const bool together = piece->first <= other->last && other->first <= piece->last;
        if (!together || other->offset + other->bytes <= offset) continue;
        if (other->offset >= offset + piece->bytes) break;
        offset = other->offset + other->bytes;
      }
      piece->offset = offset;
      total = std::max(total, offset + piece->bytes);
      placed.insert(
          std::ranges::upper_bound(placed, offset, {}, [](const Piece* p) { return p->offset; }),
          piece);
    }
    return total;
  }

  Plan& plan_;
  std::vector<Piece> pieces_;
};

}  // namespace

void place_buffers(Plan& plan) { Placer(plan).run(); }

}  // namespace tvmq::exec
