// Nodes over rows that the plan itself gives.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "engine/executor/executor_test_support.h"

namespace polarsim::engine::executor::testing {
namespace {

using plan::PlanJoin;

std::string joined(std::vector<std::string> rows) {
  std::sort(rows.begin(), rows.end());
  std::string text;
  for (const std::string& row : rows) text += row + ";";
  return text;
}
std::string sorted_rows(const std::string& text) {
  std::vector<std::string> rows;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(';', at), text.size());
    rows.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return joined(std::move(rows));
}
std::string shown(const IntegerRow& row) {
  std::string text;
  for (const std::optional<int>& value : row)
    text += (text.empty() ? "" : "|") + (value ? std::to_string(*value) : "null");
  return text;
}
std::string shown(IntegerRow left, const IntegerRow& right) {
  left.insert(left.end(), right.begin(), right.end());
  return shown(left);
}

// --- joins against loops over vectors ---

// Rows of a key and a number. The join is on equal keys and left number <= right number.
std::string expected_join(PlanJoin type, const std::vector<IntegerRow>& left, const std::vector<IntegerRow>& right) {
  std::vector<std::string> rows;
  std::vector<bool> right_matched(right.size(), false);
  const IntegerRow none(2);
  for (const IntegerRow& l : left) {
    bool matched = false;
    for (std::size_t i = 0; i < right.size(); ++i) {
      const IntegerRow& r = right[i];
      if (!l[0] || !r[0] || *l[0] != *r[0] || *l[1] > *r[1]) continue;
      right_matched[i] = true;
      if (type == PlanJoin::anti || (type == PlanJoin::semi && matched)) {
        matched = true;
        continue;
      }
      matched = true;
      rows.push_back(type == PlanJoin::semi ? shown(l) : shown(l, r));
    }
    if (matched) continue;
    if (type == PlanJoin::left || type == PlanJoin::full) rows.push_back(shown(l, none));
    if (type == PlanJoin::anti) rows.push_back(shown(l));
  }
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (!right_matched[i] && (type == PlanJoin::right || type == PlanJoin::full)) rows.push_back(shown(none, right[i]));
  }
  return joined(std::move(rows));
}

std::vector<ExpressionPtr> join_targets(PlanJoin type) {
  std::vector<ExpressionPtr> targets{column(1), column(2)};
  if (type == PlanJoin::semi || type == PlanJoin::anti) return targets;
  targets.push_back(column(1, TypeId::int4, 1));
  targets.push_back(column(2, TypeId::int4, 1));
  return targets;
}

const std::vector<ExpressionPtr> no_more{operation("<=", column(2), column(2, TypeId::int4, 1))};

Plan nested_loop(PlanJoin type, Plan left, Plan right) {
  plan::NestedLoop node;
  node.type = type;
  node.condition = no_more;
  node.condition.push_back(operation("=", column(1), column(1, TypeId::int4, 1)));
  return make(std::move(node), {std::move(left), std::move(right)}, join_targets(type));
}
Plan hash_join(PlanJoin type, Plan left, Plan right) {
  plan::HashJoin node;
  node.type = type;
  node.left_keys = node.right_keys = {column(1)};
  node.key_types = {TypeId::int4};
  node.condition = no_more;
  return make(std::move(node), {std::move(left), std::move(right)}, join_targets(type));
}
Plan merge_join(PlanJoin type, bool descending, Plan left, Plan right) {
  plan::MergeJoin node;
  node.type = type;
  node.left_keys = node.right_keys = {column(1)};
  node.order = {key(1, descending, descending)};
  node.condition = no_more;
  const plan::Sort sort{{key(1, descending, descending)}};
  return make(std::move(node), {make(sort, {std::move(left)}), make(sort, {std::move(right)})}, join_targets(type));
}

RC_GTEST_PROP(ExecutorNodes, JoinsAreWhatLoopsOverVectorsGive, ()) {
  const auto side = [] {
    std::vector<IntegerRow> rows;
    const int count = *rc::gen::inRange(0, 12);
    for (int i = 0; i < count; ++i) {
      const int key = *rc::gen::inRange(-1, 5);
      rows.push_back({key < 0 ? std::nullopt : std::optional(key), *rc::gen::inRange(0, 6)});
    }
    return rows;
  };
  const std::vector<IntegerRow> left = side();
  std::vector<IntegerRow> right = side();
  // VALUES without rows have no columns.
  if (left.empty() || right.empty()) return;
  const std::size_t memory = *rc::gen::element<std::size_t>(1, 300, default_work_memory_bytes);
  with_runner([&](TestNode&, PlanRunner& runner) {
    runner.work_memory_bytes = memory;
    const auto check = [&](PlanJoin type, Plan plan) {
      EXPECT_EQ(sorted_rows(runner.outcome(statement(std::move(plan)))), expected_join(type, left, right))
          << plan::to_string(type);
    };
    for (const PlanJoin type : {PlanJoin::inner, PlanJoin::left, PlanJoin::semi, PlanJoin::anti})
      check(type, nested_loop(type, values(left), values(right)));
    for (const PlanJoin type :
         {PlanJoin::inner, PlanJoin::left, PlanJoin::right, PlanJoin::full, PlanJoin::semi, PlanJoin::anti}) {
      check(type, hash_join(type, values(left), values(right)));
      check(type, merge_join(type, false, values(left), values(right)));
      check(type, merge_join(type, true, values(left), values(right)));
    }
  });
}

// --- sorting, limits ---

RC_GTEST_PROP(ExecutorNodes, SortingIsStableInMemoryAndOnDisk, ()) {
  std::vector<IntegerRow> rows;
  const int count = *rc::gen::inRange(1, 60);
  for (int i = 0; i < count; ++i) {
    const int value = *rc::gen::inRange(-1, 8);
    rows.push_back({value < 0 ? std::nullopt : std::optional(value), i});
  }
  const bool descending = *rc::gen::arbitrary<bool>();
  const bool nulls_first = *rc::gen::arbitrary<bool>();
  const int limit = *rc::gen::inRange(0, 70);
  const std::size_t memory = *rc::gen::element<std::size_t>(1, 200, default_work_memory_bytes);
  std::vector<IntegerRow> expected = rows;
  std::sort(expected.begin(), expected.end(), [&](const IntegerRow& a, const IntegerRow& b) {
    if (a[0].has_value() != b[0].has_value()) return a[0].has_value() != nulls_first;
    if (a[0] != b[0]) return descending ? *a[0] > *b[0] : *a[0] < *b[0];
    return *a[1] < *b[1];
  });
  std::string all;
  std::string first;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    all += (i == 0 ? "" : ";") + shown(expected[i]);
    if (static_cast<int>(i) < limit) first += (i == 0 ? "" : ";") + shown(expected[i]);
  }
  with_runner([&](TestNode&, PlanRunner& runner) {
    runner.work_memory_bytes = memory;
    const Plan sort = make(plan::Sort{{key(1, descending, nulls_first)}}, {values(rows)});
    EXPECT_EQ(runner.outcome(statement(sort)), all);
    EXPECT_EQ(runner.outcome(statement(make(plan::Limit{big(limit), nullptr, {}}, {sort}))), first);
  });
}

TEST(ExecutorNodes, LimitOffsetTies) {
  const auto limited = [](ExpressionPtr limit, ExpressionPtr offset, std::vector<plan::SortKey> ties) {
    return run(
        make(plan::Limit{std::move(limit), std::move(offset), std::move(ties)}, {values({{1}, {2}, {2}, {2}, {3}})}));
  };
  EXPECT_EQ(limited(big(2), nullptr, {}), "1;2");
  EXPECT_EQ(limited(big(2), big(3), {}), "2;3");
  EXPECT_EQ(limited(nullptr, big(4), {}), "3");
  EXPECT_EQ(limited(constant(Value::null(), TypeId::int8), nullptr, {}), "1;2;2;2;3");
  EXPECT_EQ(limited(big(2), nullptr, {key(1)}), "1;2;2;2");
  EXPECT_EQ(limited(big(0), nullptr, {key(1)}), "");
  EXPECT_EQ(limited(big(-1), nullptr, {}), "2201W LIMIT must not be negative");
  EXPECT_EQ(limited(nullptr, big(-1), {}), "2201X OFFSET must not be negative");
}

// --- groups ---

TEST(ExecutorNodes, AggregatesOfGroups) {
  const std::vector<IntegerRow> rows{{1, 10}, {1, 20}, {2, {}}, {{}, 5}, {1, 20}, {{}, 7}};
  plan::Aggregate node;
  node.groups = {key(1)};
  node.aggregates = {aggregate("count", {}), aggregate("sum", {column(2)}), aggregate("count", {column(2)})};
  node.aggregates.push_back(aggregate("count", {column(2)}));
  node.aggregates.back().distinct = true;
  node.aggregates.push_back(aggregate("sum", {column(2)}));
  node.aggregates.back().filter = operation(">", column(2), number(10));
  node.strategy = plan::Aggregate::Strategy::hashed;
  EXPECT_EQ(run(make(node, {values(rows)})), "1|3|50|3|2|40;2|1|null|0|0|null;null|2|12|2|2|null");
  node.strategy = plan::Aggregate::Strategy::sorted;
  EXPECT_EQ(run(make(node, {make(plan::Sort{{key(1)}}, {values(rows)})})),
            "1|3|50|3|2|40;2|1|null|0|0|null;null|2|12|2|2|null");
  node.groups.clear();
  node.strategy = plan::Aggregate::Strategy::plain;
  EXPECT_EQ(run(make(node, {values(rows)})), "6|62|5|4|40");
  Plan nothing = values(rows);
  nothing.conditions = {constant(Value::boolean(false), TypeId::boolean)};
  EXPECT_EQ(run(make(node, {nothing})), "0|null|0|0|null");
}

TEST(ExecutorNodes, GroupingSets) {
  plan::Aggregate node;
  node.groups = {key(1), key(2)};
  node.sets = {{0, 1}, {0}, {}};
  node.aggregates = {aggregate("sum", {column(3)})};
  node.grouping = {{0, 1}};
  node.strategy = plan::Aggregate::Strategy::hashed;
  EXPECT_EQ(run(make(node, {values({{1, 1, 5}, {1, 2, 6}, {2, 1, 7}})})),
            "1|1|5|0;1|2|6|0;2|1|7|0;1|null|11|1;2|null|7|1;null|null|18|3");
}

TEST(ExecutorNodes, GroupsThatDoNotFitGoToDisk) {
  constexpr int rows = 20'000;
  constexpr int groups = 7'000;
  std::vector<IntegerRow> input;
  for (int i = 0; i < rows; ++i) input.push_back({i * 31 % groups, i % 3, i});
  plan::Aggregate node;
  node.groups = {key(1), key(2)};
  node.sets = {{0}, {}, {1}};
  node.aggregates = {aggregate("count", {}), aggregate("sum", {column(3)})};
  node.strategy = plan::Aggregate::Strategy::hashed;
  std::map<int, std::pair<int, std::int64_t>> by_first;
  std::map<int, std::pair<int, std::int64_t>> by_second;
  for (const IntegerRow& row : input) {
    for (const auto& [sums, group] : {std::pair(&by_first, *row[0]), std::pair(&by_second, *row[1])}) {
      ++(*sums)[group].first;
      (*sums)[group].second += *row[2];
    }
  }
  std::vector<std::string> expected{"null|null|20000|199990000"};
  for (const auto& [group, sums] : by_first)
    expected.push_back(std::to_string(group) + "|null|" + std::to_string(sums.first) + "|" +
                       std::to_string(sums.second));
  for (const auto& [group, sums] : by_second)
    expected.push_back("null|" + std::to_string(group) + "|" + std::to_string(sums.first) + "|" +
                       std::to_string(sums.second));
  std::sort(expected.begin(), expected.end());
  const PlannedStatement planned = statement(make(node, {values(input)}));
  for (const std::size_t memory : {default_work_memory_bytes, std::size_t{1} << 16, std::size_t{1} << 10}) {
    with_runner([&](TestNode&, PlanRunner& runner) {
      runner.work_memory_bytes = memory;
      std::vector<std::string> lines;
      std::istringstream text(runner.run(planned));
      for (std::string line; std::getline(text, line, ';');) lines.push_back(line);
      std::sort(lines.begin(), lines.end());
      EXPECT_EQ(lines, expected) << memory;
      const std::string told = runner.measured(planned);
      EXPECT_EQ(told.starts_with("Batches: 1  Memory Usage: "), memory == default_work_memory_bytes) << told;
      EXPECT_EQ(told.find("Disk Usage: ") != std::string::npos, memory != default_work_memory_bytes) << told;
    });
  }
}

TEST(ExecutorNodes, OrderedAndDistinctArguments) {
  plan::Aggregate node;
  plan::AggregateCall ordered;
  for (const FunctionEntry* entry : functions_named("array_agg")) {
    if (entry->arguments.at(0) == TypeId::any_nonarray) ordered.function = entry;
  }
  ASSERT_NE(ordered.function, nullptr);
  ordered.arguments = {column(1)};
  ordered.type = TypeId::int4_array;
  ordered.order_by = {{column(2), true, false}};
  plan::AggregateCall distinct = ordered;
  distinct.order_by = {{column(1), true, true}};
  distinct.distinct = true;
  node.aggregates = {ordered, distinct};
  EXPECT_EQ(run(make(node, {values({{3, 1}, {1, 2}, {3, 3}, {{}, 4}})})), "{NULL,3,1,3}|{NULL,3,1}");
}

// --- set operations, recursion ---

TEST(ExecutorNodes, SetOperationsCount) {
  const auto operate = [](query::SetOperator kind, bool all) {
    plan::SetOperation node{kind, all, {key(1)}};
    return run(make(node, {values({{1}, {1}, {1}, {2}, {{}}, {3}}), values({{1}, {1}, {{}}, {4}})}));
  };
  EXPECT_EQ(operate(query::SetOperator::intersect, false), "1;null");
  EXPECT_EQ(operate(query::SetOperator::intersect, true), "1;1;null");
  EXPECT_EQ(operate(query::SetOperator::except, false), "2;3");
  EXPECT_EQ(operate(query::SetOperator::except, true), "1;2;3");
}

TEST(ExecutorNodes, RecursionGoesOnUntilNothingIsFound) {
  const auto recursive = [](bool all, ExpressionPtr next, ExpressionPtr condition) {
    Plan work = make(plan::WorkTableScan{0}, {}, {std::move(next)});
    work.conditions = {std::move(condition)};
    PlannedStatement planned =
        statement(make(plan::RecursiveUnion{0, all, {key(1)}}, {values({{1}}), std::move(work)}));
    planned.work_tables = 1;
    std::string result;
    with_runner([&](TestNode&, PlanRunner& runner) { result = runner.outcome(planned); });
    return result;
  };
  EXPECT_EQ(recursive(true, operation("+", column(1), number(1)), operation("<", column(1), number(5))), "1;2;3;4;5");
  EXPECT_EQ(recursive(false, operation("%", operation("+", column(1), number(1)), number(4)),
                      operation("<", column(1), number(100))),
            "1;2;3;0");
}

// --- windows ---

using Window = query::Window;

// sum of the second column and first_value over a frame of rows or groups, ordered by the first column.
RC_GTEST_PROP(ExecutorNodes, FramesAreWhatTheirDefinitionSays, ()) {
  std::vector<IntegerRow> rows;
  const int count = *rc::gen::inRange(1, 12);
  for (int i = 0; i < count; ++i) rows.push_back({*rc::gen::inRange(0, 5), *rc::gen::inRange(0, 50)});
  std::sort(rows.begin(), rows.end());
  plan::WindowAgg node;
  node.order_by = {key(1)};
  node.window.mode = *rc::gen::element(Window::Mode::rows, Window::Mode::groups);
  node.window.start = *rc::gen::element(Window::Bound::unbounded_preceding, Window::Bound::preceding,
                                        Window::Bound::current_row, Window::Bound::following);
  node.window.end = *rc::gen::element(Window::Bound::unbounded_following, Window::Bound::preceding,
                                      Window::Bound::current_row, Window::Bound::following);
  node.window.exclusion = *rc::gen::element(Window::Exclusion::nothing, Window::Exclusion::current_row,
                                            Window::Exclusion::group, Window::Exclusion::ties);
  const int start_offset = *rc::gen::inRange(0, 4);
  const int end_offset = *rc::gen::inRange(0, 4);
  node.window.start_offset = big(start_offset);
  node.window.end_offset = big(end_offset);
  const plan::AggregateCall sum = aggregate("sum", {column(2)});
  node.calls = {{sum.function, sum.arguments, nullptr, false, sum.type},
                {functions_named("first_value")[0], {column(2)}, nullptr, false, TypeId::int4}};

  std::vector<int> group_of;
  for (std::size_t i = 0; i < rows.size(); ++i)
    group_of.push_back(i == 0 ? 0 : group_of.back() + (rows[i][0] != rows[i - 1][0] ? 1 : 0));
  std::string expected;
  for (int i = 0; i < count; ++i) {
    const auto at = [&](int row) {
      return node.window.mode == Window::Mode::rows ? row : group_of[static_cast<std::size_t>(row)];
    };
    const auto distance = [](Window::Bound bound, int offset) {
      if (bound == Window::Bound::preceding) return -offset;
      return bound == Window::Bound::following ? offset : 0;
    };
    std::optional<int> total;
    std::optional<int> first;
    for (int j = 0; j < count; ++j) {
      if (node.window.start != Window::Bound::unbounded_preceding &&
          at(j) < at(i) + distance(node.window.start, start_offset))
        continue;
      if (node.window.end != Window::Bound::unbounded_following &&
          at(j) > at(i) + distance(node.window.end, end_offset))
        continue;
      const bool peer = group_of[static_cast<std::size_t>(i)] == group_of[static_cast<std::size_t>(j)];
      if (node.window.exclusion == Window::Exclusion::current_row && i == j) continue;
      if (node.window.exclusion == Window::Exclusion::group && peer) continue;
      if (node.window.exclusion == Window::Exclusion::ties && peer && i != j) continue;
      const int value = *rows[static_cast<std::size_t>(j)][1];
      total = total.value_or(0) + value;
      if (!first) first = value;
    }
    expected += (i == 0 ? "" : ";") + shown(rows[static_cast<std::size_t>(i)], {total, first});
  }
  RC_ASSERT(run(make(node, {values(rows)})) == expected);
}

TEST(ExecutorNodes, WindowFunctions) {
  plan::WindowAgg node;
  node.partition_by = {key(1)};
  node.order_by = {key(2)};
  const auto add = [&](const char* name, std::vector<ExpressionPtr> arguments) {
    for (const FunctionEntry* entry : functions_named(name)) {
      if (entry->kind != FunctionKind::window || entry->arguments.size() != arguments.size()) continue;
      node.calls.push_back({entry, std::move(arguments), nullptr, false, TypeId::int4});
      return;
    }
    FAIL() << name;
  };
  add("row_number", {});
  add("rank", {});
  add("dense_rank", {});
  add("percent_rank", {});
  add("cume_dist", {});
  add("ntile", {number(2)});
  add("lag", {column(2)});
  add("lead", {column(2), number(2), number(-1)});
  add("last_value", {column(2)});
  add("nth_value", {column(2), number(2)});
  EXPECT_EQ(run(make(node, {values({{1, 5}, {1, 5}, {1, 7}, {2, 1}})})),
            "1|5|1|1|1|0|0.6666666666666666|1|null|7|5|5;"
            "1|5|2|1|1|0|0.6666666666666666|1|5|-1|5|5;"
            "1|7|3|3|2|1|1|2|5|-1|7|5;"
            "2|1|1|1|1|0|1|1|null|-1|1|null");
}

TEST(ExecutorNodes, RangeOffsetsAreDistances) {
  plan::WindowAgg node;
  node.order_by = {key(1)};
  node.window.start = Window::Bound::preceding;
  node.window.start_offset = number(2);
  node.window.end = Window::Bound::following;
  node.window.end_offset = number(1);
  const plan::AggregateCall sum = aggregate("sum", {column(2)});
  node.calls = {{sum.function, sum.arguments, nullptr, false, sum.type}};
  const Plan rows = values({{1, 1}, {2, 10}, {4, 100}, {5, 1000}, {{}, 10000}, {{}, 20000}});
  EXPECT_EQ(run(make(node, {rows})), "1|1|11;2|10|11;4|100|1110;5|1000|1100;null|10000|30000;null|20000|30000");
  node.window.start_offset = number(-1);
  EXPECT_EQ(run(make(node, {rows})), "22013 invalid preceding or following size in window function");
}

// --- sets of rows, subplans ---

TEST(ExecutorNodes, SetsInTheSelectListAndInFrom) {
  const auto series = [](int first, ExpressionPtr last) {
    return call("generate_series", {number(first), std::move(last)});
  };
  EXPECT_EQ(
      run(make(plan::ProjectSet{}, {values({{2}, {0}, {1}})}, {column(1), series(1, column(1)), series(5, number(6))})),
      "2|1|5;2|2|6;0|null|5;0|null|6;1|1|5;1|null|6");
  plan::FunctionScan scan;
  scan.source.functions = {{series(1, number(3)), 1}, {series(7, number(8)), 1}};
  scan.source.with_ordinality = true;
  EXPECT_EQ(run(make(scan)), "1|7|1;2|8|2;3|null|3");
}

ExpressionPtr subplan(query::Subquery::Kind kind, ExpressionPtr left, const char* symbol, bool hashed) {
  query::Subplan node;
  node.kind = kind;
  node.hashed = hashed;
  if (left != nullptr) {
    node.comparisons = {find_operator(symbol, TypeId::int4, TypeId::int4)};
    node.left = {std::move(left)};
  }
  return query::make_expression(
      std::move(node), left == nullptr && kind == query::Subquery::Kind::scalar ? TypeId::int4 : TypeId::boolean);
}

TEST(ExecutorNodes, ComparisonsWithSubqueriesKnowNulls) {
  using Kind = query::Subquery::Kind;
  const auto compare = [](Kind kind, const char* symbol, bool hashed, const std::vector<IntegerRow>& inner) {
    PlannedStatement planned = statement(values({{1}, {2}, {{}}}));
    Plan root = make(plan::Result{}, {values({{1}, {2}, {{}}})}, {subplan(kind, column(1), symbol, hashed)});
    planned.plan = std::make_shared<const Plan>(std::move(root));
    planned.subplans.push_back({});
    planned.subplans[0].kind = plan::SubplanDefinition::Kind::correlated;
    planned.subplans[0].plan = std::make_shared<const Plan>(values(inner));
    std::string result;
    with_runner([&](TestNode&, PlanRunner& runner) { result = runner.outcome(planned); });
    return result;
  };
  for (const bool hashed : {false, true}) {
    EXPECT_EQ(compare(Kind::any, "=", hashed, {{1}, {3}}), "t;f;null");
    EXPECT_EQ(compare(Kind::any, "=", hashed, {{1}, {{}}}), "t;null;null");
  }
  EXPECT_EQ(compare(Kind::all, "<>", false, {{1}, {3}}), "f;t;null");
  EXPECT_EQ(compare(Kind::all, "<", false, {{2}, {{}}}), "null;f;null");
}

TEST(ExecutorNodes, CorrelatedAndInitialPlans) {
  query::Subplan node;
  node.kind = query::Subquery::Kind::scalar;
  node.arguments = {{0, column(1)}};
  Plan inner = values({{1, 10}, {2, 20}, {3, 30}, {3, 31}});
  inner.conditions = {operation("=", column(1), parameter(0))};
  inner.targets = {{column(2), ""}};
  const auto planned = [&](const std::vector<IntegerRow>& outer) {
    PlannedStatement made = statement(
        make(plan::Result{}, {values(outer)}, {column(1), query::make_expression(node, TypeId::int4), parameter(1)}));
    made.plan_parameters = 2;
    made.subplans.resize(2);
    made.subplans[0].kind = plan::SubplanDefinition::Kind::correlated;
    made.subplans[0].plan = std::make_shared<const Plan>(inner);
    made.subplans[1].plan = std::make_shared<const Plan>(values({{77}}));
    made.subplans[1].outputs = {1};
    return made;
  };
  with_runner([&](TestNode&, PlanRunner& runner) {
    EXPECT_EQ(runner.outcome(planned({{2}, {9}, {1}, {2}})), "2|20|77;9|null|77;1|10|77;2|20|77");
    EXPECT_EQ(runner.outcome(planned({{3}})), "21000 more than one row returned by a subquery used as an expression");
  });
}

TEST(ExecutorNodes, LateralSidesAreRunAgain) {
  plan::NestedLoop loop;
  loop.type = PlanJoin::left;
  loop.parameters = {{0, column(1)}};
  Plan series =
      make(plan::Sort{{key(1, true)}},
           {make(plan::FunctionScan{{{{call("generate_series", {number(1), parameter(0)}), 1}}, false, true}})});
  PlannedStatement planned = statement(make(loop, {values({{2}, {0}, {2}, {1}}), series}));
  planned.plan_parameters = 1;
  with_runner([&](TestNode&, PlanRunner& runner) { EXPECT_EQ(runner.outcome(planned), "2|2;2|1;0|null;2|2;2|1;1|1"); });
}

}  // namespace
}  // namespace polarsim::engine::executor::testing
