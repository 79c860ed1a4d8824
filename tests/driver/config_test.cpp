#include "driver/config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "driver/config_keys.h"

namespace tvmq::driver {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

constexpr std::string_view kModel =
    "<Model><Name>net</Name><ModelJson>a.json</ModelJson><WeightsParams>b.params</WeightsParams>"
    "</Model>";

/// A Config with these lines inside Dataset and QuantizationParameters, which start at lines 4
/// and 6.
std::string config_xml(std::string_view dataset, std::string_view quantization = "",
                       std::string_view model = kModel) {
  return fmt::format(
      "<Configs>\n<Config>\n{}\n<Dataset>\n{}</Dataset><QuantizationParameters>\n{}"
      "</QuantizationParameters>\n</Config>\n</Configs>\n",
      model, dataset, quantization);
}

Config parse_one(const std::string& xml) {
  const std::vector<ParsedConfig> configs = parse_configs(xml, "c.xml");
  EXPECT_EQ(configs.size(), 1);
  EXPECT_EQ(configs[0].error, "");
  return configs[0].config.value_or(Config{});
}

std::string error_of(const std::string& xml) {
  try {
    const std::vector<ParsedConfig> configs = parse_configs(xml, "c.xml");
    EXPECT_EQ(configs.size(), 1);
    EXPECT_EQ(configs[0].config.has_value(), configs[0].error.empty());
    return configs[0].error;
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(Config, EmptyElementsMeanTheDefaults) {
  Config expected;
  expected.model = {.name = "net", .model_json = "a.json", .weights_params = "b.params"};
  expected.dataset.path = "images";
  EXPECT_EQ(parse_one(config_xml("<Path>images</Path>")), expected);

  std::string dataset = "<Path>images</Path>";
  std::string quantization;
  for (const ConfigKey& key : config_reference()) {
    if (key.group == "Model" || key.key == "Path") continue;
    (key.group == "Dataset" ? dataset : quantization) += fmt::format("<{0}></{0}>\n", key.key);
  }
  EXPECT_EQ(parse_one(config_xml(dataset, quantization)), expected);
}

TEST(Config, TheTablesDefaultsAreThoseOfTheMembers) {
  for (const KeyRow& row : config_keys()) {
    if (row.key.fallback.empty()) continue;
    Config config;
    EXPECT_TRUE(row.set(config, row.key.fallback)) << row.key.key;
    if (row.key.key == "Mean" || row.key.key == "Std") {
      EXPECT_EQ(config.dataset.mean.size() + config.dataset.std.size(), 6);
    }
    EXPECT_EQ(config, Config{}) << row.key.key;
  }
}

TEST(Config, ReadsEveryKey) {
  const Config config = parse_one(config_xml(
      "<Name>ImageNet</Name><Path>images</Path><Mean>[123.675, 116.28, 103.53]</Mean><Std>(2)</Std>"
      "<ImageResolution>320, 240</ImageResolution><BatchSize>4</BatchSize><Layout>NHWC</Layout>"
      "<Normalization>true</Normalization><ChannelSwap>[0, 1, 2]</ChannelSwap>",
      "<CalibSamples>10</CalibSamples><CalibMode>kl_divergence</CalibMode>"
      "<WeightsScale>power2</WeightsScale><GlobalScale>4</GlobalScale><DtypeInput>int16</"
      "DtypeInput>"
      "<DtypeWeight>int16</DtypeWeight><DtypeActivation>int16</DtypeActivation>"
      "<PartitionConversions>fully_integral</PartitionConversions>"
      "<OutputDirectory> out dir </OutputDirectory><Scheme>tvm</Scheme><TvmOptLevel>3</TvmOptLevel>"
      "<InputName>data</InputName><Seed>0</Seed><SkipConvLayers>[]</SkipConvLayers>"
      "<SkipDenseLayer>0</SkipDenseLayer><ActivationBits>12</ActivationBits>"
      "<WeightBits>16</WeightBits><CalibrationCache>cache.json</CalibrationCache>"));
  EXPECT_EQ(config.dataset.name, "ImageNet");
  EXPECT_THAT(config.dataset.mean, ElementsAre(123.675, 116.28, 103.53));
  EXPECT_THAT(config.dataset.std, ElementsAre(2));
  EXPECT_EQ(config.dataset.image_resolution, (std::array<std::int64_t, 2>{320, 240}));
  EXPECT_EQ(config.dataset.batch_size, 4);
  EXPECT_EQ(config.dataset.layout, "NHWC");
  EXPECT_TRUE(config.dataset.normalization);
  EXPECT_THAT(config.dataset.channel_swap, ElementsAre(0, 1, 2));
  const QuantizationConfig& quantization = config.quantization;
  EXPECT_EQ(quantization.calib_samples, 10);
  EXPECT_EQ(quantization.calib_mode, CalibMode::kKlDivergence);
  EXPECT_EQ(quantization.weights_scale, WeightsScale::kPower2);
  EXPECT_EQ(quantization.global_scale, 4.0);
  EXPECT_EQ(quantization.dtype_input, ir::DType::kInt16);
  EXPECT_EQ(quantization.dtype_weight, ir::DType::kInt16);
  EXPECT_EQ(quantization.dtype_activation, ir::DType::kInt16);
  EXPECT_EQ(quantization.partition_conversions, PartitionConversions::kFullyIntegral);
  EXPECT_EQ(quantization.output_directory, "out dir");
  EXPECT_EQ(quantization.tvm_opt_level, 3);
  EXPECT_EQ(quantization.input_name, "data");
  EXPECT_EQ(quantization.seed, 0);
  EXPECT_THAT(quantization.skip_conv_layers, Optional(IsEmpty()));
  EXPECT_EQ(quantization.skip_dense_layer, false);
  EXPECT_EQ(quantization.activation_bits, 12);
  EXPECT_EQ(quantization.weight_bits, 16);
  EXPECT_EQ(quantization.calibration_cache, "cache.json");
}

TEST(Config, WideLayersAreChosenNamedOrNone) {
  const auto wide = [](const std::string& text) {
    return parse_one(config_xml("<Path>p</Path>", "<WideLayers>" + text + "</WideLayers>"))
        .quantization.wide_layers;
  };
  EXPECT_EQ(wide("auto"), std::nullopt);
  EXPECT_EQ(wide(""), std::nullopt);
  EXPECT_THAT(wide("none"), Optional(IsEmpty()));
  EXPECT_THAT(wide("nn.dense*, 'stem'"), Optional(ElementsAre("nn.dense*", "stem")));
}

TEST(Config, SaysWhatIsWrongAndWhere) {
  const std::string path = "<Path>p</Path>\n";
  struct Case {
    std::string xml;
    std::string_view message;
  };
  const auto dataset = [&](std::string_view text) { return config_xml(path + std::string(text)); };
  const auto quantization = [&](std::string_view text) { return config_xml(path, text); };
  const auto named = [&](std::string_view name) {
    return config_xml(path, "",
                      fmt::format("<Model><Name>{}</Name><ModelJson>a</ModelJson>"
                                  "<WeightsParams>b</WeightsParams></Model>",
                                  name));
  };
  const Case cases[] = {
      {dataset("<BatchSize>x</BatchSize>"),
       "c.xml:6: Dataset/BatchSize: found 'x', expected a whole number from 1 to 65536"},
      {dataset("<BatchSize>0</BatchSize>"), "found '0'"},
      {dataset("<Batchsize>1</Batchsize>"),
       "c.xml:6: Dataset/Batchsize: unknown key, did you mean BatchSize?"},
      {dataset("<CalibMode>mse</CalibMode>"), "it belongs in QuantizationParameters"},
      {dataset("<Mean>1, 2</Mean>"), "found '1, 2', expected a list of 1 or 3 numbers"},
      {dataset("<Std>1, 1, 0</Std>"), "greater than 0"},
      {dataset("<Std>1e-60</Std>"), "greater than 0"},
      {dataset("<ImageResolution>224</ImageResolution>"), "a list of 2 whole numbers"},
      {dataset("<Layout>NCHH</Layout>"), "found 'NCHH', expected an order of the letters N, C, H"},
      {dataset("<Normalization>on</Normalization>"), "found 'on', expected True or False"},
      {dataset("<ChannelSwap>2, 1, 1</ChannelSwap>"), "a list of 0, 1 and 2 in any order"},
      {dataset("<Layout>NCHW</Layout>\n<Layout>NCHW</Layout>"),
       "c.xml:7: Dataset/Layout: this key is there already, at line 6"},
      {dataset("<Layout><b/></Layout>"), "found an element 'b'"},
      {dataset("<Layout unit='x'>NCHW</Layout>"), "found attributes"},
      {dataset("stray"), "c.xml:4: Dataset: found text 'stray'"},
      {quantization("<CalibMode>kl</CalibMode>"),
       "c.xml:7: QuantizationParameters/CalibMode: found 'kl', expected kl_divergence, "
       "global_scale, "
       "percentile, minmax or mse"},
      {quantization("<Scheme>fast</Scheme>"), "integer"},
      {quantization("<Scheme>best</Scheme>"), "found 'best', expected integer or tvm"},
      {quantization("<WeightGranularity>1</WeightGranularity>"), "per_channel or per_tensor"},
      {quantization("<Target>cuda</Target>"),
       "found 'cuda', expected llvm with -mcpu and -mattr as in TVM"},
      {quantization("<GlobalScale>0</GlobalScale>"), "a number greater than 0"},
      {quantization("<TvmOptLevel>4</TvmOptLevel>"), "2 or 3"},
      {quantization("<Seed>-1</Seed>"), "a whole number from 0"},
      {quantization("<ActivationBits>9</ActivationBits>"),
       "found 9 bits, expected at most 8 for DtypeInput int8"},
      {named(".."), "Model/Name: found '..', expected a file name"},
      {named("a/b"), "file name without path separators"},
      {named("a\\b"), "file name without path separators"},
      {named(""), "Model/Name: found nothing"},
      {named("<![CDATA[../x]]>"), "found '../x'"},
      {config_xml(path, "", "<Model>\n<Name>n</Name><ModelJson>a</ModelJson></Model>"),
       "c.xml:3: Model: the key WeightsParams is missing"},
      {config_xml(path, "", ""), "c.xml:2: Config: the section Model is missing"},
      {config_xml(""), "c.xml:4: Dataset: the key Path is missing"},
      {config_xml(path, "", std::string(kModel) + "<Modle/>"), "did you mean Model?"},
      {config_xml(path, "", std::string(kModel) + "<Model/>"),
       "Model: this section is there already"},
      {"", "not well-formed"},
      {"<a><b></a>", "c.xml:1: the XML is not well-formed"},
      {"<Configs/>", "found no Config in the root element 'Configs'"},
      {"<Configs></Configs><Configs/>", "second root"},
      {"<Configs><Confg/></Configs>", "c.xml:1: found an element 'Confg', expected Config"},
      {std::string("\xff\xfe<\0", 4), "UTF-16"},
  };
  for (const Case& row : cases) EXPECT_THAT(error_of(row.xml), HasSubstr(row.message)) << row.xml;
}

TEST(Config, CollectsEveryMistakeOfAConfig) {
  EXPECT_EQ(error_of(config_xml("<Path>p</Path>\n<BatchSize>x</BatchSize>\n<Foo/>\n")),
            "c.xml:6: Dataset/BatchSize: found 'x', expected a whole number from 1 to 65536\n"
            "c.xml:7: Dataset/Foo: unknown key, did you mean Std?");
}

TEST(Config, GlobalScaleNeedsNoImages) {
  EXPECT_EQ(parse_one(config_xml("", "<CalibMode>global_scale</CalibMode>")).dataset.path, "");
}

TEST(Config, AMistakeInOneConfigLeavesTheOthers) {
  const auto config = [](std::string_view name, std::string_view extra) {
    return fmt::format(
        "<Config><Model><Name>{}</Name><ModelJson>a</ModelJson><WeightsParams>b"
        "</WeightsParams></Model><Dataset><Path>p</Path></Dataset>"
        "<QuantizationParameters>{}</QuantizationParameters></Config>\n",
        name, extra);
  };
  const std::vector<ParsedConfig> configs =
      parse_configs("<Any>\n" + config("a", "") + config("b", "<Oops/>") + config("c", "") +
                        config("a", "<OutputDirectory>./</OutputDirectory>") +
                        config("a", "<OutputDirectory>elsewhere</OutputDirectory>") + "</Any>",
                    "c.xml");
  ASSERT_EQ(configs.size(), 5);
  EXPECT_EQ(configs[0].title, "a");
  EXPECT_TRUE(configs[0].config);
  EXPECT_THAT(configs[1].error, HasSubstr("c.xml:3: QuantizationParameters/Oops"));
  EXPECT_EQ(configs[1].title, "b");
  EXPECT_EQ(configs[1].line, 3);
  EXPECT_TRUE(configs[2].config);
  EXPECT_THAT(configs[3].error, HasSubstr("c.xml:5: Config: its output files 'a' are those of the "
                                          "Config at line 2"));
  EXPECT_TRUE(configs[4].config);
}

TEST(Config, TheRootMayBeTheConfigItself) {
  const std::string sections = std::string(kModel) +
                               "<Dataset><Path>p</Path></Dataset>"
                               "<QuantizationParameters/>";
  for (const char* root : {"Config", "Whatever"}) {
    EXPECT_EQ(parse_one(fmt::format("<?xml version='1.0'?>\n<!-- a -->\n<{}>{}</{}>", root,
                                    sections, root))
                  .model.name,
              "net");
  }
}

TEST(Config, ReadsTheExample) {
  const auto file = std::filesystem::path(TVMQ_SHARED_DIR) / "example/shapes/config.xml";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  const std::vector<ParsedConfig> configs = read_configs(file);
  ASSERT_EQ(configs.size(), 1);
  ASSERT_TRUE(configs[0].config) << configs[0].error;
  EXPECT_EQ(configs[0].config->model.name, "shapes");
  EXPECT_EQ(configs[0].config->quantization.calib_samples, 64);
}

TEST(Config, SurvivesHostileXml) {
  // Entities of a document type are not expanded.
  const std::string bomb =
      "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;&x;&x;&x;&x;&x;\">]>\n" +
      config_xml("<Path>&y;&y;</Path>");
  EXPECT_EQ(parse_one(bomb).dataset.path, "&y;&y;");
  // Deep nesting costs no stack.
  std::string deep = "<Configs>";
  for (int i = 0; i < 200'000; ++i) deep += "<Config>";
  EXPECT_THAT(error_of(deep), HasSubstr("not well-formed"));
  for (int i = 0; i < 200'000; ++i) deep += "</Config>";
  EXPECT_THAT(error_of(deep + "</Configs>"), HasSubstr("unknown section"));
}

TEST(Config, DamagedBytesNeverCrash) {
  const std::string whole =
      config_xml("<Path>p</Path>\n<Mean>[1, 2, 3]</Mean>",
                 "<CalibMode>mse</CalibMode><SkipConvLayers>[0]</SkipConvLayers>");
  for (std::size_t length = 0; length < whole.size() - 1; ++length) {
    EXPECT_NE(error_of(whole.substr(0, length)), "") << length;
  }
  std::mt19937 random(3);  // NOLINT(cert-msc51-cpp): the same cases in every run
  int failed = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = whole;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    try {
      for (const ParsedConfig& config : parse_configs(damaged, "c.xml")) {
        failed += config.error.empty() ? 0 : 1;
      }
    } catch (const InputError&) {
      ++failed;
    }
  }
  EXPECT_GT(failed, 1000);
}

TEST(Config, ResolvesFromTheWorkingDirectoryThenBesideTheConfiguration) {
  const std::filesystem::path folder = ::testing::TempDir() + "/tvmq_resolve";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "model.json") << "{}";
  EXPECT_EQ(resolve("model.json", folder / "c.xml"), folder / "model.json");
  EXPECT_EQ(resolve(folder / "model.json", "elsewhere/c.xml"), folder / "model.json");
  const std::filesystem::path relative = std::filesystem::relative(folder / "model.json");
  EXPECT_EQ(resolve(relative, "/nowhere/c.xml"), relative);
  for (const std::filesystem::path& missing :
       {std::filesystem::path("no.json"), folder / "no.json"}) {
    EXPECT_THROW(resolve(missing, folder / "c.xml"), InputError);
  }
  std::filesystem::remove_all(folder);
}

TEST(Config, TheReferenceForUsersListsEveryKeyAsItIs) {
  const std::string page =
      read_file(std::filesystem::path(TVMQ_TESTS_DIR) / "../docs/configuration.md");
  std::string missing;
  for (const ConfigKey& key : config_reference()) {
    const std::string fallback = key.required           ? "required"
                                 : key.fallback.empty() ? "none"
                                                        : fmt::format("`{}`", key.fallback);
    const std::string row =
        fmt::format("| `{}` | {} | {} | {} |\n", key.key, key.values, fallback, key.meaning);
    if (page.find(row) == std::string::npos) missing += row;
  }
  EXPECT_EQ(missing, "") << "rows that docs/configuration.md should have";
}

TEST(Config, FuzzingStartsFromEveryKey) {
  const std::string seed =
      read_file(std::filesystem::path(TVMQ_TESTS_DIR) / "../fuzz/corpus/config/every_key.xml");
  const std::vector<ParsedConfig> parsed = parse_configs(seed, "every_key.xml");
  EXPECT_TRUE(parsed.at(0).config) << parsed.at(0).error;
  for (const ConfigKey& key : config_reference()) {
    EXPECT_NE(seed.find(fmt::format("<{}>", key.key)), std::string::npos) << key.key;
  }
}

}  // namespace
}  // namespace tvmq::driver
