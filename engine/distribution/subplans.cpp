#include "engine/distribution/subplans.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/distribution/columns.h"
#include "engine/distribution/dependent_columns.h"
#include "engine/distribution/entries.h"
#include "engine/query/expression_walk.h"
#include "engine/query/unused_outputs.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::JoinTree;
using query::JoinTreePtr;
using query::Query;
using query::QueryPtr;

ExpressionPtr column_at(int entry, std::size_t position, Type type) {
  return query::make_expression(query::Column{entry, static_cast<int>(position) + 1, 0}, type);
}

// EXISTS (SELECT FROM t): its rows are to be counted, at least, and a result without columns cannot be written as SQL.
bool has_columns(const Query& query) {
  return query.command != query::Command::select ||
         std::any_of(query.targets.begin(), query.targets.end(),
                     [](const query::Target& target) { return !target.hidden; });
}

QueryPtr with_a_column(const QueryPtr& query) {
  if (query->set_operation)
    throw SqlError(sqlstate::feature_not_supported, "set operations without columns are not supported here");
  auto copy = std::make_shared<Query>(*query);
  query::Target target;
  target.expression = query::make_expression(query::Constant{Value::null()}, TypeId::int4);
  target.name = "dummy";
  copy->targets.push_back(std::move(target));
  return copy;
}

JoinTreePtr leaf(int entry) {
  auto tree = std::make_shared<JoinTree>();
  tree->entry = entry;
  return tree;
}

// SELECT intermediate_result.* FROM read_intermediate_result(...) AS intermediate_result (...)
QueryPtr reading_query(std::shared_ptr<const IntermediateResult> rows, const std::vector<query::OutputName>& columns) {
  auto query = std::make_shared<Query>();
  query::RangeTableEntry entry;
  entry.source = query::CustomSource{std::move(rows)};
  entry.alias = "intermediate_result";
  entry.alias_written = true;
  entry.columns = columns;
  // A function in FROM has a column at least; nobody looks at it.
  if (columns.empty()) entry.columns.push_back({"nothing", TypeId::int4});
  query->entries.push_back(std::move(entry));
  query->from.push_back(leaf(0));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    query::Target target;
    target.expression = column_at(0, i, columns[i].type);
    target.name = columns[i].name;
    query->targets.push_back(std::move(target));
  }
  return query;
}

}  // namespace

QueryPtr SubplanList::make_of(DistributedPlanPtr plan, std::optional<Partitioning> partition) {
  for (const query::OutputName& column : plan->columns) {
    if (!is_pseudo_type(column.type.id)) continue;
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("intermediate results cannot have a column \"{}\" of pseudo-type {}", column.name,
                               type_name(column.type.id)));
  }
  generic_ = generic_ && plan->generic;
  Subplan subplan;
  subplan.plan = std::move(plan);
  subplan.name = fmt::format("{}_{}", plan_, subplans_.size() + 1);
  subplan.partition = std::move(partition);
  auto rows = std::make_shared<IntermediateResult>(subplan.name, subplan.partition.has_value());
  subplans_.push_back(std::move(subplan));
  return reading_query(std::move(rows), subplans_.back().plan->columns);
}

QueryPtr SubplanList::make(const QueryPtr& query) {
  if (has_columns(*query)) return make_of(plan_distributed(query, inputs_));
  auto reading = std::make_shared<Query>(*make_of(plan_distributed(with_a_column(query), inputs_)));
  reading->targets.clear();
  return reading;
}

void SubplanList::make_afterwards(const QueryPtr& query) {
  make(query);
  subplans_.back().afterwards = true;
}

QueryPtr SubplanList::make_partitioned(const QueryPtr& query, Partitioning partition) {
  return make_of(plan_distributed(query, inputs_), std::move(partition));
}

QueryPtr replace_subquery(const QueryPtr& query, const Query* wanted, SubplanList& subplans) {
  QueryPtr made;
  DeepRewrite rewrite;
  rewrite.inner = [&](const QueryPtr& inner, int) -> QueryPtr {
    if (inner.get() != wanted) return nullptr;
    if (!made) made = subplans.make(inner);
    return made;
  };
  return rewrite_deep(query, rewrite);
}

// --- tables ---

namespace {

// The conditions that a row of the entry has to fulfil to be in any row of FROM: those of WHERE and of inner joins, as
// long as no outer join on the way down may do without the row; and of such an outer join itself.
bool add_conditions(const JoinTree& tree, int entry, std::vector<ExpressionPtr> above,
                    std::vector<ExpressionPtr>& found) {
  if (tree.is_leaf()) {
    if (tree.entry == entry) found = std::move(above);
    return tree.entry == entry;
  }
  using query::JoinType;
  const auto of_side = [&](bool optional, bool kept) {
    std::vector<ExpressionPtr> conditions;
    if (!optional) conditions = above;
    if (!kept && tree.condition) conditions.push_back(tree.condition);
    return conditions;
  };
  const bool full = tree.type == JoinType::full;
  const bool left = tree.type == JoinType::left;
  const bool right = tree.type == JoinType::right;
  return add_conditions(*tree.left, entry, of_side(right || full, left || full), found) ||
         add_conditions(*tree.right, entry, of_side(left || full, right || full), found);
}

std::vector<ExpressionPtr> conjuncts_about(const Query& query, int entry) {
  std::vector<ExpressionPtr> conditions;
  std::vector<ExpressionPtr> around;
  if (query.where) around.push_back(query.where);
  for (const JoinTreePtr& tree : query.from) {
    if (add_conditions(*tree, entry, around, conditions)) break;
  }
  std::vector<ExpressionPtr> conjuncts;
  for (const ExpressionPtr& condition : conditions) add_conjuncts(condition, conjuncts);
  return conjuncts;
}

// Whether nothing is looked at but the entry's own columns.
bool is_about(const ExpressionPtr& condition, int entry) {
  if (query::contains_volatility(condition, Volatility::volatile_function)) return false;
  bool only = true;
  bool any = false;
  query::walk(condition, [&](const query::Expression& each, int) {
    if (each.as<query::Subquery>()) only = false;
    if (const auto* column = each.as<query::Column>()) {
      any = true;
      only = only && column->levels_up == 0 && column->entry == entry && column->column > 0;
    }
    return only;
  });
  return only && any;
}

// Columns of the entry that the query uses, or queries inside it.
class UsedColumns {
 public:
  UsedColumns(const Query& level, int entry, std::size_t count) : level_(level), entry_(entry), used_(count, 0) {}

  std::vector<char> run() {
    // A join lists all columns of what it joins: those count that somebody asks for.
    Query bare = level_;
    for (query::RangeTableEntry& entry : bare.entries) {
      if (auto* join = std::get_if<query::JoinSource>(&entry.source)) join->columns.clear();
    }
    query::walk(bare, [&](const query::Expression& each, int levels) { return visit(each, levels); });
    return std::move(used_);
  }

 private:
  bool visit(const query::Expression& expression, int levels) {
    const auto* column = expression.as<query::Column>();
    if (column == nullptr || column->levels_up != levels) return true;
    const query::RangeTableEntry& source = level_.entries[static_cast<std::size_t>(column->entry)];
    if (const auto* join = std::get_if<query::JoinSource>(&source.source)) {
      visit_join(*join, *column);
    } else if (column->entry == entry_) {
      use(column->column);
    }
    return true;
  }
  void visit_join(const query::JoinSource& join, const query::Column& column) {
    for (std::size_t i = 0; i < join.columns.size(); ++i) {
      if (column.column != query::Column::whole_row && column.column != static_cast<int>(i) + 1) continue;
      query::walk(join.columns[i], [&](const query::Expression& each, int levels) { return visit(each, levels); });
    }
  }
  void use(int column) {
    if (column < 0) {
      throw SqlError(sqlstate::feature_not_supported,
                     "system columns of tables whose rows are sent elsewhere are not supported");
    }
    if (column == query::Column::whole_row) return std::fill(used_.begin(), used_.end(), static_cast<char>(1));
    used_[static_cast<std::size_t>(column - 1)] = 1;
  }

  const Query& level_;
  int entry_;
  std::vector<char> used_;
};

}  // namespace

std::vector<int> used_columns(const Query& level, int entry) {
  const query::RangeTableEntry& source = level.entries[static_cast<std::size_t>(entry)];
  const std::vector<char> used = UsedColumns(level, entry, source.columns.size()).run();
  std::vector<int> columns;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] != 0 && !source.columns[i].name.empty()) columns.push_back(static_cast<int>(i) + 1);
  }
  return columns;
}

QueryPtr query_of_entry(const Query& level, int entry, std::vector<int>& columns) {
  const query::RangeTableEntry& source = level.entries[static_cast<std::size_t>(entry)];
  const auto* function = std::get_if<query::FunctionSource>(&source.source);
  const auto* values = std::get_if<query::ValuesSource>(&source.source);
  if ((function && function->lateral) || (values && values->lateral)) {
    throw SqlError(sqlstate::feature_not_supported,
                   "volatile functions of other tables' columns in FROM are not supported with distributed tables");
  }
  columns = used_columns(level, entry);
  auto query = std::make_shared<Query>();
  query->entries.push_back(source);
  query->from.push_back(leaf(0));
  std::vector<ExpressionPtr> own;
  for (const ExpressionPtr& conjunct : conjuncts_about(level, entry)) {
    if (!is_about(conjunct, entry)) continue;
    own.push_back(query::rewrite(conjunct, [&](const ExpressionPtr& part, int) -> ExpressionPtr {
      const auto* column = part->as<query::Column>();
      if (column == nullptr) return nullptr;
      return query::make_expression(query::Column{0, column->column, 0}, part->type, part->position);
    }));
  }
  if (own.size() == 1) query->where = own[0];
  if (own.size() > 1) {
    query->where =
        query::make_expression(query::Logical{query::Logical::Kind::conjunction, std::move(own)}, TypeId::boolean);
  }
  for (const int number : columns) {
    const query::OutputName& column = source.columns[static_cast<std::size_t>(number - 1)];
    query::Target target;
    target.expression = column_at(0, static_cast<std::size_t>(number - 1), column.type);
    target.name = column.name;
    query->targets.push_back(std::move(target));
  }
  // Rows are counted even if nobody asks what is in them.
  if (query->targets.empty()) {
    query::Target target;
    target.expression = query::make_expression(query::Constant{Value::integer(1)}, TypeId::int4);
    target.name = "dummy";
    query->targets.push_back(std::move(target));
  }
  return query;
}

namespace {

bool has_subquery(const query::Target& target) {
  return query::contains(target.expression,
                         [](const query::Expression& each) { return each.as<query::Subquery>() != nullptr; });
}

// The columns of a query in FROM, from 1, that some part of it computes by a subquery.
void add_computed_by_subqueries(const Query& query, std::set<int>& columns) {
  if (query.set_operation != nullptr) {
    if (!query::is_flat_union(query)) return;
    for (const query::RangeTableEntry& entry : query.entries) {
      if (const auto* part = std::get_if<query::SubquerySource>(&entry.source))
        add_computed_by_subqueries(*part->query, columns);
    }
    return;
  }
  int column = 0;
  for (const query::Target& target : query.targets) {
    if (target.hidden) continue;
    ++column;
    if (has_subquery(target)) columns.insert(column);
  }
}

// A query in FROM, without subqueries among the columns that `level` does not use.
QueryPtr without_unused_columns(const Query& level, int entry, const QueryPtr& inner) {
  std::set<int> computed;
  add_computed_by_subqueries(*inner, computed);
  if (computed.empty()) return inner;
  const std::vector<int> used = used_columns(level, entry);
  return query::without_unused_outputs(inner, [&](int column) {
    return !computed.contains(column) || std::find(used.begin(), used.end(), column) != used.end();
  });
}

}  // namespace

QueryPtr without_unused_subqueries(const QueryPtr& query) {
  check_stack_depth();
  QueryPtr changed = query;
  // The columns of all parts of a set operation are used, though only those of the first are named.
  const bool plain =
      query->command == query::Command::select && query->row_marks.empty() && query->set_operation == nullptr;
  for (std::size_t i = 0; plain && i < query->entries.size(); ++i) {
    const auto* source = std::get_if<query::SubquerySource>(&query->entries[i].source);
    if (source == nullptr) continue;
    const QueryPtr inner = without_unused_columns(*query, static_cast<int>(i), source->query);
    if (inner == source->query) continue;
    auto copy = std::make_shared<Query>(*changed);
    std::get<query::SubquerySource>(copy->entries[i].source).query = inner;
    changed = copy;
  }
  return query::map_query(
      changed, [](const ExpressionPtr& expression) { return expression; },
      [](const QueryPtr& inner) { return without_unused_subqueries(inner); });
}

namespace {

// The entry, reading an intermediate result: its columns keep their numbers; those that are not used are NULL.
query::RangeTableEntry reading_entry(const query::RangeTableEntry& entry, const QueryPtr& reading,
                                     const std::vector<int>& columns) {
  auto padded = std::make_shared<Query>(*reading);
  padded->targets.clear();
  std::size_t next = 0;
  query::RangeTableEntry result = entry;
  for (std::size_t i = 0; i < entry.columns.size(); ++i) {
    query::Target target;
    target.name = entry.columns[i].name;
    if (target.name.empty()) {
      target.name = fmt::format("dropped_{}", i + 1);
      result.columns[i] = {target.name, TypeId::int4};
    }
    const Type type = result.columns[i].type;
    if (next < columns.size() && columns[next] == static_cast<int>(i) + 1) {
      target.expression = column_at(0, next++, type);
    } else {
      target.expression = query::make_expression(query::Constant{}, type);
    }
    padded->targets.push_back(std::move(target));
  }
  result.source = query::SubquerySource{std::move(padded)};
  result.alias_written = true;
  return result;
}

QueryPtr with_entry(const QueryPtr& level, int entry, SubplanList& subplans) {
  std::vector<int> columns;
  const QueryPtr reading = subplans.make(query_of_entry(*level, entry, columns));
  auto copy = std::make_shared<Query>(*level);
  group_by_dependent_columns(*copy, entry, columns);
  query::RangeTableEntry& place = copy->entries[static_cast<std::size_t>(entry)];
  place = reading_entry(place, reading, columns);
  return copy;
}

}  // namespace

QueryPtr replace_entry(const QueryPtr& query, const Query* level, int entry, SubplanList& subplans) {
  if (query.get() == level) return with_entry(query, entry, subplans);
  QueryPtr made;
  DeepRewrite rewrite;
  rewrite.inner = [&](const QueryPtr& inner, int) -> QueryPtr {
    if (inner.get() != level) return nullptr;
    if (!made) made = with_entry(inner, entry, subplans);
    return made;
  };
  return rewrite_deep(query, rewrite);
}

}  // namespace polarsim::engine::distribution
