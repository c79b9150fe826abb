// Scans of tables, changes, locks, and rows that change while a statement looks for them.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/executor/executor_test_support.h"
#include "engine/query/system_columns.h"

namespace polarsim::engine::executor::testing {
namespace {

using Comparison = plan::IndexScan::Bound::Comparison;

Plan seq_scan(const query::RelationPtr& relation, bool with_place = false, int entry = -1) {
  plan::SeqScan scan{relation, {}, {}};
  if (with_place) scan.system_columns = {query::system_column_ctid};
  Plan made = make(std::move(scan));
  made.entry = entry;
  return made;
}

// --- indexes ---

const char* symbol(Comparison comparison) {
  switch (comparison) {
    case Comparison::less:
      return "<";
    case Comparison::less_equal:
      return "<=";
    case Comparison::greater:
      return ">";
    case Comparison::greater_equal:
      return ">=";
    default:
      return "=";
  }
}

RC_GTEST_PROP(ExecutorTables, IndexScansFindWhatFiltersLeave, ()) {
  std::string rows;
  const int count = *rc::gen::inRange(1, 40);
  for (int i = 0; i < count; ++i) {
    const auto value = [] {
      const int drawn = *rc::gen::inRange(-1, 5);
      return drawn < 0 ? std::string("NULL") : std::to_string(drawn);
    };
    rows += (i == 0 ? "(" : ", (") + value() + ", " + value() + ", " + std::to_string(i) + ")";
  }
  const bool backward = *rc::gen::arbitrary<bool>();
  struct Drawn {
    std::size_t key;
    Comparison comparison;
    int value;
  };
  std::vector<Drawn> drawn;
  const int bounds = *rc::gen::inRange(0, 4);
  for (int i = 0; i < bounds; ++i) {
    drawn.push_back({*rc::gen::inRange<std::size_t>(0, 2),
                     *rc::gen::element(Comparison::less, Comparison::less_equal, Comparison::equal, Comparison::greater,
                                       Comparison::greater_equal, Comparison::in_array, Comparison::is_null,
                                       Comparison::is_not_null),
                     *rc::gen::inRange(0, 5)});
  }
  with_runner(
      [&](TestNode&, PlanRunner& runner) {
        const query::RelationPtr relation = runner.relation("t");
        plan::IndexScan scan{.relation = relation,
                             .index = 0,
                             .bounds = {},
                             .backward = backward,
                             .system_columns = {},
                             .columns_read = {}};
        Plan filtered = seq_scan(relation);
        for (const Drawn& one : drawn) {
          const ExpressionPtr key = column(static_cast<int>(one.key) + 1);
          ExpressionPtr value = number(one.value);
          ExpressionPtr condition;
          if (one.comparison == Comparison::in_array) {
            value = constant(Value::array(Array(TypeId::int4, {Value::integer(one.value), Value::null(),
                                                               Value::integer(one.value / 2)})),
                             TypeId::int4_array);
            condition = query::make_expression(
                query::ArrayComparison{find_operator("=", TypeId::int4, TypeId::int4), false, key, value},
                TypeId::boolean);
          } else if (one.comparison == Comparison::is_null || one.comparison == Comparison::is_not_null) {
            value = nullptr;
            condition = query::make_expression(query::NullTest{key, one.comparison == Comparison::is_not_null},
                                               TypeId::boolean);
          } else {
            condition = operation(symbol(one.comparison), key, value);
          }
          scan.bounds.push_back({one.key, one.comparison, value, condition});
          filtered.conditions.push_back(condition);
        }
        const Plan sorted = make(plan::Sort{{key(1, backward, backward), key(2, backward, backward), key(3, backward)}},
                                 {std::move(filtered)});
        EXPECT_EQ(runner.outcome(statement(make(std::move(scan)))), runner.outcome(statement(sorted)));
      },
      "CREATE TABLE t (a int, b int, c int); CREATE INDEX t_ab ON t (a, b); INSERT INTO t VALUES " + rows);
}

TEST(ExecutorTables, IndexesAreReadBackwardsOverManyPages) {
  with_runner(
      [](TestNode&, PlanRunner& runner) {
        const query::RelationPtr relation = runner.relation("t");
        plan::ModifyTable insert;
        insert.relation = relation;
        Plan series =
            make(plan::FunctionScan{{{{call("generate_series", {number(1), number(3000)}), 1}}, false, false}});
        ASSERT_EQ(runner.outcome(statement(make(insert, {series}))), "3000");
        std::string expected;
        for (int i = 3000; i > 0; --i) expected += std::to_string(i) + (i == 1 ? "" : ";");
        plan::IndexScan scan{
            .relation = relation, .index = 0, .bounds = {}, .backward = true, .system_columns = {}, .columns_read = {}};
        EXPECT_EQ(runner.outcome(statement(make(scan))), expected);
        scan.bounds = {{0, Comparison::less, number(1500), nullptr}};
        const Plan first = make(plan::Limit{big(3), nullptr, {}}, {make(scan)});
        EXPECT_EQ(runner.outcome(statement(first)), "1499;1498;1497");
      },
      "CREATE TABLE t (a int PRIMARY KEY)");
}

// --- changes ---

Plan insert_into(const query::RelationPtr& relation, const std::vector<IntegerRow>& rows) {
  plan::ModifyTable node;
  node.relation = relation;
  node.returning = true;
  return make(std::move(node), {values(rows)}, {column(1), column(2)});
}

TEST(ExecutorTables, ConstraintsAreKept) {
  with_runner(
      [](TestNode&, PlanRunner& runner) {
        const query::RelationPtr relation = runner.relation("t");
        EXPECT_EQ(runner.outcome(statement(insert_into(relation, {{1, 10}, {2, {}}}))), "1|10;2|null");
        EXPECT_EQ(runner.outcome(statement(insert_into(relation, {{{}, 10}}))),
                  "23502 null value in column \"id\" of relation \"t\" violates not-null constraint"
                  " / Failing row contains (null, 10).");
        runner.rollback();
        const query::RelationPtr again = runner.relation("t");
        EXPECT_EQ(runner.outcome(statement(insert_into(again, {{1, 10}, {1, 11}}))),
                  "23505 duplicate key value violates unique constraint \"t_pkey\" / Key (id)=(1) already exists.");
      },
      "CREATE TABLE t (id int PRIMARY KEY, n int)");
}

// UPDATE t SET n = <value> FROM child; the child's row begins with the new value, then ctid.
plan::ModifyTable change(const query::RelationPtr& relation, query::Command command) {
  plan::ModifyTable node;
  node.command = command;
  node.relation = relation;
  if (command == query::Command::update) node.columns = {2};
  node.tid_column = command == query::Command::update ? 2 : 1;
  node.entry = 0;
  return node;
}

TEST(ExecutorTables, UpdateDeleteReturning) {
  with_runner(
      [](TestNode&, PlanRunner& runner) {
        const query::RelationPtr relation = runner.relation("t");
        Plan scan = seq_scan(relation, true, 0);
        scan.conditions = {operation(">", column(2), number(15))};
        scan.targets = {{operation("+", column(2), number(1)), ""}, {column(3, TypeId::text), ""}};
        plan::ModifyTable update = change(relation, query::Command::update);
        update.returning = true;
        EXPECT_EQ(runner.outcome(statement(make(update, {scan}, {column(1), column(2)}))), "2|21;3|31");
        Plan gone = seq_scan(relation, true, 0);
        gone.conditions = {operation("=", column(2), number(21))};
        gone.targets = {{column(3, TypeId::text), ""}};
        EXPECT_EQ(runner.outcome(statement(make(change(relation, query::Command::remove), {gone}))), "1");
        EXPECT_EQ(runner.outcome(statement(seq_scan(relation))), "1|10;3|31");
      },
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)");
}

TEST(ExecutorTables, OnConflict) {
  with_runner(
      [](TestNode&, PlanRunner& runner) {
        const query::RelationPtr relation = runner.relation("t");
        plan::ModifyTable node;
        node.relation = relation;
        node.returning = true;
        node.conflict = plan::ModifyTable::Conflict{};
        node.conflict->arbiters = {0};
        const auto upsert = [&](const std::vector<IntegerRow>& rows) {
          return runner.outcome(statement(make(node, {values(rows)}, {column(1), column(2)})));
        };
        EXPECT_EQ(upsert({{1, 5}, {2, 6}, {2, 7}}), "2|6") << "nothing is done about what is there";
        node.conflict->update = true;
        node.conflict->columns = {2};
        node.conflict->values = {operation("+", column(2), column(2, TypeId::int4, 1))};
        node.conflict->conditions = {operation("<", column(2, TypeId::int4, 1), number(100))};
        EXPECT_EQ(upsert({{1, 5}, {3, 8}, {2, 100}}), "1|15;3|8");
        EXPECT_EQ(upsert({{9, 1}, {9, 2}}), "21000 ON CONFLICT DO UPDATE command cannot affect row a second time");
      },
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 10)");
}

// --- rows that change meanwhile ---

// Runs the plan while another transaction has changed `t` and is about to commit.
std::string after_wait(const std::string& others_change, const std::function<PlannedStatement(PlanRunner&)>& make_plan,
                       txn::IsolationLevel isolation = txn::IsolationLevel::read_committed) {
  std::string result;
  with_runner(
      [&](TestNode& node, PlanRunner& runner) {
        TestSession other = node.connect();
        other.run("BEGIN; " + others_change);
        runner.isolation = isolation;
        bool done = false;
        const sim::TaskRef task = node.spawn([&] {
          result = runner.outcome(make_plan(runner));
          done = true;
        });
        node.sleep_ms(10);
        EXPECT_FALSE(done) << "it waits for the row";
        other.run("COMMIT");
        node.join({task});
        if (result.find(' ') == std::string::npos) {
          runner.commit();
          result += ", " + other.run("SELECT id, n FROM t ORDER BY id");
        }
      },
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 10), (2, 20);"
      "CREATE TABLE u (id int, m int); INSERT INTO u VALUES (1, 100), (2, 200), (3, 300)");
  return result;
}

PlannedStatement update_joined(PlanRunner& runner) {
  // UPDATE t SET n = t.n + u.m FROM u WHERE t.id = u.id AND t.n < 50
  const query::RelationPtr t = runner.relation("t");
  const query::RelationPtr u = runner.relation("u");
  Plan left = seq_scan(t, true, 0);
  left.conditions = {operation("<", column(2), number(50))};
  plan::HashJoin join;
  join.left_keys = join.right_keys = {column(1)};
  join.key_types = {TypeId::int4};
  Plan joined = make(
      std::move(join), {std::move(left), seq_scan(u, true, 1)},
      {operation("+", column(2), column(2, TypeId::int4, 1)), column(3, TypeId::text), column(3, TypeId::text, 1)});
  plan::ModifyTable update = change(t, query::Command::update);
  update.others = {{u, {}, 3, 1}};
  return statement(make(std::move(update), {std::move(joined)}));
}

TEST(ExecutorTables, ChangedRowsAreLookedAtAgainWithTheRowsTheyWereJoinedTo) {
  EXPECT_EQ(after_wait("UPDATE t SET n = 11 WHERE id = 1", update_joined), "2, 1|111;2|220");
  EXPECT_EQ(after_wait("UPDATE t SET n = 60 WHERE id = 1", update_joined), "1, 1|60;2|220");
  EXPECT_EQ(after_wait("UPDATE t SET id = 3 WHERE id = 1", update_joined), "1, 2|220;3|10")
      << "the row of u that it was joined to does not match any more, and no other is looked for";
  EXPECT_EQ(after_wait("DELETE FROM t WHERE id = 1", update_joined), "1, 2|220");
  EXPECT_EQ(after_wait("UPDATE t SET n = 11 WHERE id = 1", update_joined, txn::IsolationLevel::repeatable_read),
            "40001 could not serialize access due to concurrent update");
}

PlannedStatement lock_joined(PlanRunner& runner) {
  // SELECT t.n, u.m FROM t LEFT JOIN u ON ... FOR UPDATE OF t
  const query::RelationPtr t = runner.relation("t");
  const query::RelationPtr u = runner.relation("u");
  plan::NestedLoop join;
  join.type = plan::PlanJoin::left;
  join.condition = {operation("=", column(1), column(1, TypeId::int4, 1)), operation("<", column(2), number(50))};
  Plan joined = make(std::move(join), {seq_scan(t, true, 0), seq_scan(u, true, 1)},
                     {column(2), column(2, TypeId::int4, 1), column(3, TypeId::text), column(3, TypeId::text, 1)});
  plan::LockRows lock;
  lock.marks = {{t, {0, syntax::LockStrength::update, syntax::LockWait::block}, 3, 0},
                {u, {1, syntax::LockStrength::none, syntax::LockWait::block}, 4, 1}};
  return statement(make(std::move(lock), {std::move(joined)}, {column(1), column(2)}));
}

TEST(ExecutorTables, LockedRowsAreTheNewest) {
  EXPECT_EQ(after_wait("UPDATE t SET n = 11 WHERE id = 1", lock_joined), "11|100;20|200, 1|11;2|20");
  EXPECT_EQ(after_wait("UPDATE t SET n = 60 WHERE id = 1", lock_joined), "60|null;20|200, 1|60;2|20");
  EXPECT_EQ(after_wait("DELETE FROM t WHERE id = 1", lock_joined), "20|200, 2|20");
}

// --- common tables ---

TEST(ExecutorTables, CommonTablesThatChangeDataAreRunToTheEnd) {
  with_runner(
      [](TestNode&, PlanRunner& runner) {
        const query::RelationPtr relation = runner.relation("t");
        PlannedStatement planned = statement(make(plan::Limit{big(1), nullptr, {}}, {make(plan::CommonTableScan{0})}));
        planned.subplans.resize(1);
        planned.subplans[0].kind = plan::SubplanDefinition::Kind::common_table;
        planned.subplans[0].changes_data = true;
        planned.subplans[0].plan = std::make_shared<const Plan>(insert_into(relation, {{1, 10}, {2, 20}, {3, 30}}));
        EXPECT_EQ(runner.outcome(planned), "1|10");
        EXPECT_EQ(runner.outcome(statement(seq_scan(relation))), "1|10;2|20;3|30");
      },
      "CREATE TABLE t (id int PRIMARY KEY, n int)");
}

}  // namespace
}  // namespace polarsim::engine::executor::testing
