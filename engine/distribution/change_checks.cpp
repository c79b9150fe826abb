#include "engine/distribution/change_checks.h"

#include <algorithm>

#include "engine/distribution/columns.h"
#include "engine/distribution/entries.h"
#include "engine/query/expression_walk.h"
#include "engine/types/quote.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::Query;

SqlError refusal(std::string text) { return {sqlstate::feature_not_supported, std::move(text)}; }

bool is_volatile(const ExpressionPtr& expression) {
  return query::contains_volatility(expression, Volatility::volatile_function);
}

bool is_mutable(const ExpressionPtr& expression) {
  if (!expression) return false;
  bool found = query::contains_volatility(expression, Volatility::stable);
  query::walk(expression, [&](const query::Expression& each, int) {
    found = found || each.as<query::ValueFunction>() != nullptr;
    return !found;
  });
  return found;
}

bool has_subquery(const ExpressionPtr& expression) {
  return expression && query::contains(expression, [](const query::Expression& each) {
           return each.as<query::Subquery>() != nullptr;
         });
}

bool has_column(const ExpressionPtr& expression) {
  return query::contains(expression, [](const query::Expression& each) { return each.as<query::Column>() != nullptr; });
}

// The coordinator computes what is stable before there are rows: with a column it cannot, and of a CASE or COALESCE it
// does not know which part is needed.
struct MutableParts {
  bool of_columns = false;
  bool in_choice = false;
};
void add_mutable_parts(const ExpressionPtr& expression, MutableParts& parts) {
  const query::Expression& node = *expression;
  if (node.as<query::Case>() || node.as<query::Coalesce>()) {
    parts.in_choice = parts.in_choice || is_mutable(expression);
    return;
  }
  if (query::volatility_of(node) == Volatility::stable && has_column(expression)) parts.of_columns = true;
  query::for_each_child(node, [&](const ExpressionPtr& child) { add_mutable_parts(child, parts); });
}

// Whether the value that a row's distribution column gets is the one that it has: the column itself, or what the
// condition says that it equals.
bool keeps_value(const ExpressionPtr& expression, const Query& query, int column) {
  const auto is_distribution_column = [&](const ExpressionPtr& each) {
    const auto* own = without_relabel(each)->as<query::Column>();
    return own != nullptr && own->levels_up == 0 && own->entry == query.result_entry && own->column == column;
  };
  if (is_distribution_column(expression)) return true;
  if (is_volatile(expression)) return false;
  std::vector<ExpressionPtr> conjuncts;
  add_conjuncts(query.where, conjuncts);
  return std::any_of(conjuncts.begin(), conjuncts.end(), [&](const ExpressionPtr& conjunct) {
    const auto* call = conjunct->as<query::OperatorCall>();
    if (call == nullptr || !is_hashed_equality(*call)) return false;
    const ExpressionPtr& left = call->arguments[0];
    const ExpressionPtr& right = call->arguments[1];
    return (is_distribution_column(left) && query::equal(without_relabel(right), without_relabel(expression))) ||
           (is_distribution_column(right) && query::equal(without_relabel(left), without_relabel(expression)));
  });
}

SqlError moved_row() { return refusal("modifying the partition value of rows is not allowed"); }

}  // namespace

const query::Relation& changed_relation(const Query& query) {
  const auto& entry = query.entries[static_cast<std::size_t>(query.result_entry)];
  return *std::get<query::TableSource>(entry.source).relation;
}

TableDistributionPtr changed_table(const Query& query, DistributionSource& source) {
  return source.find(changed_relation(query));
}

std::string qualified_name(const query::Relation& relation) {
  return quote_identifier(relation.schema) + "." + quote_identifier(relation.name);
}

void check_returning(const Query& query) {
  for (const query::Target& target : query.returning) {
    if (is_mutable(target.expression)) {
      throw refusal("non-IMMUTABLE functions are not allowed in the RETURNING clause");
    }
  }
}

void check_conflict_clause(const Query& query, const TableDistribution& table) {
  if (!query.on_conflict) return;
  bool moves = false;
  for (const query::Target& target : query.on_conflict->assignments) {
    const auto* column = without_relabel(target.expression)->as<query::Column>();
    // The vendor's rule; the relative accepts the excluded row's value.
    if (table.column > 0 && target.column == table.column) {
      moves = true;
    } else if (column == nullptr && is_mutable(target.expression)) {
      throw refusal(
          "functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE");
    }
  }
  if (is_mutable(query.on_conflict->where)) {
    throw refusal(
        "functions used in the WHERE clause of the ON CONFLICT clause of INSERTs on distributed tables must be marked "
        "IMMUTABLE");
  }
  if (moves) throw moved_row();
}

void check_insert(const Query& query, const TableDistribution& table) {
  bool found = false;
  query::for_each_expression(query, [&](const ExpressionPtr& each) { found = found || has_subquery(each); });
  if (found) {
    throw SqlError(sqlstate::feature_not_supported, "subqueries are not supported within INSERT queries", "",
                   "Try rewriting your queries with 'INSERT INTO ... SELECT' syntax.");
  }
  check_returning(query);
  check_conflict_clause(query, table);
}

void check_assignments_and_condition(const Query& query, const TableDistribution& table) {
  MutableParts parts;
  if (query.command == query::Command::update) {
    for (const query::Target& target : query.targets) {
      if (target.hidden) continue;
      if (is_volatile(target.expression)) {
        throw refusal("functions used in UPDATE queries on distributed tables must not be VOLATILE");
      }
      if (table.column > 0 && target.column == table.column && !keeps_value(target.expression, query, table.column)) {
        throw moved_row();
      }
      add_mutable_parts(target.expression, parts);
    }
  }
  if (query.where) {
    if (is_volatile(query.where)) {
      throw refusal(
          "functions used in the WHERE/ON/WHEN clause of modification queries on distributed tables must not be "
          "VOLATILE");
    }
    add_mutable_parts(query.where, parts);
  }
  if (parts.of_columns) {
    throw refusal("STABLE functions used in UPDATE queries cannot be called with column references");
  }
  if (parts.in_choice) throw refusal("non-IMMUTABLE functions are not allowed in CASE or COALESCE statements");
  check_returning(query);
}

void check_volatility(const Query& query) {
  bool found = false;
  for_each_query_within(query, [&](const Query& each) {
    query::for_each_expression(each,
                               [&](const ExpressionPtr& expression) { found = found || is_volatile(expression); });
  });
  if (found) throw refusal("functions used in UPDATE queries on distributed tables must not be VOLATILE");
}

}  // namespace polarsim::engine::distribution
