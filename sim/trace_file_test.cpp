#include "sim/trace_file.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "sim/digest.h"
#include "sim/random.h"
#include "sim/simulation.h"
#include "sim/test_trace.h"
#include "sim/trace_columns.h"

namespace polarsim::sim {
namespace {

// Events with extreme and random fields; several blocks of them.
Trace random_trace(std::uint64_t seed, std::size_t count, std::size_t capacity = 1'000'000) {
  Trace trace{TraceOptions{true, capacity}};
  RandomStream random("trace", seed, nullptr);
  const auto number = [&random]() -> std::uint64_t {
    const std::uint64_t bits = random.below(65);
    return bits == 0 ? 0 : random.next() >> (64 - bits);
  };
  TraceId last = 0;
  for (std::size_t i = 0; i < count; ++i) {
    TraceRecord event;
    event.time = Time(Duration(static_cast<std::int64_t>(number())));
    event.kind = static_cast<TraceKind>(random.below(trace_kinds));
    event.verb = static_cast<TraceVerb>(random.below(trace_verbs));
    event.host = trace.name("host" + std::to_string(random.below(10)));
    event.name = trace.name(random.below(10) == 0 ? "name" + std::to_string(i) : "name");
    event.parent = last == 0 ? 0 : random.below(last + 1);
    event.task = number();
    event.a = number();
    event.b = number();
    std::string text(random.below(4) == 0 ? random.below(200) : 0, '\0');
    for (char& byte : text) byte = static_cast<char>(random.below(256));
    last = trace.record(event, text);
  }
  return trace;
}

std::string file_of(const Trace& trace) {
  std::ostringstream out;
  EXPECT_TRUE(write_trace(out, trace));
  return out.str();
}

tl::expected<TraceFile, TraceFileError> parse(const std::string& bytes) {
  std::istringstream in(bytes);
  return read_trace(in, "trace.bin");
}

std::string problem_of(const std::string& bytes) {
  const auto read = parse(bytes);
  return read ? "none" : read.error().message();
}

TEST(TraceFile, WhatIsWrittenIsRead) {
  for (const std::size_t count : {0u, 1u, 100u, 4096u, 10'000u}) {
    const Trace trace = random_trace(count, count);
    const auto read = parse(file_of(trace));
    ASSERT_TRUE(read.has_value()) << read.error().message();
    EXPECT_EQ(read->dropped, 0u);
    EXPECT_TRUE(read->events == trace.events());
  }
}

TEST(TraceFile, TheRingKeepsItsNumbersAndSaysWhatItDropped) {
  const Trace trace = random_trace(1, 20'000, 5'000);
  const auto read = parse(file_of(trace));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->dropped, 15'000u);
  ASSERT_EQ(read->events.size(), 5'000u);
  EXPECT_EQ(read->events.front().id, 15'001u);
  EXPECT_TRUE(read->events == trace.events());
}

TEST(TraceFile, AStreamHoldsEveryEventOfARunWhateverTheRingKeeps) {
  Simulation whole(traced(true));
  run_traced_world(whole);

  std::ostringstream out;
  TraceFileWriter writer(out);
  Simulation streamed(traced(true, 3));
  streamed.trace().stream_to(&writer);
  run_traced_world(streamed);
  streamed.trace().flush();
  streamed.trace().flush();
  EXPECT_TRUE(writer.finish());
  EXPECT_EQ(streamed.trace().size(), 3u);
  const auto read = parse(out.str());
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_TRUE(read->events == whole.trace().events());
  EXPECT_EQ(writer.events(), read->events.size());
  EXPECT_EQ(writer.bytes(), out.str().size());
}

TEST(TraceFile, LongStreamsGoOutBlockByBlock) {
  std::ostringstream out;
  TraceFileWriter writer(out);
  Trace trace{TraceOptions{true, 10}};
  trace.stream_to(&writer);
  for (int i = 0; i < 10'000; ++i) trace.add(time_zero, TraceKind::log, "a", std::to_string(i));
  EXPECT_EQ(writer.events(), 8192u);
  trace.flush();
  for (int i = 10'000; i < 10'005; ++i) trace.add(time_zero, TraceKind::log, "a", std::to_string(i));
  trace.flush();
  EXPECT_TRUE(writer.finish());
  const auto read = parse(out.str());
  ASSERT_TRUE(read.has_value()) << read.error().message();
  ASSERT_EQ(read->events.size(), 10'005u);
  for (std::size_t i = 0; i < read->events.size(); ++i) ASSERT_EQ(read->events[i].text, std::to_string(i));
}

TEST(TraceFile, SaysWhereItIsWrong) {
  const std::string good = file_of(random_trace(3, 9'000));
  EXPECT_EQ(problem_of(good), "none");
  EXPECT_EQ(problem_of(""), "trace.bin: at byte 0: not a trace of polarsim");
  EXPECT_EQ(problem_of("{\"events\": []}"), "trace.bin: at byte 0: not a trace of polarsim");
  EXPECT_EQ(problem_of(good.substr(0, 20)), "trace.bin: at byte 20: the file ends within its header");
  EXPECT_EQ(problem_of(good.substr(0, 32)), "trace.bin: at byte 32: the file ends without its end mark");
  EXPECT_EQ(problem_of(good.substr(0, 40)), "trace.bin: at byte 40: the file ends within a block");
  EXPECT_EQ(problem_of(good.substr(0, 1000)), "trace.bin: at byte 1000: the file ends within a block");
  EXPECT_EQ(problem_of(good.substr(0, good.size() - 48)).substr(0, 18), "trace.bin: at byte");
  EXPECT_EQ(problem_of(good + "x"), "trace.bin: at byte " + std::to_string(good.size()) + ": bytes after the end mark");
  std::string newer = good;
  newer[16] = 2;
  EXPECT_EQ(problem_of(newer), "trace.bin: at byte 16: the header is damaged");
  const std::uint64_t hash = stable_hash(std::string_view(newer).substr(0, 24));
  for (std::size_t i = 0; i < 8; ++i) newer[24 + i] = static_cast<char>(hash >> (8 * i));
  EXPECT_EQ(problem_of(newer), "trace.bin: at byte 16: version 2, of which this build knows only 1");
  std::string damaged = good;
  damaged[100] = static_cast<char>(damaged[100] ^ 1);
  EXPECT_EQ(problem_of(damaged), "trace.bin: at byte 64: the block's bytes are damaged");
  damaged = good;
  damaged[40] = static_cast<char>(damaged[40] ^ 1);
  EXPECT_EQ(problem_of(damaged), "trace.bin: at byte 32: a block's head is damaged or out of place");
}

TEST(TraceFile, WholeBlocksBeforeTheDamageAreSalvaged) {
  const Trace trace = random_trace(4, 9'000);
  std::string bytes = file_of(trace);
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 4);
  std::istringstream in(bytes);
  const SalvagedTrace salvaged = salvage_trace(in, "trace.bin");
  ASSERT_TRUE(salvaged.damage.has_value());
  ASSERT_EQ(salvaged.trace.events.size(), 8192u);
  const std::vector<TraceEvent> all = trace.events();
  EXPECT_TRUE(std::equal(salvaged.trace.events.begin(), salvaged.trace.events.end(), all.begin()));
}

TEST(TraceFile, AnErrorStays) {
  std::istringstream in("not a trace");
  TraceFileReader reader(in, "x");
  std::vector<TraceEvent> events;
  const auto first = reader.next(events);
  const auto second = reader.next(events);
  ASSERT_FALSE(first || second);
  EXPECT_EQ(first.error().message(), second.error().message());
}

TEST(TraceFile, WhatCannotBeWrittenIsSaid) {
  std::ostringstream out;
  TraceFileWriter writer(out);
  random_trace(5, 100).copy_to(writer);
  out.setstate(std::ios::badbit);
  EXPECT_FALSE(writer.finish());
}

// --- fuzzing: whatever the bytes, an error or the truth, never a crash ---

TEST(TraceFileFuzz, EveryTruncationIsNoticed) {
  const std::string good = file_of(random_trace(6, 300));
  for (std::size_t length = 0; length < good.size(); ++length) {
    std::istringstream in(good.substr(0, length));
    const auto read = read_trace(in, "t");
    ASSERT_FALSE(read.has_value()) << length;
    ASSERT_LE(read.error().offset, length);
  }
}

TEST(TraceFileFuzz, EveryFlippedBitIsNoticed) {
  const std::string good = file_of(random_trace(7, 60));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(parse(damaged).has_value()) << bit;
  }
}

TEST(TraceFileFuzz, MissingRepeatedAndSwappedBlocksAreNoticed) {
  const std::string good = file_of(random_trace(8, 9'000));
  std::vector<std::string> frames;
  for (std::size_t at = 32; at < good.size();) {
    std::size_t packed = 0;
    for (std::size_t i = 0; i < 4; ++i) packed |= std::size_t{static_cast<std::uint8_t>(good[at + 12 + i])} << (8 * i);
    frames.push_back(good.substr(at, 32 + packed));
    at += 32 + packed;
  }
  ASSERT_EQ(frames.size(), 4u);
  const std::string header = good.substr(0, 32);
  EXPECT_TRUE(parse(header + frames[0] + frames[1] + frames[2] + frames[3]).has_value());
  EXPECT_FALSE(parse(header + frames[0] + frames[2] + frames[3]).has_value());
  EXPECT_FALSE(parse(header + frames[0] + frames[0] + frames[1] + frames[2] + frames[3]).has_value());
  EXPECT_FALSE(parse(header + frames[1] + frames[0] + frames[2] + frames[3]).has_value());
  EXPECT_FALSE(parse(header + frames[3]).has_value());
}

// Behind the hashes: the decoder meets damaged contents directly.
TEST(TraceFileFuzz, TheDecoderSurvivesAnyContents) {
  const Trace trace = random_trace(9, 50);
  struct Capture : TraceSink {
    std::string plain;
    void write(const std::deque<std::string>& names, const TraceBlock& block, std::size_t begin) override {
      encode_block(names, 1, block, begin, plain);
    }
  } capture;
  trace.copy_to(capture);
  RandomStream random("fuzz", 10, nullptr);
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string plain = capture.plain;
    const std::uint64_t changes = 1 + random.below(4);
    for (std::uint64_t i = 0; i < changes; ++i) {
      const std::uint64_t at = random.below(plain.size());
      const std::uint64_t what = random.below(3);
      if (what == 0) plain[at] = static_cast<char>(random.below(256));
      if (what == 1) plain[at] = static_cast<char>(plain[at] ^ (1 << random.below(8)));
      if (what == 2) plain.resize(at + 1);
    }
    std::vector<std::string> names{""};
    std::vector<TraceEvent> events;
    if (decode_block(plain, 50, 1, names, events) != nullptr) {
      ++refused;
      ASSERT_TRUE(events.empty());
      ASSERT_EQ(names.size(), 1u);
    } else {
      ASSERT_EQ(events.size(), 50u);
    }
  }
  EXPECT_GT(refused, 10'000u);
}

}  // namespace
}  // namespace polarsim::sim
