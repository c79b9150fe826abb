#include "sim/trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "sim/simulation.h"
#include "sim/sync.h"
#include "sim/test_trace.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Trace, IsSilentWhenOff) {
  Trace trace{TraceOptions{}};
  EXPECT_EQ(trace.add(time_zero, TraceKind::log, "a", "text"), 0u);
  EXPECT_EQ(trace.name("a"), 0u);
  EXPECT_EQ(trace.record({}), 0u);
  EXPECT_EQ(trace.size(), 0u);
  EXPECT_EQ(trace.dropped(), 0u);
}

TEST(Trace, KeepsTheNewestOfAnyNumberOfEvents) {
  for (const std::size_t capacity : {0u, 1u, 5u, 4096u, 5000u}) {
    Trace trace{TraceOptions{true, capacity}};
    for (std::uint64_t i = 1; i <= 20'000; ++i) {
      trace.add(Time(Duration(static_cast<std::int64_t>(i))), TraceKind::log, "host", std::to_string(i));
      ASSERT_EQ(trace.size(), std::min<std::uint64_t>(i, capacity));
      ASSERT_EQ(trace.size() + trace.dropped(), i);
    }
    const std::vector<TraceEvent> events = trace.events();
    ASSERT_EQ(events.size(), capacity);
    for (std::size_t i = 0; i < events.size(); ++i) {
      const std::uint64_t id = 20'000 - capacity + 1 + i;
      EXPECT_EQ(events[i].id, id);
      EXPECT_EQ(events[i].text, std::to_string(id));
      EXPECT_EQ(events[i].host, "host");
    }
  }
}

TEST(Trace, EventsDescendFromTheContextUnlessTheySayOtherwise) {
  Trace trace{TraceOptions{true, 100}};
  const TraceId first = trace.add(time_zero, TraceKind::log, "", "first");
  trace.set_context({first, 7});
  const TraceId second = trace.add(time_zero, TraceKind::log, "", "second");
  TraceRecord record;
  record.parent = first;
  record.task = 9;
  trace.set_cause(second);
  trace.record(record);
  const std::vector<TraceEvent> events = trace.events();
  EXPECT_EQ(events[0].parent, 0u);
  EXPECT_EQ(events[1].parent, first);
  EXPECT_EQ(events[1].task, 7u);
  EXPECT_EQ(events[2].parent, first);
  EXPECT_EQ(events[2].task, 9u);
}

class TracedRun : public ::testing::Test {
 protected:
  void SetUp() override { events = traced_world(); }
  const TraceEvent& parent(const TraceEvent& event) const { return events.at(event.parent - 1); }
  const TraceEvent& find(const std::string& text) const {
    const auto found =
        std::find_if(events.begin(), events.end(), [&](const TraceEvent& event) { return event.text == text; });
    EXPECT_NE(found, events.end()) << text;
    return *found;
  }
  std::vector<TraceEvent> events;
};

TEST_F(TracedRun, EveryParentComesBeforeItsChildren) {
  ASSERT_GT(events.size(), 50u);
  for (std::size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events[i].id, i + 1);
    ASSERT_LT(events[i].parent, events[i].id);
    if (events[i].parent != 0) {
      EXPECT_LE(parent(events[i]).time, events[i].time);
    }
  }
}

TEST_F(TracedRun, ADeliveryDescendsFromItsSendAndTheReaderFromTheDelivery) {
  std::size_t deliveries = 0;
  for (const TraceEvent& event : events) {
    if (event.verb != TraceVerb::deliver) continue;
    ++deliveries;
    EXPECT_EQ(parent(event).verb, TraceVerb::send);
    EXPECT_EQ(parent(event).a, event.a);
    EXPECT_EQ(parent(event).b, event.b);
    EXPECT_EQ(parent(event).name, event.name);
    EXPECT_NE(parent(event).host, event.host);
    EXPECT_LT(parent(event).time, event.time);
  }
  EXPECT_GE(deliveries, 4u);
  const TraceEvent& got = find("server got ping");
  EXPECT_EQ(parent(got).verb, TraceVerb::run);
  EXPECT_EQ(parent(got).task, got.task);
  EXPECT_EQ(parent(parent(got)).verb, TraceVerb::deliver);
  EXPECT_EQ(parent(parent(got)).name, "client>server data");
  // From the client's last word all the way back to the boot of the client.
  std::string path;
  for (const TraceEvent* event = &find("client got pong"); event->parent != 0; event = &parent(*event)) {
    if (event->kind == TraceKind::message) path += event->name + "; ";
  }
  EXPECT_EQ(path,
            "server>client data; server>client data; client>server data; client>server data; "
            "server>client SYN-ACK; server>client SYN-ACK; client>server SYN; client>server SYN; ");
}

TEST_F(TracedRun, TimersDescendFromWhereTheyWereSet) {
  const TraceEvent& woke = find("woke");
  const TraceEvent& fire = parent(parent(woke));
  EXPECT_EQ(fire.verb, TraceVerb::fire);
  EXPECT_EQ(parent(fire).verb, TraceVerb::block);
  EXPECT_EQ(parent(fire).name, "sleep");
  EXPECT_EQ(parent(fire).task, woke.task);
  const TraceEvent& called = find("called");
  EXPECT_EQ(called.task, 0u);
  EXPECT_EQ(parent(called).verb, TraceVerb::fire);
  EXPECT_EQ(parent(parent(called)).verb, TraceVerb::run);
  EXPECT_EQ(parent(parent(called)).task, woke.task);
}

TEST_F(TracedRun, TasksDescendFromTheirSpawnerAndWakeFromTheirWaker) {
  const TraceEvent& child = find("child runs");
  const TraceEvent& spawn = parent(parent(child));
  EXPECT_EQ(spawn.verb, TraceVerb::spawn);
  EXPECT_EQ(spawn.a, child.task);
  EXPECT_EQ(spawn.text, "child");
  EXPECT_EQ(spawn.host, "client");
  EXPECT_EQ(parent(spawn).verb, TraceVerb::run);
  EXPECT_EQ(parent(spawn).task, spawn.task);
  const TraceEvent& notified = find("notified");
  EXPECT_EQ(parent(parent(notified)).task, child.task) << "the task that notified";
  std::map<std::uint64_t, int> finished;
  for (const TraceEvent& event : events) {
    if (event.verb == TraceVerb::finish) ++finished[event.task];
  }
  EXPECT_EQ(finished[child.task], 1);
}

TEST_F(TracedRun, DiskOperationsHaveDurations) {
  std::size_t ends = 0;
  for (const TraceEvent& event : events) {
    if (event.verb != TraceVerb::end) continue;
    ++ends;
    EXPECT_EQ(event.kind, TraceKind::io);
    EXPECT_EQ(parent(event).verb, TraceVerb::begin);
    EXPECT_EQ(parent(event).name, event.name);
    EXPECT_EQ(parent(event).task, event.task);
    EXPECT_EQ((event.time - parent(event).time).count(), static_cast<std::int64_t>(event.a));
    if (event.name == "write") {
      EXPECT_EQ(parent(event).text, "file");
      EXPECT_EQ(parent(event).b, 5u);
    }
  }
  EXPECT_EQ(ends, 2u);
}

TEST(TraceRun, DatagramsDescendFromTheirSendsToo) {
  Simulation world(traced(true));
  Host& receiver = world.add_host("receiver");
  receiver.set_program([](Host& self) {
    auto socket = self.open_datagram(9).value();
    Datagram datagram;
    (void)socket.receive(datagram);
    self.log("received");
  });
  Host& sender = world.add_host("sender");
  sender.set_program([](Host& self) {
    self.sleep_for(seconds(1));
    auto socket = self.open_datagram().value();
    (void)socket.send_to({"receiver", 9}, "12345");
    self.sleep_for(seconds(1));
  });
  receiver.boot();
  sender.boot();
  world.run();
  const std::vector<TraceEvent> events = world.trace().events();
  const auto received =
      std::find_if(events.begin(), events.end(), [](const TraceEvent& event) { return event.text == "received"; });
  ASSERT_NE(received, events.end());
  const TraceEvent& deliver = events.at(events.at(received->parent - 1).parent - 1);
  EXPECT_EQ(describe(deliver).substr(0, 38), "deliver sender>receiver datagram flow ");
  EXPECT_EQ(deliver.b, 5u);
  EXPECT_EQ(events.at(deliver.parent - 1).verb, TraceVerb::send);
}

TEST(TraceRun, TracingChangesNothing) { EXPECT_EQ(digest_of_world(true), digest_of_world(false)); }

TEST(Trace, ALoggedLineBreakDoesNotBreakTheText) {
  TraceOptions options;
  options.enabled = true;
  Trace trace(options);
  trace.add(time_zero, TraceKind::log, "a", "one\ntwo\x1b");
  std::ostringstream out;
  trace.write_text(out);
  EXPECT_EQ(out.str(), "0.000000000 log a one two \n");
}

}  // namespace
}  // namespace polarsim::sim
