#include "engine/sql/analyze.h"

#include <algorithm>

#include "engine/sql/binder.h"
#include "engine/sql/error.h"
#include "engine/sql/functions.h"

namespace polarsim::engine::sql {
namespace {

using Kind = Expression::Kind;

// How much PostgreSQL likes a name it finds inside an expression: a column's or function's beats a type's or a
// keyword's.
enum class NameStrength { none, weak, strong };

struct SuggestedName {
  std::string name;
  NameStrength strength = NameStrength::none;
};

// The name in pg_type, which is what an unnamed cast's column is called.
const char* catalog_type_name(TypeId type) {
  switch (type) {
    case TypeId::boolean:
      return "bool";
    case TypeId::int4:
      return "int4";
    case TypeId::int8:
      return "int8";
    default:
      return "text";
  }
}

SuggestedName suggest_name(const Expression& node) {
  switch (node.kind) {
    case Kind::column:
    case Kind::excluded:
    case Kind::function:
      return {node.name, NameStrength::strong};
    case Kind::coalesce:
      return {"coalesce", NameStrength::strong};
    case Kind::parameter:
      if (node.type == TypeId::unknown) return {};
      return {catalog_type_name(node.type), NameStrength::weak};
    case Kind::cast: {
      const SuggestedName inner = suggest_name(*node.arguments[0]);
      if (inner.strength == NameStrength::strong) return inner;
      return {catalog_type_name(node.type), NameStrength::weak};
    }
    case Kind::case_when: {
      if (node.arguments.size() % 2 == 1) {
        const SuggestedName otherwise = suggest_name(*node.arguments.back());
        if (otherwise.strength == NameStrength::strong) return otherwise;
      }
      return {"case", NameStrength::weak};
    }
    default:
      return {};
  }
}

bool is_column(const Expression& node, std::string_view table, std::string_view column) {
  return node.kind == Kind::column && node.name == column && (node.table.empty() || node.table == table);
}

}  // namespace

int TableShape::find(std::string_view column) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const ColumnInfo& info) { return info.name == column; });
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

TypeId BoundExpression::type() const { return root_->type; }
bool BoundExpression::is_aggregate() const { return root_->has_aggregate; }

BoundExpression analyze(const ExpressionPtr& expression, const AnalyzeOptions& options) {
  Binder binder(options);
  const Binder::Typed value = binder.emit(*expression);
  return binder.finish(value);
}

BoundExpression analyze_assignment(const ExpressionPtr& expression, const AnalyzeOptions& options, TypeId target,
                                   std::string_view column) {
  Binder binder(options);
  Binder::Typed value = binder.emit(*expression);
  if (!binder.cast_for_assignment(value, target)) {
    SqlError error(sqlstate::datatype_mismatch,
                   "column \"" + std::string(column) + "\" is of type " + type_name(target) +
                       " but expression is of type " + type_name(value.type),
                   "", "You will need to rewrite or cast the expression.");
    error.at(value.position());
    throw error;
  }
  return binder.finish(value);
}

BoundExpression analyze_condition(const ExpressionPtr& expression, const AnalyzeOptions& options,
                                  std::string_view clause) {
  AnalyzeOptions with_clause = options;
  with_clause.clause = clause;
  Binder binder(with_clause);
  Binder::Typed value = binder.emit(*expression);
  binder.require_boolean(value, "argument of " + std::string(clause));
  return binder.finish(value);
}

std::string output_name(const SelectItem& item) {
  if (!item.alias.empty()) return item.alias;
  if (!item.expression) return "*";
  const SuggestedName suggested = suggest_name(*item.expression);
  return suggested.strength == NameStrength::none ? "?column?" : suggested.name;
}

ExpressionPtr find_equality(const ExpressionPtr& where, std::string_view table, std::string_view column) {
  if (!where) return nullptr;
  if (where->kind == Kind::logical_and) {
    for (const ExpressionPtr& argument : where->arguments) {
      if (ExpressionPtr found = find_equality(argument, table, column)) return found;
    }
    return nullptr;
  }
  if (where->kind != Kind::operation || where->name != "=" || where->arguments.size() != 2) return nullptr;
  const ExpressionPtr& left = where->arguments[0];
  const ExpressionPtr& right = where->arguments[1];
  if (is_column(*left, table, column) && is_row_independent(right)) return right;
  if (is_column(*right, table, column) && is_row_independent(left)) return left;
  return nullptr;
}

bool is_row_independent(const ExpressionPtr& expression) {
  const Expression& node = *expression;
  if (node.kind == Kind::column || node.kind == Kind::excluded) return false;
  const bool keyword_function = node.name == "greatest" || node.name == "least" || node.name == "nullif";
  if (node.kind == Kind::function && !keyword_function && !is_immutable_function(node.name)) return false;
  return std::all_of(node.arguments.begin(), node.arguments.end(), is_row_independent);
}

}  // namespace polarsim::engine::sql
