// Properties of one node over random programs: agreement with a serial model when nothing is concurrent, conserved
// quantities when much is.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <set>

#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

constexpr int keys = 8;

// One step of a random program; what is out of place at its turn does nothing.
struct Step {
  enum class Kind {
    insert,
    upsert,
    update,
    increment_all,
    remove,
    move_key,
    commit,
    rollback,
    prepare,
    commit_prepared,
    rollback_prepared,
    crash
  };
  Kind kind = Kind::insert;
  int key = 0;
  int other = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << static_cast<int>(step.kind) << "(" << step.key << "," << step.other << ")";
}

rc::Gen<Step> any_step() {
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind,
                   rc::gen::map(rc::gen::inRange(0, 12), [](int kind) { return static_cast<Step::Kind>(kind); })),
      rc::gen::set(&Step::key, rc::gen::inRange(0, keys)), rc::gen::set(&Step::other, rc::gen::inRange(0, keys)));
}

using Contents = std::map<int, int>;

// What the table must hold, by the simplest means.
class Model {
 public:
  Contents committed;
  std::optional<Contents> open;  // of the block under way
  struct Prepared {
    Contents changes;  // present keys with their values
    std::set<int> touched;
  };
  std::map<int, Prepared> prepared;
  std::set<int> touched;  // by the open block

  bool held(int key) const {
    for (const auto& [gid, transaction] : prepared) {
      if (transaction.touched.contains(key)) return true;
    }
    return false;
  }
  void decide(int gid, bool commit) {
    const Prepared transaction = prepared.at(gid);
    prepared.erase(gid);
    if (!commit) return;
    for (const int key : transaction.touched) {
      committed.erase(key);
      if (const auto value = transaction.changes.find(key); value != transaction.changes.end())
        committed[key] = value->second;
    }
  }
};

std::string text_of(const Contents& contents) {
  std::string text;
  for (const auto& [key, value] : contents)
    text += (text.empty() ? "" : ";") + std::to_string(key) + "|" + std::to_string(value);
  return text;
}

// Runs a program up to its next crash; returns how many steps are done.
class Interpreter {
 public:
  Interpreter(TestNode& node, Model& model, int& next_gid)
      : session_(node.connect()), node_(node), model_(model), next_gid_(next_gid) {}

  void check() {
    RC_ASSERT(node_.connect().run("SELECT * FROM t ORDER BY id") == text_of(model_.committed));
    RC_ASSERT(node_.instance().prepared_gids().size() == model_.prepared.size());
  }

  void step(const Step& step) {
    switch (step.kind) {
      case Step::Kind::commit:
        end("COMMIT", true);
        break;
      case Step::Kind::rollback:
        end("ROLLBACK", false);
        break;
      case Step::Kind::prepare:
        prepare();
        break;
      case Step::Kind::commit_prepared:
        decide(true);
        break;
      case Step::Kind::rollback_prepared:
        decide(false);
        break;
      case Step::Kind::crash:
        break;
      default:
        change(step);
        break;
    }
  }

 private:
  void change(const Step& step) {
    // A key of a prepared transaction would make the statement wait.
    if (model_.held(step.key) || model_.held(step.other)) return;
    if (step.kind == Step::Kind::increment_all && !model_.prepared.empty()) return;
    begin();
    Contents& contents = *model_.open;
    const std::string key = std::to_string(step.key);
    const std::string other = std::to_string(step.other);
    const bool present = contents.contains(step.key);
    model_.touched.insert(step.key);
    switch (step.kind) {
      case Step::Kind::insert:
        RC_ASSERT(session_.run("INSERT INTO t VALUES (" + key + ", 1) ON CONFLICT DO NOTHING") ==
                  (present ? "INSERT 0 0" : "INSERT 0 1"));
        contents.emplace(step.key, 1);
        break;
      case Step::Kind::upsert:
        RC_ASSERT(session_.run("INSERT INTO t VALUES (" + key +
                               ", 3) ON CONFLICT (id) DO UPDATE SET v = t.v + excluded.v") == "INSERT 0 1");
        contents[step.key] += 3;
        break;
      case Step::Kind::update:
        RC_ASSERT(session_.run("UPDATE t SET v = v * 2 WHERE id = " + key) == (present ? "UPDATE 1" : "UPDATE 0"));
        if (present) contents[step.key] = contents[step.key] * 2 % 1000;
        session_.run("UPDATE t SET v = v % 1000 WHERE id = " + key);
        break;
      case Step::Kind::increment_all:
        RC_ASSERT(session_.run("UPDATE t SET v = v + 1") == "UPDATE " + std::to_string(contents.size()));
        for (auto& [id, value] : contents) {
          ++value;
          model_.touched.insert(id);
        }
        break;
      case Step::Kind::remove:
        RC_ASSERT(session_.run("DELETE FROM t WHERE id = " + key) == (present ? "DELETE 1" : "DELETE 0"));
        contents.erase(step.key);
        break;
      default:
        move_key(step, contents);
        break;
    }
    RC_ASSERT(session_.run("SELECT * FROM t ORDER BY id") == text_of(merged_view(contents)));
  }

  void move_key(const Step& step, Contents& contents) {
    if (!contents.contains(step.key) || (contents.contains(step.other) && step.other != step.key)) return;
    model_.touched.insert(step.other);
    RC_ASSERT(session_.run("UPDATE t SET id = " + std::to_string(step.other) +
                           " WHERE id = " + std::to_string(step.key)) == "UPDATE 1");
    const int value = contents[step.key];
    contents.erase(step.key);
    contents[step.other] = value;
  }

  // The block sees its own changes and what is committed; nothing commits while it is open.
  const Contents& merged_view(const Contents& contents) const { return contents; }

  void begin() {
    if (model_.open) return;
    session_.run("BEGIN");
    model_.open = model_.committed;
    model_.touched.clear();
  }

  void end(const std::string& how, bool commit) {
    if (!model_.open) return;
    session_.run(how);
    if (commit) model_.committed = *model_.open;
    model_.open.reset();
    check();
  }

  void prepare() {
    if (!model_.open) return;
    const int gid = next_gid_++;
    session_.run("PREPARE TRANSACTION 'g" + std::to_string(gid) + "'");
    Model::Prepared transaction;
    transaction.touched = model_.touched;
    for (const int key : model_.touched) {
      if (const auto value = model_.open->find(key); value != model_.open->end()) transaction.changes.insert(*value);
    }
    model_.prepared.emplace(gid, std::move(transaction));
    model_.open.reset();
    check();
  }

  void decide(bool commit) {
    if (model_.open || model_.prepared.empty()) return;
    const int gid = model_.prepared.begin()->first;
    session_.run((commit ? "COMMIT PREPARED 'g" : "ROLLBACK PREPARED 'g") + std::to_string(gid) + "'");
    model_.decide(gid, commit);
    check();
  }

  TestSession session_;
  TestNode& node_;
  Model& model_;
  int& next_gid_;
};

RC_GTEST_PROP(NodeProperty, SerialProgramsAgreeWithAModel, ()) {
  const auto program = *rc::gen::container<std::vector<Step>>(any_step());
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 1000);
  TestNode node(seed);
  node.config().wal_segment_bytes = 700;
  Model model;
  int next_gid = 0;
  std::size_t done = 0;
  bool created = false;
  do {
    node.run([&](TestNode& running) {
      if (!created) running.connect().run("CREATE TABLE t (id int PRIMARY KEY, v int)");
      created = true;
      Interpreter interpreter(running, model, next_gid);
      interpreter.check();
      while (done < program.size()) {
        const Step step = program[done++];
        if (step.kind == Step::Kind::crash) {
          model.open.reset();
          running.host().crash();
        }
        interpreter.step(step);
      }
    });
  } while (done < program.size());
  RC_ASSERT(node.simulation().probes().counts().count("storage/panic") == 0U);
}

// Transactions that increment several counters in random order: some deadlock and are taken back, the others add up
// exactly.
RC_GTEST_PROP(NodeProperty, ConcurrentIncrementsAddUp, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 100'000);
  const auto clients = *rc::gen::inRange(2, 6);
  const auto crash_ms = *rc::gen::inRange<std::int64_t>(1, 400);
  NodeConfig config;
  config.deadlock_timeout = sim::Duration(20'000'000);
  TestNode node(seed, config, sim::SchedulingPolicy::random);
  std::map<int, int> acknowledged;
  std::map<int, int> unknown;  // committed or not: the crash came between question and answer
  node.run([](TestNode& running) {
    running.connect().run(
        "CREATE TABLE c (id int PRIMARY KEY, v int NOT NULL DEFAULT 0); INSERT INTO c VALUES (0), (1), (2)");
  });
  const sim::Time crash = node.simulation().now() + sim::Duration(crash_ms * 1'000'000);
  node.simulation().scheduler().call_at(crash, [&] { node.host().crash(); });
  node.run([&](TestNode& running) {
    std::vector<sim::TaskRef> tasks;
    for (int client = 0; client < clients; ++client) {
      tasks.push_back(running.spawn([&, client] {
        TestSession session = running.connect();
        sim::RandomStream& random = running.simulation().random("client/" + std::to_string(client));
        for (int i = 0; i < 15; ++i) {
          std::map<int, int> increments;
          session.run("BEGIN");
          bool failed = false;
          for (int statement = 0; statement < 2 && !failed; ++statement) {
            const int id = static_cast<int>(random.below(3));
            const std::string outcome = session.outcome("UPDATE c SET v = v + 1 WHERE id = " + std::to_string(id));
            failed = outcome != "UPDATE 1";
            if (failed) RC_ASSERT(outcome.substr(0, 5) == "40P01");
            ++increments[id];
          }
          if (!failed) {
            for (const auto& [id, count] : increments) unknown[id] += count;
          }
          RC_ASSERT(session.run("COMMIT") == (failed ? "ROLLBACK" : "COMMIT"));
          if (!failed) {
            for (const auto& [id, count] : increments) {
              unknown[id] -= count;
              acknowledged[id] += count;
            }
          }
        }
      }));
    }
    running.join(tasks);
  });
  node.run([&](TestNode& running) {
    for (const Row& row : running.connect().execute("SELECT id, v FROM c").rows) {
      const int id = static_cast<int>(row[0].as_integer());
      RC_ASSERT(row[1].as_integer() >= acknowledged[id]);
      RC_ASSERT(row[1].as_integer() <= acknowledged[id] + unknown[id]);
    }
  });
  RC_ASSERT(node.finished());
}

}  // namespace
}  // namespace polarsim::engine::testing
