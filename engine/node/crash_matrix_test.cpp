// Power losses at every disk operation of many shapes of transactions, and at every operation of the recovery after
// each (crash_shapes.h, crash_matrix.h). A part of them always; all of them with
//   ctest -C nightly -L nightly    or    engine_tests --gtest_also_run_disabled_tests
//   --gtest_filter='*CrashMatrixFull*'
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/node/crash_shapes.h"
#include "engine/node/database.h"

namespace polarsim::engine::testing {

namespace {

bool begins_block(const std::string& statement) { return statement.starts_with("BEGIN"); }

bool ends_block(const std::string& statement) {
  return statement.starts_with("COMMIT") || statement.starts_with("PREPARE TRANSACTION") || statement == "ROLLBACK";
}

NodeConfig small_node() {
  NodeConfig config;
  config.shared_buffers = 16;
  config.wal_segment_bytes = 16 << 10;
  config.autovacuum = false;
  return config;
}

}  // namespace

CrashShapeRunner::CrashShapeRunner(const CrashShape& shape, NodeConfig config)
    : shape_(shape), matrix_(config, [&shape](TestNode& node) {
        TestSession session = node.connect();
        for (const std::string& statement : shape.setup) session.run(statement);
      }) {
  for (const auto& statements : shape_.sessions) units_.push_back(units_of(statements));
}

std::vector<CrashShapeRunner::Unit> CrashShapeRunner::units_of(const std::vector<std::string>& statements) {
  std::vector<Unit> units;
  bool open = false;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (open) {
      units.back().end = i + 1;
    } else {
      units.push_back({i, i + 1});
    }
    open = open ? !ends_block(statements[i]) : begins_block(statements[i]);
  }
  return units;
}

CrashMatrixResult CrashShapeRunner::run(const CrashMatrixOptions& options) {
  return matrix_.run([this] { return make_run(); }, options);
}

CrashRun CrashShapeRunner::make_run() {
  const auto progress = std::make_shared<Progress>(shape_.sessions.size());
  CrashRun run;
  run.work = [this, progress](TestNode& node) {
    std::vector<sim::TaskRef> tasks;
    for (std::size_t i = 0; i < shape_.sessions.size(); ++i) {
      tasks.push_back(node.spawn([this, progress, &node, i] {
        TestSession session = node.connect();
        for (const std::string& statement : shape_.sessions[i]) {
          ++(*progress)[i].attempted;
          (*progress)[i].outcomes.push_back(session.outcome(statement));
        }
      }));
    }
    node.join(tasks);
  };
  run.check = [this, progress](TestNode& node) { return check(node, *progress); };
  return run;
}

std::string CrashShapeRunner::observe(TestNode& node) const {
  TestSession session = node.connect();
  std::string state;
  for (const std::string& query : shape_.observe) state += query + ": " + session.outcome(query) + "\n";
  for (const std::string& gid : node.instance().prepared_gids()) state += "prepared: " + gid + "\n";
  return state;
}

std::string CrashShapeRunner::check(TestNode& node, const Progress& progress) {
  const std::string state = observe(node);
  const std::set<std::string> states = allowed(progress);
  if (!states.contains(state)) {
    std::string text = "the state is\n" + state + "but allowed is";
    for (const std::string& possible : states) text += "\n" + possible;
    return text;
  }
  if (std::string problem = check_structure(node); !problem.empty()) return problem;
  if (shape_.check) {
    if (std::string problem = shape_.check(node, progress); !problem.empty()) return problem;
  }
  TestSession session = node.connect();
  for (const std::string& gid : node.instance().prepared_gids()) session.run("COMMIT PREPARED '" + gid + "'");
  session.run("SET lock_timeout = 50");
  for (const std::string& statement : shape_.afterwards) {
    const std::string outcome = session.outcome(statement);
    if (outcome.size() > 5 && outcome[5] == ' ' && outcome[2] >= '0' && outcome[2] <= '9') {
      return "afterwards \"" + statement + "\": " + outcome;
    }
  }
  return check_structure(node);
}

// Every index is sound, and finds what a scan of its table finds.
std::string CrashShapeRunner::check_structure(TestNode& node) const {
  Database& database = node.instance().database();
  TestSession session = node.connect();
  for (const catalog::TablePtr& table : database.catalog().tables(nullptr)) {
    if (table->is_system()) continue;
    for (const catalog::Index& index : table->indexes) {
      if (const auto problem = database.tree(index).check()) return "index " + index.definition.name + ": " + *problem;
    }
    if (table->indexes.empty()) continue;
    const std::string column =
        table->definition->columns[static_cast<std::size_t>(table->indexes.front().definition.columns.front())].name;
    const QueryResult rows = session.execute("SELECT " + column + " FROM " + table->definition->name);
    for (const Row& row : rows.rows) {
      if (row[0].is_null()) continue;
      const std::string count =
          session.run("SELECT count(*) FROM " + table->definition->name + " WHERE " + column + " = $1",
                      {Value::text(to_text(row[0]))});
      const auto same = std::count_if(rows.rows.begin(), rows.rows.end(), [&](const Row& other) {
        return !other[0].is_null() && to_text(other[0]) == to_text(row[0]);
      });
      if (count != std::to_string(same))
        return "index of " + table->definition->name + " finds " + count + " rows of " + std::to_string(same);
    }
  }
  return {};
}

std::set<std::string> CrashShapeRunner::allowed(const Progress& progress) {
  std::set<std::string> states;
  // For each session, whether the unit that was ending has ended.
  const std::size_t sessions = units_.size();
  for (std::size_t choice = 0; choice < (std::size_t{1} << sessions); ++choice) {
    std::vector<std::size_t> count(sessions, 0);
    bool possible = true;
    for (std::size_t i = 0; i < sessions; ++i) {
      const auto& units = units_[i];
      while (count[i] < units.size() && units[count[i]].end <= progress[i].outcomes.size()) ++count[i];
      if ((choice >> i & 1) == 0) continue;
      possible = possible && count[i] < units.size() && progress[i].attempted == units[count[i]].end;
      ++count[i];
    }
    Order order;
    if (possible) visit_orders(count, order, progress, states);
  }
  return states;
}

void CrashShapeRunner::visit_orders(std::vector<std::size_t>& left, Order& order, const Progress& progress,
                                    std::set<std::string>& states) {
  bool complete = true;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] == 0) continue;
    complete = false;
    --left[i];
    order.push_back(i);
    visit_orders(left, order, progress, states);
    order.pop_back();
    ++left[i];
  }
  if (!complete) return;
  const Reference& found = reference(order);
  for (std::size_t i = 0; i < left.size(); ++i) {
    // The last outcome may have been missed by its session, or belong to a unit that left nothing behind.
    const std::size_t known = std::min(found.outcomes[i].size(), progress[i].outcomes.size());
    if (!std::equal(found.outcomes[i].begin(), found.outcomes[i].begin() + static_cast<std::ptrdiff_t>(known),
                    progress[i].outcomes.begin())) {
      return;
    }
  }
  states.insert(found.state);
}

const CrashShapeRunner::Reference& CrashShapeRunner::reference(const Order& order) {
  const auto [place, is_new] = references_.try_emplace(order);
  if (!is_new) return place->second;
  Reference& result = place->second;
  result.outcomes.resize(units_.size());
  const auto node = matrix_.fresh_node(1);
  node->run([&](TestNode& running) {
    std::vector<TestSession> sessions;
    for (std::size_t i = 0; i < units_.size(); ++i) sessions.push_back(running.connect());
    std::vector<std::size_t> next(units_.size(), 0);
    for (const std::size_t i : order) {
      const Unit unit = units_[i][next[i]++];
      for (std::size_t statement = unit.begin; statement < unit.end; ++statement) {
        result.outcomes[i].push_back(sessions[i].outcome(shape_.sessions[i][statement]));
      }
    }
    result.state = observe(running);
  });
  return result;
}

namespace {

class CrashMatrixTest : public ::testing::TestWithParam<CrashShape> {};

void expect_no_problem(const CrashShape& shape, const NodeConfig& config, const CrashMatrixOptions& options) {
  const CrashMatrixResult result = CrashShapeRunner(shape, config).run(options);
  EXPECT_EQ(result.problem, "");
  EXPECT_GT(result.operations, 0U);
  EXPECT_GT(result.crashes, 0U);
}

std::string name_of(const ::testing::TestParamInfo<CrashShape>& info) { return info.param.name; }

TEST_P(CrashMatrixTest, StateIsAllowed) {
  expect_no_problem(GetParam(), small_node(), {.seeds = {1, 2}, .operation_stride = 2, .recovery_stride = 0});
  expect_no_problem(GetParam(), small_node(), {.seeds = {3}, .operation_stride = 7, .recovery_stride = 5});
}

INSTANTIATE_TEST_SUITE_P(Shapes, CrashMatrixTest, ::testing::ValuesIn(crash_shapes()), name_of);

class DISABLED_CrashMatrixFull : public ::testing::TestWithParam<CrashShape> {};

TEST_P(DISABLED_CrashMatrixFull, EveryOperation) {
  expect_no_problem(GetParam(), small_node(), {.seeds = {11, 12, 13, 14}});
  // Checkpoints by themselves, and segments that are recycled.
  NodeConfig busy = small_node();
  busy.max_wal_size_bytes = 60'000;
  expect_no_problem(GetParam(), busy, {.seeds = {21, 22}});
}

INSTANTIATE_TEST_SUITE_P(Shapes, DISABLED_CrashMatrixFull, ::testing::ValuesIn(crash_shapes()), name_of);

// What the matrix is worth: it finds what is wrong.
class CrashMatrixFinds : public ::testing::Test {
 protected:
  static std::string first_problem(const NodeConfig& config) {
    for (const CrashShape& shape : crash_shapes()) {
      const CrashMatrixResult result = CrashShapeRunner(shape, config).run({.seeds = {1, 2}, .recovery_stride = 0});
      if (!result.problem.empty()) return shape.name + ": " + result.problem;
    }
    return {};
  }
};

TEST_F(CrashMatrixFinds, TornPagesWithoutImages) {
  NodeConfig config = small_node();
  config.full_page_writes = false;
  EXPECT_NE(first_problem(config), "");
}

}  // namespace
}  // namespace polarsim::engine::testing
