#include <string>

#include "engine/query/expression_analysis.h"

// PostgreSQL's FigureColnameInternal() (src/backend/parser/parse_target.c).
namespace polarsim::engine::query {
namespace {

using Kind = syntax::Expression::Kind;

// A weak name, from a type, gives way to a better one further in.
struct Figured {
  std::string name;
  bool strong = false;
};

// What a scalar subquery's only column is called.
std::string subquery_column_name(const syntax::Select& select, const Expression* analysed) {
  while (analysed != nullptr) {
    if (const auto* convert = analysed->as<Convert>()) {
      analysed = convert->argument.get();
    } else if (const auto* subscript = analysed->as<Subscript>()) {
      analysed = subscript->container.get();
    } else {
      break;
    }
  }
  if (const auto* subquery = analysed == nullptr ? nullptr : analysed->as<Subquery>()) {
    for (const Target& target : subquery->query->targets) {
      if (!target.hidden) return target.name;
    }
  }
  const syntax::Select* first = &select;
  while (first->left != nullptr) first = first->left.get();
  if (!first->values.empty()) return "column1";
  if (first->items.empty()) return "";
  const syntax::SelectItem& item = first->items[0];
  return item.alias.empty() ? figure_column_name(*item.expression) : item.alias;
}

Figured figure(const syntax::Expression& expression, const Expression* analysed) {
  switch (expression.kind) {
    case Kind::column:
    case Kind::function:
    case Kind::value_function:
      return {expression.name, true};
    case Kind::field:
      if (!expression.name.empty()) return {expression.name, true};
      return figure(*expression.arguments[0], analysed);
    case Kind::star:
      // The row's name, of t.* and s.t.*; of what else has fields, that further in.
      if (!expression.path.empty()) return {expression.path.back(), true};
      return expression.arguments.empty() ? Figured{} : figure(*expression.arguments[0], analysed);
    case Kind::subscript:
    case Kind::collate:
      return figure(*expression.arguments[0], analysed);
    case Kind::cast: {
      Figured inner = figure(*expression.arguments[0], analysed);
      return inner.strong ? inner : Figured{expression.type_name->name};
    }
    case Kind::null_if:
      return {"nullif", true};
    case Kind::grouping:
      return {"grouping", true};
    case Kind::exists:
      return {"exists", true};
    case Kind::array:
    case Kind::array_subquery:
      return {"array", true};
    case Kind::scalar_subquery:
      return {subquery_column_name(*expression.query, analysed), true};
    case Kind::case_when: {
      if (expression.arguments.size() % 2 == 0) return {"case"};
      Figured inner = figure(*expression.arguments.back(), nullptr);
      return inner.strong ? inner : Figured{"case"};
    }
    case Kind::row:
      return {"row", true};
    case Kind::coalesce:
      return {"coalesce", true};
    case Kind::greatest:
      return {"greatest", true};
    case Kind::least:
      return {"least", true};
    default:
      return {};
  }
}

}  // namespace

std::string figure_column_name(const syntax::Expression& expression, const Expression* analysed) {
  Figured figured = figure(expression, analysed);
  return figured.name.empty() ? "?column?" : figured.name;
}

}  // namespace polarsim::engine::query
