// Any sequence of blocks, savepoints, changes, settings and errors in one session leaves what a model says: a stack of
// copies of everything.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

struct Step {
  int kind = 0;
  int name = 0;
  int key = 0;
  int value = 0;
};
constexpr int kinds = 20;

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << step.kind << "(" << step.name << "," << step.key << "," << step.value << ")";
}

rc::Gen<Step> any_step() {
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, rc::gen::inRange(0, kinds)), rc::gen::set(&Step::name, rc::gen::inRange(0, 3)),
      rc::gen::set(&Step::key, rc::gen::inRange(0, 6)), rc::gen::set(&Step::value, rc::gen::inRange(0, 100)));
}

struct Contents {
  std::map<int, int> rows;
  std::string setting;  // application_name
};

class Model {
 public:
  std::string expected(const std::string& statement) {
    if (failed_ && !ends_failure(statement)) return "25P02";
    return run(statement);
  }
  char status() const { return failed_ ? 'E' : in_block_ ? 'T' : 'I'; }
  const Contents& now() const { return now_; }

  // What a statement that changes something does; `fails`: instead of it, an error.
  std::string change(bool fails, const std::function<void(Contents&)>& apply, std::string tag) {
    if (failed_) return "25P02";
    if (fails) return fail("22012");
    apply(now_);
    return tag;
  }

 private:
  struct Level {
    std::string name;
    Contents before;
  };

  static bool ends_failure(const std::string& statement) {
    return statement.starts_with("ROLLBACK") || statement == "COMMIT";
  }

  std::string fail(std::string state) {
    failed_ = in_block_;
    return state;
  }

  std::string end(bool commit) {
    if (!in_block_) return commit ? "COMMIT" : "ROLLBACK";
    const bool committed = commit && !failed_;
    if (!committed) now_ = levels_.front().before;
    levels_.clear();
    in_block_ = failed_ = false;
    return committed ? "COMMIT" : "ROLLBACK";
  }

  std::string run(const std::string& statement) {
    if (statement == "BEGIN") {
      if (!in_block_) levels_.push_back({"", now_});
      in_block_ = true;
      return "BEGIN";
    }
    if (statement == "COMMIT" || statement == "ROLLBACK") return end(statement == "COMMIT");
    const std::string name = statement.substr(statement.rfind(' ') + 1);
    if (!in_block_) return "25P01";
    if (statement.starts_with("SAVEPOINT")) {
      levels_.push_back({name, now_});
      return "SAVEPOINT";
    }
    std::size_t found = levels_.size() - 1;
    while (found > 0 && levels_[found].name != name) --found;
    if (found == 0) return fail("3B001");
    if (statement.starts_with("RELEASE")) {
      levels_.resize(found);
      return "RELEASE";
    }
    now_ = levels_[found].before;
    levels_.resize(found + 1);
    failed_ = false;
    return "ROLLBACK";
  }

  Contents now_;
  std::vector<Level> levels_;  // of the open block; the first is the block itself
  bool in_block_ = false;
  bool failed_ = false;
};

std::string rows_of(const Contents& contents) {
  std::string text;
  for (const auto& [key, value] : contents.rows)
    text += (text.empty() ? "" : ";") + std::to_string(key) + "|" + std::to_string(value);
  return text;
}

// A statement and what the model says of it; the model goes along.
struct Expectation {
  std::string statement;
  std::string outcome;
};

Expectation next(const Step& step, Model& model) {
  const std::string name(1, static_cast<char>('a' + step.name));
  const std::string key = std::to_string(step.key);
  const std::string value = std::to_string(step.value);
  constexpr const char* control[] = {"BEGIN", "BEGIN", "COMMIT", "ROLLBACK"};
  constexpr const char* about_savepoints[] = {"SAVEPOINT ",   "SAVEPOINT ",   "SAVEPOINT ",
                                              "ROLLBACK TO ", "ROLLBACK TO ", "RELEASE "};
  std::string statement;
  if (step.kind < 4) {
    statement = control[step.kind];
    return {statement, model.expected(statement)};
  }
  if (step.kind < 10) {
    statement = about_savepoints[step.kind - 4] + name;
    return {statement, model.expected(statement)};
  }
  if (step.kind < 12) {
    return {"SET application_name = '" + value + "'", model.change(
                                                          false, [&](Contents& now) { now.setting = value; }, "SET")};
  }
  if (step.kind < 14) {
    const bool there = model.now().rows.contains(step.key);
    return {"DELETE FROM t WHERE k = " + key,
            model.change(
                false, [&](Contents& now) { now.rows.erase(step.key); }, there ? "DELETE 1" : "DELETE 0")};
  }
  // One of six fails after the change was made, so that the change must go.
  const bool fails = step.kind == 14;
  statement = "INSERT INTO t VALUES (" + key + ", " + value + ") ON CONFLICT (k) DO UPDATE SET v = excluded.v";
  statement += fails ? " RETURNING 1 / (k - k)" : " RETURNING 1";
  return {statement, model.change(
                         fails, [&](Contents& now) { now.rows[step.key] = step.value; }, "1")};
}

void follow(TestSession& session, Model& model, const Step& step) {
  const Expectation expectation = next(step, model);
  RC_LOG() << expectation.statement << " -> " << expectation.outcome << "\n";
  const std::string outcome = session.outcome(expectation.statement);
  RC_ASSERT(outcome.substr(0, expectation.outcome.size()) == expectation.outcome);
  RC_ASSERT(static_cast<char>(session.session().status()) == model.status());
  if (model.status() == 'E') return;
  RC_ASSERT(session.run("SELECT k, v FROM t ORDER BY k") == rows_of(model.now()));
  RC_ASSERT(session.run("SHOW application_name") == model.now().setting);
}

RC_GTEST_PROP(SessionProperty, BlocksAndSavepointsKeepAndBringBackWhatAModelSays, ()) {
  const auto steps = *rc::gen::resize(150, rc::gen::container<std::vector<Step>>(any_step()));
  TestNode node;
  node.run([&](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (k int PRIMARY KEY, v int)");
    Model model;
    for (const Step& step : steps) follow(session, model, step);
    session.run("ROLLBACK");
    model.expected("ROLLBACK");
    RC_ASSERT(running.connect().run("SELECT k, v FROM t ORDER BY k") == rows_of(model.now()));
  });
  RC_ASSERT(node.finished());
}

}  // namespace
}  // namespace polarsim::engine::testing
