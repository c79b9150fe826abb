#include "engine/distribution/table_numbers.h"

#include <map>
#include <optional>
#include <set>

#include "engine/distribution/entries.h"
#include "engine/query/expression_walk.h"
#include "engine/query/system_columns.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::JoinTree;
using query::JoinType;
using query::Query;
using query::QueryPtr;

bool is_table_number(const query::Expression& expression) {
  const auto* column = expression.as<query::Column>();
  return column != nullptr && column->column == query::system_column_tableoid;
}

bool asks_for_table_numbers(const Query& query) {
  bool found = false;
  query::walk(query, [&](const query::Expression& each, int) {
    found = found || is_table_number(each);
    return !found;
  });
  return found;
}

// By the entry's number in the query's range table.
using Numbers = std::map<int, std::uint32_t>;

void forget_optional(const JoinTree& tree, bool optional, Numbers& numbers) {
  if (tree.is_leaf()) {
    if (optional) numbers.erase(tree.entry);
    return;
  }
  const bool full = tree.type == JoinType::full;
  forget_optional(*tree.left, optional || full || tree.type == JoinType::right, numbers);
  forget_optional(*tree.right, optional || full || tree.type == JoinType::left, numbers);
}

Numbers numbers_of(const Query& query, DistributionSource& source) {
  Numbers numbers;
  for (std::size_t i = 0; i < query.entries.size(); ++i) {
    const auto* table = std::get_if<query::TableSource>(&query.entries[i].source);
    if (table != nullptr && source.find(*table->relation) != nullptr)
      numbers.emplace(static_cast<int>(i), table->relation->id);
  }
  for (const query::JoinTreePtr& tree : query.from) forget_optional(*tree, false, numbers);
  return numbers;
}

class TablesOfLevel {
 public:
  TablesOfLevel(const Query& query, DistributionSource& source) : numbers_(numbers_of(query, source)) {
    for (const int group : query.group_by) {
      const ExpressionPtr& expression = query.targets[static_cast<std::size_t>(group)].expression;
      if (is_table_number(*expression)) grouped_.insert(expression->as<query::Column>()->entry);
    }
  }

  bool has_tables() const { return !numbers_.empty(); }

  ExpressionPtr replacement(const ExpressionPtr& expression, int depth) const {
    if (const auto number = number_of(*expression, depth)) return constant(*number, TypeId::oid, *expression);
    // A name means the table here alone. Answers of nodes with their shards' names are read as the tables'.
    if (name_of(expression, depth)) return expression;
    return is_decided_here(*expression, depth) ? with_names(expression, depth) : nullptr;
  }

 private:
  static ExpressionPtr constant(std::uint32_t number, TypeId type, const query::Expression& place) {
    return query::make_expression(query::Constant{Value::integer(number)}, type, place.position);
  }

  std::optional<std::uint32_t> number_of(const query::Expression& expression, int depth) const {
    if (!is_table_number(expression)) return std::nullopt;
    const auto& column = *expression.as<query::Column>();
    const auto number = numbers_.find(column.entry);
    if (column.levels_up != depth || number == numbers_.end()) return std::nullopt;
    return number->second;
  }

  // tableoid::regclass
  std::optional<std::uint32_t> name_of(const ExpressionPtr& expression, int depth) const {
    const auto* conversion = expression->as<query::Convert>();
    if (conversion == nullptr || expression->type.id != TypeId::regclass) return std::nullopt;
    const auto number = number_of(*conversion->argument, depth);
    if (number && grouped_.contains(conversion->argument->as<query::Column>()->entry)) return std::nullopt;
    return number;
  }

  // A text of the name, or a comparison with another.
  bool is_decided_here(const query::Expression& expression, int depth) const {
    if (const auto* conversion = expression.as<query::Convert>())
      return name_of(conversion->argument, depth).has_value();
    const auto* call = expression.as<query::OperatorCall>();
    if (call == nullptr) return false;
    bool any = false;
    for (const ExpressionPtr& argument : call->arguments) {
      const bool name = name_of(argument, depth).has_value();
      if (!name && argument->as<query::Constant>() == nullptr) return false;
      any = any || name;
    }
    return any;
  }

  ExpressionPtr with_names(const ExpressionPtr& expression, int depth) const {
    return query::map_children(expression, [&](const ExpressionPtr& child) {
      const auto number = name_of(child, depth);
      return number ? constant(*number, TypeId::regclass, *child) : child;
    });
  }

  const Numbers numbers_;
  std::set<int> grouped_;  // by their numbers, so that names have to be made of these
};

QueryPtr with_numbers(const QueryPtr& query, DistributionSource& source) {
  DeepRewrite inside;
  inside.inner = [&](const QueryPtr& inner, int) { return with_numbers(inner, source); };
  QueryPtr result = rewrite_deep(query, inside);
  const TablesOfLevel level(*result, source);
  DeepRewrite own;
  own.expression = [&](const ExpressionPtr& expression, int depth) { return level.replacement(expression, depth); };
  return level.has_tables() ? rewrite_deep(result, own) : result;
}

}  // namespace

QueryPtr with_table_numbers(const QueryPtr& query, DistributionSource& source) {
  return asks_for_table_numbers(*query) ? with_numbers(query, source) : query;
}

}  // namespace polarsim::engine::distribution
