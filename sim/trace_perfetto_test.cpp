#include "sim/trace_perfetto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "sim/random.h"
#include "sim/test_trace.h"

namespace polarsim::sim {
namespace {

using nlohmann::json;

std::vector<json> exported(const std::vector<TraceEvent>& events) {
  std::ostringstream out;
  write_perfetto(out, events);
  // Strict: throws on malformed JSON and on bytes that are not UTF-8.
  const json document = json::parse(out.str());
  return document.at("traceEvents").get<std::vector<json>>();
}

std::vector<json> of_phase(const std::vector<json>& all, const std::string& phase) {
  std::vector<json> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found), [&](const json& e) { return e.at("ph") == phase; });
  return found;
}

TEST(TracePerfetto, AnEmptyTraceIsADocument) { EXPECT_TRUE(exported({}).empty()); }

TEST(TracePerfetto, EveryFlowHasABeginningAndAnEndOnSlices) {
  const std::vector<TraceEvent> events = traced_world();
  const std::vector<json> all = exported(events);
  std::map<std::uint64_t, json> begins, ends;
  for (const json& flow : of_phase(all, "s")) EXPECT_TRUE(begins.emplace(flow.at("id"), flow).second);
  for (const json& flow : of_phase(all, "f")) EXPECT_TRUE(ends.emplace(flow.at("id"), flow).second);
  const auto deliveries = std::count_if(events.begin(), events.end(),
                                        [](const TraceEvent& event) { return event.verb == TraceVerb::deliver; });
  EXPECT_GT(deliveries, 3);
  EXPECT_EQ(ends.size(), static_cast<std::size_t>(deliveries));
  ASSERT_EQ(begins.size(), ends.size());
  std::set<std::string> slices;
  for (const json& slice : of_phase(all, "X")) {
    slices.insert(slice.at("pid").dump() + "/" + slice.at("tid").dump() + "/" + slice.at("ts").dump());
  }
  for (const auto& [id, begin] : begins) {
    ASSERT_TRUE(ends.contains(id));
    const json& end = ends.at(id);
    EXPECT_LT(begin.at("ts").get<double>(), end.at("ts").get<double>());
    EXPECT_NE(begin.at("pid"), end.at("pid"));
    for (const json& point : {begin, end}) {
      EXPECT_TRUE(slices.contains(point.at("pid").dump() + "/" + point.at("tid").dump() + "/" + point.at("ts").dump()));
    }
  }
}

TEST(TracePerfetto, HostsAreProcessesTasksAreThreadsAndWaitsAreSlices) {
  const std::vector<json> all = exported(traced_world());
  std::map<json, std::string> processes;
  std::map<std::pair<json, json>, std::string> threads;
  for (const json& entry : of_phase(all, "M")) {
    const std::string name = entry.at("args").at("name");
    if (entry.at("name") == "process_name") processes[entry.at("pid")] = name;
    if (entry.at("name") == "thread_name") threads[{entry.at("pid"), entry.at("tid")}] = name;
  }
  std::set<std::string> hosts;
  for (const auto& [pid, name] : processes) hosts.insert(name);
  EXPECT_TRUE(hosts.contains("client") && hosts.contains("server"));
  double slept_us = 0, synced_us = 0;
  for (const json& event : all) {
    if (event.at("ph") == "M" || event.at("ph") == "C") continue;
    EXPECT_TRUE(processes.contains(event.at("pid")));
    EXPECT_TRUE(threads.contains({event.at("pid"), event.at("tid")}));
    if (event.at("ph") != "X") continue;
    const std::string thread = threads.at({event.at("pid"), event.at("tid")});
    if (event.at("name") == "sleep" && thread.ends_with("client/main")) {
      slept_us = std::max(slept_us, event.at("dur").get<double>());
    }
    if (event.at("name") == "sync") synced_us = event.at("dur");
  }
  EXPECT_EQ(slept_us, 1'000'000.0);
  EXPECT_GE(synced_us, 200.0);
  double in_flight = -1;
  for (const json& count : of_phase(all, "C")) {
    in_flight = count.at("args").at("bytes");
    EXPECT_GE(in_flight, 0.0);
  }
  EXPECT_GE(in_flight, 0.0);
}

TEST(TracePerfetto, TimesAreExactMicroseconds) {
  TraceEvent event{Time(Duration(1'234'567'890'123'456'789)), TraceKind::log, "h", "t"};
  std::ostringstream out;
  write_perfetto(out, {event});
  EXPECT_NE(out.str().find("\"ts\":1234567890123456.789,"), std::string::npos) << out.str();
}

TEST(TracePerfetto, OddBytesAreReplacedAndTheRestIsKept) {
  const std::pair<std::string, std::string> cases[] = {
      {"plain", "plain"},
      {std::string("quote\" back\\ nul\0 tab\t del\x7f", 26), std::string("quote\" back\\ nul\0 tab\t del\x7f", 26)},
      {"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x90\x98", "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x90\x98"},
      {"\xFF", "\xEF\xBF\xBD"},
      {"a\x80z", "a\xEF\xBF\xBDz"},
      {"\xC3", "\xEF\xBF\xBD"},                                                  // cut off
      {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // overlong
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // surrogate
      {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // past U+10FFFF
  };
  for (const auto& [text, shown] : cases) {
    const std::vector<json> all = exported({TraceEvent{time_zero, TraceKind::log, "h", text}});
    EXPECT_EQ(of_phase(all, "i").at(0).at("name").get<std::string>(), shown);
  }
}

TEST(TracePerfetto, AnyEventsMakeValidJson) {
  RandomStream random("perfetto", 1, nullptr);
  for (int round = 0; round < 200; ++round) {
    std::vector<TraceEvent> events;
    for (std::uint64_t id = 1 + random.below(3); id < 60; id += 1 + random.below(2)) {
      std::string text(random.below(20), '\0');
      for (char& byte : text) byte = static_cast<char>(random.below(256));
      TraceEvent event{Time(Duration(static_cast<std::int64_t>(random.next()))), TraceKind::log, text, text};
      event.kind = static_cast<TraceKind>(random.below(trace_kinds));
      event.verb = static_cast<TraceVerb>(random.below(trace_verbs));
      event.name = text;
      event.id = id;
      event.parent = random.below(id);
      event.task = random.below(5);
      event.a = random.next();
      event.b = random.next();
      events.push_back(std::move(event));
    }
    const std::vector<json> all = exported(events);
    EXPECT_EQ(of_phase(all, "s").size(), of_phase(all, "f").size());
  }
}

}  // namespace
}  // namespace polarsim::sim
