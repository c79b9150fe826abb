// Damage at rest: whatever bit of whatever file flips while a node is down, the node either does not need it, or says
// which file, and where, and never hands out anything but what was stored.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "engine/node/node_test_support.h"
#include "engine/storage/control_file.h"
#include "engine/storage/page.h"
#include "engine/storage/wal_format.h"
#include "sim/crash_states.h"

namespace polarsim::engine::testing {
namespace {

NodeConfig small_node() {
  NodeConfig config;
  config.shared_buffers = 32;
  config.wal_segment_bytes = 128 << 10;
  config.autovacuum = false;
  return config;
}

constexpr int rows = 40;

// What a client can learn of the node, a query after the other.
std::vector<std::string> queries() {
  std::vector<std::string> result{"SELECT id, v, note FROM t ORDER BY id",
                                  "SELECT v, count(*) FROM t GROUP BY v ORDER BY v",
                                  "SELECT gid FROM pg_prepared_xacts", "SELECT count(*) FROM u"};
  for (int id = 1; id <= rows; id += 3) result.push_back(fmt::format("SELECT v, note FROM t WHERE id = {}", id));
  return result;
}

void fill(TestSession& session) {
  session.run("CREATE TABLE t (id int PRIMARY KEY, v int, note text); CREATE TABLE u (id int PRIMARY KEY)");
  session.run("CREATE INDEX t_v ON t (v)");
  for (int id = 1; id <= rows / 2; ++id)
    session.run(fmt::format("INSERT INTO t VALUES ({}, {}, '{}')", id, id % 5, std::string(150, 'a')));
  session.run(fmt::format("INSERT INTO t VALUES (1000, 7, '{}')", std::string(6000, 'x')));
  session.run("BEGIN; INSERT INTO u VALUES (1); UPDATE t SET v = 99 WHERE id = 2; PREPARE TRANSACTION 'pending'");
  session.run("CHECKPOINT");
  // From here on recovery has to redo.
  for (int id = rows / 2 + 1; id <= rows; ++id)
    session.run(fmt::format("INSERT INTO t VALUES ({}, {}, '{}')", id, id % 5, std::string(150, 'b')));
  session.run("UPDATE t SET v = v + 10 WHERE id > 30; DELETE FROM t WHERE id = 7; INSERT INTO u VALUES (2)");
}

struct AtRest {
  sim::DiskImage image;
  std::vector<std::string> answers;  // to queries()
};

std::vector<std::string> ask(TestSession& session) {
  std::vector<std::string> answers;
  for (const std::string& query : queries()) answers.push_back(session.outcome(query));
  return answers;
}

// The disk of a node that lost its power a second after its last change, and what the node would answer.
const AtRest& at_rest() {
  static const AtRest result = [] {
    AtRest made;
    TestNode node(1, small_node());
    node.run([&](TestNode& running) {
      TestSession session = running.connect();
      fill(session);
      made.answers = ask(session);
      running.sleep_ms(1000);  // the log vouches for its last batch meanwhile
    });
    node.host().crash();
    made.image = sim::durable_image(node.host().disk());
    return made;
  }();
  return result;
}

// What a node makes of the disk: why it did not start, or its answers.
struct Outcome {
  std::optional<SqlError> refusal;
  std::vector<std::string> answers;
};

Outcome start_from(const sim::DiskImage& image, const std::function<void(sim::Disk&)>& harm) {
  Outcome outcome;
  sim::Simulation simulation{sim::SimulationOptions{}};
  sim::Host& host = simulation.add_host("dn1");
  host.disk().load(image);
  harm(host.disk());
  const NodeConfig config = small_node();
  host.set_program([&](sim::Host& self) {
    try {
      syntax::StatementCache cache = make_statement_cache(self.scheduler(), 100);
      const std::unique_ptr<Instance> instance = Instance::open(self, config);
      TestSession session(self, instance->connect(), cache);
      outcome.answers = ask(session);
    } catch (const SqlError& error) {
      outcome.refusal = error;
    }
  });
  host.boot();
  simulation.run();
  return outcome;
}

bool is_damage_report(std::string_view sqlstate) { return sqlstate == "XX001" || sqlstate == "XX000"; }

// What a report of damage at that place has to say: a page of which file, and which LSN it has; or where the log ends.
bool says_where(const std::string& report, const std::string& path, std::uint64_t offset) {
  const auto says = [&](const std::string& what) { return report.find(what) != std::string::npos; };
  const std::string block = std::to_string(offset / storage::page_size);
  if (path.starts_with("base/")) return says("block " + block + " of relation " + path) && says("page's LSN reads ");
  if (path.starts_with("wal/")) return says("file \"" + path + "\" at LSN ");
  return says(path);
}

// True if the damage made a difference; fails if it did so in any way but a report that says where it is.
bool harm_is_reported(const std::string& path, std::uint64_t offset, std::uint8_t mask) {
  const AtRest& rest = at_rest();
  const Outcome outcome = start_from(rest.image, [&](sim::Disk& disk) { disk.damage(path, offset, mask); });
  const std::string where = fmt::format("{} byte {} mask {:#04x}", path, offset, mask);
  if (outcome.refusal) {
    const ErrorFields& fields = outcome.refusal->fields();
    const std::string report = fields.message + " / " + fields.detail;
    EXPECT_TRUE(is_damage_report(fields.sqlstate)) << where << ": " << outcome.refusal->what();
    EXPECT_TRUE(says_where(report, path, offset)) << where << ": " << report;
    return true;
  }
  bool reported = false;
  EXPECT_EQ(outcome.answers.size(), rest.answers.size()) << where;
  for (std::size_t i = 0; i < outcome.answers.size() && i < rest.answers.size(); ++i) {
    if (outcome.answers[i] == rest.answers[i]) continue;
    reported = true;
    EXPECT_TRUE(is_damage_report(outcome.answers[i].substr(0, 5)) && says_where(outcome.answers[i], path, offset))
        << where << "\n"
        << queries()[i] << "\n"
        << outcome.answers[i].substr(0, 300);
  }
  return reported;
}

std::vector<std::string> files_below(const std::string& prefix) {
  std::vector<std::string> files;
  for (const auto& [path, entry] : at_rest().image.entries) {
    if (!entry.is_directory && path.starts_with(prefix)) files.push_back(path);
  }
  return files;
}

std::uint64_t size_of(const std::string& path) { return at_rest().image.entries.at(path).contents.size(); }

std::uint8_t mask_for(std::uint64_t offset) { return static_cast<std::uint8_t>(1U << (offset % 8)); }

// Flips a bit in every `step`-th byte of each file, and in each of the first `header` bytes of every page. How many
// flips were reported. (Of one page and of one log, every bit: storage/page_test.cpp, storage/wal_damage_test.cpp.)
std::uint64_t flip_through(const std::vector<std::string>& files, std::uint64_t step, std::uint64_t header) {
  std::uint64_t reports = 0;
  for (const std::string& path : files) {
    for (std::uint64_t offset = 0; offset < size_of(path); ++offset) {
      // Not the same places of every page.
      if (offset % storage::page_size >= header && offset % step != 0) continue;
      if (harm_is_reported(path, offset, mask_for(offset / step + offset))) ++reports;
      if (::testing::Test::HasFailure()) return reports;
    }
  }
  return reports;
}

TEST(DamageAtRest, NothingIsReportedWithoutDamage) {
  const Outcome outcome = start_from(at_rest().image, [](sim::Disk&) {});
  ASSERT_FALSE(outcome.refusal) << outcome.refusal->what();
  EXPECT_EQ(outcome.answers, at_rest().answers);
}

TEST(DamageAtRest, PagesOfTablesAndIndexes) {
  const std::vector<std::string> files = files_below("base/");
  ASSERT_GT(files.size(), 5U);
  // Pages that redo writes anew, and maps of free space, do not matter; those that are read do.
  EXPECT_GT(flip_through(files, 509, 32), 100U);
}

TEST(DamageAtRest, TheLog) {
  std::vector<std::string> files = files_below("wal/");
  ASSERT_FALSE(files.empty());
  EXPECT_GT(flip_through(files, 61, 0), 50U);
}

TEST(DamageAtRest, TheStatusOfTransactions) {
  for (const char* const folder : {"pg_xact/", "twophase/"}) {
    const std::vector<std::string> files = files_below(folder);
    ASSERT_FALSE(files.empty()) << folder;
    EXPECT_GT(flip_through(files, 31, 32), 10U) << folder;
  }
}

TEST(DamageAtRest, OneSlotOfTheControlFileIsEnough) {
  for (std::uint64_t offset = 0; offset < size_of(storage::control_file_path); offset += 5)
    harm_is_reported(storage::control_file_path, offset, mask_for(offset));
}

TEST(DamageAtRest, BothSlotsOfTheControlFileAreNotGuessedAt) {
  const Outcome outcome = start_from(at_rest().image, [](sim::Disk& disk) {
    disk.damage(storage::control_file_path, 8, 0x10);
    disk.damage(storage::control_file_path, size_of(storage::control_file_path) / 2 + 8, 0x10);
  });
  ASSERT_TRUE(outcome.refusal);
  EXPECT_EQ(outcome.refusal->sqlstate(), "XX001");
}

// A node that finds no control file must not take what is there for the remains of a set-up.
TEST(DamageAtRest, ALostControlFileIsNoNewNode) {
  sim::DiskImage without = at_rest().image;
  without.entries.erase(storage::control_file_path);
  const Outcome outcome = start_from(without, [](sim::Disk&) {});
  ASSERT_TRUE(outcome.refusal);
  EXPECT_TRUE(is_damage_report(outcome.refusal->sqlstate())) << outcome.refusal->what();
}

TEST(DamageAtRest, SectorsThatCannotBeRead) {
  for (const std::string& path : files_below("base/")) {
    for (std::uint64_t sector = 0; sector * sim::sector_bytes < size_of(path); sector += 11) {
      const Outcome outcome = start_from(at_rest().image, [&](sim::Disk& disk) { disk.make_unreadable(path, sector); });
      if (outcome.refusal) {
        EXPECT_NE(std::string(outcome.refusal->what()).find(path), std::string::npos) << outcome.refusal->what();
        continue;
      }
      for (std::size_t i = 0; i < outcome.answers.size(); ++i) {
        if (outcome.answers[i] == at_rest().answers[i]) continue;
        EXPECT_TRUE(outcome.answers[i].starts_with("58030") && outcome.answers[i].find(path) != std::string::npos)
            << path << " sector " << sector << "\n"
            << queries()[i] << "\n"
            << outcome.answers[i].substr(0, 300);
      }
    }
  }
}

}  // namespace
}  // namespace polarsim::engine::testing
