// Which layers of an integer network matter most, and what would help each: an input of 16 bits, or
// floating point.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "driver/calibrated_network.h"

namespace tvmq::driver {

/// How a layer is more exact.
enum class Kept : std::uint8_t { kWide, kFloat };

/// A layer that works on integers and need not, or not on 8 bits.
struct RankedLayer {
  std::string name;
  double macs = 0;                     ///< share of the network's, 0..1
  bool is_wide = false;                ///< has 16 bits from the start
  double alone_db = 0;                 ///< SQNR with this layer alone in floating point
  std::optional<double> wide_db = {};  ///< ... with 16 bits for it alone; nothing: not possible
  Kept kept = Kept::kFloat;            ///< how it is to be more exact
};

/// The layers that work on integers, in order, not ranked yet.
std::vector<RankedLayer> integer_layers(const CalibratedNetwork& network);

/// The network with these layers more exact, biases as they are.
using MakeMoreExact = std::function<CalibratedNetwork(const MoreExactLayers& layers)>;
/// The SQNR of the worst output, on few images: it is asked for twice per layer.
using MeasureSqnr = std::function<double(const CalibratedNetwork& network)>;

/// Measures each layer by itself, chooses how it is to be more exact, and puts the one with the
/// most to gain first.
void rank_layers(const CalibratedNetwork& network, const MakeMoreExact& more_exact,
                 const MeasureSqnr& measure, std::vector<RankedLayer>& layers, Log& log);

}  // namespace tvmq::driver
