#include "engine/distribution/insert_source.h"

#include <algorithm>

#include "engine/distribution/columns.h"
#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::Query;
using query::QueryPtr;
using query::Target;

query::JoinTreePtr leaf(int entry) {
  auto tree = std::make_shared<query::JoinTree>();
  tree->entry = entry;
  return tree;
}

// The columns of the entry, exchanged for what gives them their values.
template <typename Values>
ExpressionPtr with_columns(const ExpressionPtr& expression, int entry, Values value_of) {
  return query::rewrite(expression, [&](const ExpressionPtr& each, int levels) -> ExpressionPtr {
    const auto* column = each->as<query::Column>();
    if (column == nullptr || column->levels_up != levels || column->entry != entry) return nullptr;
    return value_of(*column, *each);
  });
}

int source_entry(const Query& insert) { return insert.from.at(0)->entry; }

const QueryPtr& source_of(const Query& insert) {
  const auto& entry = insert.entries[static_cast<std::size_t>(source_entry(insert))];
  return std::get<query::SubquerySource>(entry.source).query;
}

// SELECT of the targets from the query, which keeps its place in the common tables around it.
QueryPtr wrapped(const QueryPtr& source, const Query& insert, const std::vector<Target>& targets) {
  auto query = std::make_shared<Query>();
  query->common_tables = insert.common_tables;
  query->has_changing_common_tables = insert.has_changing_common_tables;
  query::RangeTableEntry entry;
  entry.source = query::SubquerySource{source};
  entry.alias = "insert_select_subquery";
  entry.alias_written = true;
  entry.columns = query::output_columns(*source);
  query->entries.push_back(std::move(entry));
  query->from.push_back(leaf(0));
  const int number = source_entry(insert);
  for (const Target& target : targets) {
    Target made = target;
    made.expression = with_columns(target.expression, number, [](const query::Column& column, const auto& each) {
      return query::make_expression(query::Column{0, column.column, 0}, each.type);
    });
    made.column = 0;
    query->targets.push_back(std::move(made));
  }
  return query;
}

// The targets of an INSERT in the place of those of its source.
class TargetsInPlace {
 public:
  TargetsInPlace(const Query& source, int entry) : source_(source), entry_(entry) {
    for (std::size_t i = 0; i < source.targets.size(); ++i) {
      if (!source.targets[i].hidden) visible_.push_back(i);
    }
  }

  // Whether clauses that look at whole rows would see the same.
  bool possible(const std::vector<Target>& targets) const {
    if (source_.set_operation || source_.command != query::Command::select) return false;
    bool plain = true;
    std::vector<int> uses(visible_.size(), 0);
    for (const Target& target : targets) {
      const ExpressionPtr& value = without_relabel(target.expression);
      plain = plain && (value->as<query::Column>() != nullptr || value->as<query::Constant>() != nullptr);
      query::walk(target.expression, [&](const query::Expression& each, int) {
        const auto* used = each.as<query::Column>();
        if (used != nullptr && used->column > 0) ++uses[static_cast<std::size_t>(used->column - 1)];
        return true;
      });
    }
    const bool each_once = std::all_of(uses.begin(), uses.end(), [](int count) { return count == 1; });
    const bool at_most_once = std::all_of(uses.begin(), uses.end(), [](int count) { return count <= 1; });
    if (source_.distinct || source_.has_set_functions) return plain && each_once;
    // What may fail is computed of the rows that are left alone.
    const bool leaves_rows_out = source_.limit || source_.offset || !source_.distinct_on.empty();
    return at_most_once && (plain || !leaves_rows_out);
  }

  QueryPtr run(const std::vector<Target>& targets) {
    auto query = std::make_shared<Query>(source_);
    query->targets.clear();
    for (const Target& target : targets) {
      Target made;
      made.name = target.name;
      made.expression = with_columns(target.expression, entry_, [&](const query::Column& column, const auto&) {
        return source_.targets[visible_[static_cast<std::size_t>(column.column - 1)]].expression;
      });
      query->targets.push_back(std::move(made));
    }
    targets_ = &query->targets;
    for (int& target : query->group_by) target = place_of(target);
    for (query::SortClause& clause : query->order_by) clause.target = place_of(clause.target);
    for (query::SortClause& clause : query->distinct_on) clause.target = place_of(clause.target);
    for (query::Window& window : query->windows) {
      for (int& target : window.partition_by) target = place_of(target);
      for (query::SortClause& clause : window.order_by) clause.target = place_of(clause.target);
    }
    return query;
  }

 private:
  int place_of(int old) {
    const ExpressionPtr& expression = source_.targets[static_cast<std::size_t>(old)].expression;
    for (std::size_t i = 0; i < targets_->size(); ++i) {
      if ((*targets_)[i].expression == expression) return static_cast<int>(i);
    }
    Target hidden;
    hidden.expression = expression;
    hidden.name = source_.targets[static_cast<std::size_t>(old)].name;
    hidden.hidden = true;
    targets_->push_back(std::move(hidden));
    return static_cast<int>(targets_->size()) - 1;
  }

  const Query& source_;
  const int entry_;
  std::vector<std::size_t> visible_;
  std::vector<Target>* targets_ = nullptr;
};

// A target that is not computed of the source's rows, and is different for each.
bool is_volatile_default(const Target& target) {
  return query::contains_volatility(target.expression, Volatility::volatile_function);
}

// The source's own columns as targets.
std::vector<Target> columns_of(const Query& insert) {
  std::vector<Target> targets;
  const int entry = source_entry(insert);
  for (const query::OutputName& column : query::output_columns(*source_of(insert))) {
    Target target;
    target.name = column.name;
    target.expression =
        query::make_expression(query::Column{entry, static_cast<int>(targets.size()) + 1, 0}, column.type);
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace

bool has_source_query(const Query& insert) {
  if (insert.from.empty()) return false;
  const auto& entry = insert.entries[static_cast<std::size_t>(source_entry(insert))];
  return std::holds_alternative<query::SubquerySource>(entry.source);
}

std::vector<std::vector<ExpressionPtr>> rows_of_values(const Query& insert) {
  std::vector<std::vector<ExpressionPtr>> rows;
  const auto add = [&](auto&& value_of) {
    std::vector<ExpressionPtr>& row = rows.emplace_back();
    row.reserve(insert.targets.size());
    for (const Target& target : insert.targets) row.push_back(value_of(target.expression));
  };
  if (insert.from.empty()) {
    add([](const ExpressionPtr& expression) { return expression; });
    return rows;
  }
  const int entry = source_entry(insert);
  for (const auto& values :
       std::get<query::ValuesSource>(insert.entries[static_cast<std::size_t>(entry)].source).rows) {
    add([&](const ExpressionPtr& expression) -> ExpressionPtr {
      if (const auto* column = expression->as<query::Column>()) {
        return values[static_cast<std::size_t>(column->column - 1)];
      }
      return with_columns(expression, entry, [&](const query::Column& column, const auto&) {
        return values[static_cast<std::size_t>(column.column - 1)];
      });
    });
  }
  return rows;
}

SourceQuery source_query(const Query& insert) {
  SourceQuery result;
  std::vector<Target> targets = insert.targets;
  if (std::any_of(targets.begin(), targets.end(), is_volatile_default)) {
    const int entry = source_entry(insert);
    for (Target& target : targets) {
      target.expression = with_columns(target.expression, entry, [](const query::Column& column, const auto& each) {
        return query::make_expression(query::Column{0, column.column, 0}, each.type);
      });
      target.column = 0;
    }
    result.computed_later = std::move(targets);
    targets = columns_of(insert);
  }
  const QueryPtr& source = source_of(insert);
  TargetsInPlace in_place(*source, source_entry(insert));
  result.as_written = insert.common_tables.empty() && result.computed_later.empty() && in_place.possible(targets);
  result.query = result.as_written ? in_place.run(targets) : wrapped(source, insert, targets);
  return result;
}

QueryPtr source_rows(const Query& insert) {
  const QueryPtr& source = source_of(insert);
  return insert.common_tables.empty() ? source : wrapped(source, insert, columns_of(insert));
}

QueryPtr with_source(const QueryPtr& insert, const QueryPtr& source) {
  auto query = std::make_shared<Query>(*insert);
  query->common_tables.clear();
  query->has_changing_common_tables = false;
  const int number = source_entry(*insert);
  query::RangeTableEntry& entry = query->entries[static_cast<std::size_t>(number)];
  entry.source = query::SubquerySource{source};
  entry.columns = query::output_columns(*source);
  for (std::size_t i = 0; i < query->targets.size(); ++i) {
    query->targets[i].expression =
        query::make_expression(query::Column{number, static_cast<int>(i) + 1, 0}, entry.columns[i].type);
  }
  return query;
}

void give_alias(Query& insert) {
  query::RangeTableEntry& entry = insert.entries[static_cast<std::size_t>(insert.result_entry)];
  if (entry.alias_written) return;
  entry.alias = table_alias;
  entry.alias_written = true;
}

}  // namespace polarsim::engine::distribution
