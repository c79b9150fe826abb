// Rows that come from outside: a query's entry without a table, planned and run.
#include <gtest/gtest.h>

#include "engine/executor/executor_test_support.h"
#include "engine/plan/planner.h"

namespace polarsim::engine::executor::testing {
namespace {

class Numbers final : public query::CustomRows {
 public:
  explicit Numbers(int count) : count_(count) {}
  const char* name() const override { return "Numbers"; }
  int count() const { return count_; }

 private:
  int count_;
};

// Rows (1, 10), (2, 20), ...
class NumberSource final : public CustomRowSource {
 public:
  int opened = 0;
  std::unique_ptr<Rows> open(const plan::CustomScan& scan) override {
    ++opened;
    return std::make_unique<NumberRows>(dynamic_cast<const Numbers&>(scan).count());
  }

 private:
  class NumberRows final : public Rows {
   public:
    explicit NumberRows(int count) : count_(count) {}
    bool next(RowView& row) override {
      if (at_ == count_) return false;
      ++at_;
      row_ = {Value::integer(at_), Value::integer(at_ * 10)};
      row = row_;
      return true;
    }

   private:
    int count_;
    int at_ = 0;
    Row row_;
  };
};

void add_entry(query::Query& query, int count, const std::string& alias) {
  query::RangeTableEntry entry;
  entry.source = query::CustomSource{std::make_shared<Numbers>(count)};
  entry.alias = alias;
  entry.columns = {{"n", TypeId::int4}, {"tenfold", TypeId::int4}};
  auto tree = std::make_shared<query::JoinTree>();
  tree->entry = static_cast<int>(query.entries.size());
  query.entries.push_back(std::move(entry));
  query.from.push_back(std::move(tree));
}
query::Target target(ExpressionPtr expression) {
  query::Target made;
  made.expression = std::move(expression);
  made.name = "x";
  return made;
}

// The rows of the query, or its error.
std::string rows_of(const query::Query& query, CustomRowSource* source) {
  std::string rows;
  with_runner([&](TestNode&, PlanRunner& runner) {
    const CallContext call;
    const plan::PlannerSettings settings;
    runner.custom_rows = source;
    rows = runner.outcome(*plan::plan_query(std::make_shared<const query::Query>(query), {call, settings}));
  });
  return rows;
}

TEST(CustomRows, are_filtered_and_grouped) {
  query::Query query;
  add_entry(query, 5, "a");
  query.where = operation(">", column(1), number(2));
  query::Aggregate sum;
  sum.function = find_function("sum", std::vector<TypeId>{TypeId::int4});
  sum.arguments = {column(2)};
  query.targets = {target(query::make_expression(sum, TypeId::int8))};
  query.grouped = true;
  NumberSource source;
  EXPECT_EQ(rows_of(query, &source), "120");
  EXPECT_EQ(source.opened, 1);
}

TEST(CustomRows, are_joined_with_others) {
  query::Query query;
  add_entry(query, 3, "a");
  add_entry(query, 30, "b");
  query.where = operation("=", column(2, TypeId::int4, 0), column(1, TypeId::int4, 1));
  query.targets = {target(column(1, TypeId::int4, 0)), target(column(2, TypeId::int4, 1))};
  query.order_by = {{0, false, false}};
  NumberSource source;
  EXPECT_EQ(rows_of(query, &source), "1|100;2|200;3|300");
}

TEST(CustomRows, need_somebody_who_gives_them) {
  query::Query query;
  add_entry(query, 3, "a");
  query.targets = {target(column(1))};
  EXPECT_EQ(rows_of(query, nullptr), "XX000 nobody gives the rows of a custom scan");
}

}  // namespace
}  // namespace polarsim::engine::executor::testing
