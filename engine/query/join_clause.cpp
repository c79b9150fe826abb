// JOIN: conditions, USING and NATURAL, and the columns that a join offers (PostgreSQL's transformFromClauseItem(),
// src/backend/parser/parse_clause.c).
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

// One side of a join: the columns it offers.
struct Side {
  const char* name;  // "left" or "right", for messages
  std::vector<std::string> names;
  std::vector<ExpressionPtr> columns;
  std::vector<bool> merged;
};

Side side_of(const NamespaceItem& item, const char* name, QueryScope& scope) {
  const std::vector<OutputName>& columns = scope.query.entries[static_cast<std::size_t>(item.entry)].columns;
  Side side{name, {}, {}, {}};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name.empty()) continue;
    side.names.push_back(columns[i].name);
    side.columns.push_back(scope.make_column(FoundColumn{&item, static_cast<int>(i) + 1, 0}, 0));
  }
  side.merged.assign(side.names.size(), false);
  return side;
}

std::size_t find_using_column(const Side& side, const std::string& column) {
  std::size_t found = side.names.size();
  for (std::size_t i = 0; i < side.names.size(); ++i) {
    if (side.names[i] != column) continue;
    if (found != side.names.size()) {
      throw SqlError(sqlstate::ambiguous_column,
                     fmt::format("common column name \"{}\" appears more than once in {} table", column, side.name));
    }
    found = i;
  }
  if (found == side.names.size()) {
    throw SqlError(
        sqlstate::undefined_column,
        fmt::format("column \"{}\" specified in USING clause does not exist in {} table", column, side.name));
  }
  return found;
}

std::vector<std::string> natural_columns(const Side& left, const Side& right) {
  std::vector<std::string> columns;
  for (const std::string& name : left.names) {
    if (std::find(right.names.begin(), right.names.end(), name) != right.names.end()) columns.push_back(name);
  }
  return columns;
}

JoinType join_type(syntax::JoinKind kind) {
  switch (kind) {
    case syntax::JoinKind::left:
      return JoinType::left;
    case syntax::JoinKind::right:
      return JoinType::right;
    case syntax::JoinKind::full:
      return JoinType::full;
    case syntax::JoinKind::inner:
    case syntax::JoinKind::cross:
      break;
  }
  return JoinType::inner;
}

// What a column of USING is in the result.
ExpressionPtr merge(const ExpressionPtr& left, const ExpressionPtr& right, JoinType type, QueryScope& scope) {
  const Type common = common_type({left, right}, "JOIN/USING");
  const Type wanted = left->type == right->type ? left->type : common;
  const ExpressionPtr converted_left = coerce_to_common(left, wanted, "JOIN/USING", scope);
  const ExpressionPtr converted_right = coerce_to_common(right, wanted, "JOIN/USING", scope);
  switch (type) {
    case JoinType::inner:
      if (converted_left->as<Column>() == nullptr && converted_right->as<Column>() != nullptr) return converted_right;
      return converted_left;
    case JoinType::left:
      return converted_left;
    case JoinType::right:
      return converted_right;
    case JoinType::full:
      break;
  }
  return make_expression(Coalesce{{converted_left, converted_right}}, wanted);
}

// What a join makes of its two sides.
struct JoinColumns {
  std::vector<OutputName> names;
  std::vector<ExpressionPtr> columns;
  int merged = 0;
  void add(std::string name, ExpressionPtr column) {
    names.push_back({std::move(name), column->type});
    columns.push_back(std::move(column));
  }
};

JoinColumns merge_sides(Side& left, Side& right, const std::vector<std::string>& using_columns, JoinTree& tree,
                        QueryScope& scope) {
  JoinColumns result;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < using_columns.size(); ++i) {
    const std::string& name = using_columns[i];
    if (std::find(using_columns.begin(), using_columns.begin() + static_cast<std::ptrdiff_t>(i), name) !=
        using_columns.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw SqlError(sqlstate::duplicate_column,
                     fmt::format("column name \"{}\" appears more than once in USING clause", name));
    }
    const std::size_t l = find_using_column(left, name);
    const std::size_t r = find_using_column(right, name);
    left.merged[l] = true;
    right.merged[r] = true;
    pairs.emplace_back(l, r);
    result.add(name, merge(left.columns[l], right.columns[r], tree.type, scope));
  }
  result.merged = static_cast<int>(using_columns.size());
  Logical all{Logical::Kind::conjunction, {}};
  for (const auto& [l, r] : pairs) {
    all.arguments.push_back(make_equality(left.columns[l], right.columns[r], 0, scope));
  }
  if (all.arguments.size() == 1) {
    tree.condition = all.arguments[0];
  } else if (!all.arguments.empty()) {
    tree.condition = make_expression(std::move(all), TypeId::boolean);
  }
  for (Side* side : {&left, &right}) {
    for (std::size_t i = 0; i < side->names.size(); ++i) {
      if (!side->merged[i]) result.add(std::move(side->names[i]), std::move(side->columns[i]));
    }
  }
  return result;
}

// ON sees the two sides alone, besides what is around the query.
ExpressionPtr analyse_on(const syntax::ExpressionPtr& condition, std::vector<NamespaceItem>& sides, QueryScope& scope) {
  if (condition == nullptr) return nullptr;
  set_lateral(sides, false, true);
  std::swap(scope.names, sides);
  ExpressionPtr expression = analyse_condition_in(scope, Clause::join_condition, condition, "JOIN/ON");
  std::swap(scope.names, sides);
  return expression;
}

}  // namespace

JoinTreePtr analyse_join(const syntax::FromItem& item, const syntax::FromJoin& join, QueryScope& scope,
                         std::vector<NamespaceItem>& names) {
  auto tree = std::make_shared<JoinTree>();
  tree->type = join_type(join.kind);
  std::vector<NamespaceItem> left_names;
  tree->left = analyse_from_item(*join.left, scope, left_names);
  std::vector<NamespaceItem> right_names;
  {
    const std::size_t count = scope.names.size();
    const bool lateral_ok = tree->type == JoinType::inner || tree->type == JoinType::left;
    scope.names.insert(scope.names.end(), std::make_move_iterator(left_names.begin()),
                       std::make_move_iterator(left_names.end()));
    set_lateral(std::span(scope.names).subspan(count), true, lateral_ok);
    tree->right = analyse_from_item(*join.right, scope, right_names);
    const auto first = scope.names.begin() + static_cast<std::ptrdiff_t>(count);
    std::move(first, scope.names.end(), left_names.begin());
    scope.names.erase(first, scope.names.end());
    set_lateral(left_names, false, true);
  }
  scope.check_conflicts(left_names, right_names);
  Side left = side_of(left_names.back(), "left", scope);
  Side right = side_of(right_names.back(), "right", scope);
  const std::vector<std::string> using_columns = join.natural ? natural_columns(left, right) : join.using_columns;
  JoinColumns columns = merge_sides(left, right, using_columns, *tree, scope);
  std::vector<NamespaceItem> both = std::move(left_names);
  for (NamespaceItem& name : right_names) both.push_back(std::move(name));
  if (using_columns.empty()) tree->condition = analyse_on(join.condition, both, scope);

  NamespaceItem self;
  self.entry = static_cast<int>(scope.query.entries.size());
  self.name = item.alias;
  self.table_visible = !item.alias.empty();
  std::vector<Column> references;
  references.reserve(columns.columns.size());
  for (std::size_t i = 0; i < columns.columns.size(); ++i) {
    // A merged column that needs computing is the join's own.
    const auto* column = columns.columns[i]->as<Column>();
    references.push_back(column != nullptr ? *column : Column{self.entry, static_cast<int>(i) + 1, 0});
  }
  self.references = std::make_shared<const std::vector<Column>>(std::move(references));
  RangeTableEntry entry;
  entry.alias = item.alias;
  entry.alias_written = !item.alias.empty();
  if (item.column_aliases.size() > columns.names.size()) {
    throw SqlError(sqlstate::invalid_column_reference,
                   fmt::format("join expression \"{}\" has {} columns available but {} columns specified", item.alias,
                               columns.names.size(), item.column_aliases.size()));
  }
  for (std::size_t i = 0; i < item.column_aliases.size(); ++i) columns.names[i].name = item.column_aliases[i];
  entry.columns = std::move(columns.names);
  entry.source = JoinSource{std::move(columns.columns), using_columns, join.using_alias};
  scope.query.entries.push_back(std::move(entry));
  tree->entry = self.entry;

  if (item.alias.empty()) {
    for (NamespaceItem& name : both) name.columns_visible = false;
    // Nobody can name a join without a name whose columns are another's.
    std::erase_if(both, [](const NamespaceItem& name) { return !name.table_visible; });
    names = std::move(both);
  }
  if (!join.using_alias.empty()) {
    NamespaceItem using_item = self;
    using_item.name = join.using_alias;
    using_item.columns = columns.merged;
    using_item.columns_visible = false;
    using_item.table_visible = true;
    const std::vector<NamespaceItem> alone{using_item};
    scope.check_conflicts(names, alone);
    names.push_back(std::move(using_item));
  }
  names.push_back(std::move(self));
  return tree;
}

}  // namespace polarsim::engine::query
