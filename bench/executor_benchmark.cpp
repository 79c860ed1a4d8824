// How close a forward pass comes to the same layers run by oneDNN alone (onednn_alone.h), nothing
// between them (design.md 11: within 10 %). Batch 1, one thread.
//
// `ratio` is the program's time over theirs, `ratio_tapped` the same with every activation tapped
// by a function that reads nothing. All are measured in turns within one process, in time of this
// thread, best of all turns: the ratios hold on a busy machine.
//
// Integer/...: the same network quantized, against the float one (design.md 11: 2.5 on ResNet-50)
// and against its own layers in oneDNN's int8.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "exec/program.h"
#include "ir/infer_types.h"
#include "onednn_alone.h"
#include "relay/module_reader.h"
#include "relay/params.h"

namespace tvmq {
namespace {

namespace fs = std::filesystem;

struct Network {
  std::string name;
  ir::Graph graph;
  std::vector<ir::Tensor> inputs;
};

/// Nothing if the files are not there. Weights of the architectures are looked for in the folder
/// that the environment variable TVMQ_ARCHITECTURE_PARAMS names (architectures/make_params.py).
std::unique_ptr<Network> load(const std::string& name) {
  const fs::path shared = TVMQ_SHARED_DIR;
  fs::path json = shared / "models" / name / (name + ".json");
  fs::path params = shared / "models" / name / (name + ".params");
  if (!fs::exists(json)) {
    const char* folder = std::getenv("TVMQ_ARCHITECTURE_PARAMS");
    json = shared / "architectures" / (name + ".json");
    params = fs::path(folder == nullptr ? "" : folder) / (name + ".params");
  }
  if (!fs::exists(json) || !fs::exists(params)) return nullptr;
  auto network = std::make_unique<Network>();
  network->name = name;
  network->graph = relay::bind_params(relay::read_module(json).main(), relay::read_params(params));
  ir::infer_types(network->graph);
  for (const ir::NodeId input : network->graph.inputs()) {
    ir::Tensor tensor(ir::DType::kFloat32, network->graph[input].tensor_type().shape);
    float value = 0;
    for (float& each : tensor.mutable_data<float>()) {
      value = value < 1 ? value + 0.37F : value - 1.9F;
      each = value;
    }
    network->inputs.push_back(std::move(tensor));
  }
  return network;
}

/// Seconds of this thread: what others do on the machine does not count.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
template <class Work>
double seconds_of(Work&& work) {
  const double begin = thread_seconds();
  work();
  return thread_seconds() - begin;
}

std::vector<ir::NodeId> float_activations(const ir::Graph& graph) {
  std::vector<ir::NodeId> nodes;
  for (const ir::NodeId id : ir::post_order(graph, graph.output())) {
    const auto* type = std::get_if<ir::TensorType>(&graph[id].type);
    const bool activation = graph[id].is_call(ir::Op::kRelu) || graph[id].is_call(ir::Op::kClip) ||
                            graph[id].is_call(ir::Op::kAdd) ||
                            graph[id].is_call(ir::Op::kLeakyRelu);
    if (type != nullptr && type->dtype == ir::DType::kFloat32 && activation) nodes.push_back(id);
  }
  return nodes;
}

void run_network(benchmark::State& state, const std::string& name) {
  const std::unique_ptr<Network> network = load(name);
  if (network == nullptr) {
    state.SkipWithError("the model's files are not there");
    return;
  }
  const auto program = std::make_shared<const exec::Program>(network->graph);
  exec::Session session(program);
  const auto tapped = std::make_shared<const exec::Program>(
      network->graph, exec::ProgramOptions{.taps = float_activations(network->graph)});
  exec::Session tapped_session(tapped);
  OneDnnAlone alone(network->graph);
  double best = 1e9;
  double best_tapped = 1e9;
  double best_alone = 1e9;
  for (auto _ : state) {
    best = std::min(best, seconds_of([&] { session.run(network->inputs); }));
    best_tapped = std::min(best_tapped, seconds_of([&] {
                             tapped_session.run(network->inputs, [](const exec::TapView& view) {
                               benchmark::DoNotOptimize(view.elements.data());
                             });
                           }));
    best_alone = std::min(best_alone, seconds_of([&] { alone.run(); }));
  }
  state.counters["network_us"] = 1e6 * best;
  state.counters["tapped_us"] = 1e6 * best_tapped;
  state.counters["alone_us"] = 1e6 * best_alone;
  state.counters["ratio"] = best / best_alone;
  state.counters["ratio_tapped"] = best_tapped / best_alone;
  state.counters["arena_MB"] = static_cast<double>(program->arena_bytes()) / 1e6;
  state.counters["fallbacks"] = static_cast<double>(program->fallbacks().size());
}

/// Modules of the integer scheme, FOLDER/NAME/NAME.json, FOLDER from TVMQ_INTEGER_MODULES.
void run_integer(benchmark::State& state, const std::string& name) {
  const std::unique_ptr<Network> network = load(name);
  const char* folder = std::getenv("TVMQ_INTEGER_MODULES");
  const fs::path json = fs::path(folder == nullptr ? "" : folder) / name / (name + ".json");
  if (network == nullptr || !fs::exists(json)) {
    state.SkipWithError("the model's files are not there");
    return;
  }
  ir::Graph integer = relay::read_module(json).main();
  ir::infer_types(integer);
  exec::Session real_session(std::make_shared<const exec::Program>(network->graph));
  exec::Session integer_session(std::make_shared<const exec::Program>(integer));
  OneDnnAlone alone(integer);
  double best = 1e9;
  double best_integer = 1e9;
  double best_alone = 1e9;
  for (auto _ : state) {
    best = std::min(best, seconds_of([&] { real_session.run(network->inputs); }));
    best_integer =
        std::min(best_integer, seconds_of([&] { integer_session.run(network->inputs); }));
    best_alone = std::min(best_alone, seconds_of([&] { alone.run(); }));
  }
  state.counters["float_us"] = 1e6 * best;
  state.counters["integer_us"] = 1e6 * best_integer;
  state.counters["alone_us"] = 1e6 * best_alone;
  state.counters["speedup"] = best / best_integer;
  state.counters["ratio"] = best_integer / best_alone;
}

void register_all() {
  for (const char* name :
       {"resnet18", "resnet50", "vgg16", "mobilenet_v2", "efficientnet_b0", "squeezenet1.1",
        "shufflenet_v2_x1_0", "densenet121", "mobilenet_v1_0.25", "resnet20"}) {
    benchmark::RegisterBenchmark(fmt::format("Integer/{}", name).c_str(),
                                 [=](benchmark::State& state) { run_integer(state, name); })
        ->Unit(benchmark::kMillisecond)
        ->MinTime(1);
  }
  for (const char* name :
       {"squeezenet1.1", "tinydarknet", "mobilenet_v1_0.25", "resnet20", "mobilenet_v2_cifar10",
        "efficientnet_b0_cifar10", "resnet50", "mobilenet_v2", "mobilenet_v3_large", "googlenet",
        "inception_v3", "densenet121", "shufflenet_v2_x1_0", "vgg16", "efficientnet_b0"}) {
    benchmark::RegisterBenchmark(fmt::format("Network/{}", name).c_str(),
                                 [=](benchmark::State& state) { run_network(state, name); })
        ->Unit(benchmark::kMillisecond)
        ->MinTime(1);
  }
}

}  // namespace
}  // namespace tvmq

int main(int argc, char** argv) {
  omp_set_num_threads(1);  // oneDNN alone would take all
  tvmq::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
