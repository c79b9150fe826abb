#include "engine/query/expression_analysis_test_support.h"

#include <algorithm>

#include "engine/query/expression_walk.h"
#include "engine/syntax/parser.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::query {
namespace {

const std::vector<OutputName>& table_columns() {
  static const std::vector<OutputName> columns = {
      {"a", TypeId::int4},    {"b", TypeId::text},         {"c", Type(TypeId::numeric, (10 << 16 | 2) + 4)},
      {"d", TypeId::boolean}, {"e", TypeId::int4_array},   {"v", Type(TypeId::varchar, 14)},
      {"j", TypeId::jsonb},   {"ts", TypeId::timestamptz}, {"n", TypeId::int8},
      {"f", TypeId::float8},  {"dt", TypeId::date},        {"i", TypeId::interval}};
  return columns;
}

const std::string* column_name(int number) {
  return number > 0 ? &table_columns()[static_cast<std::size_t>(number) - 1].name : nullptr;
}

std::string joined(const std::vector<ExpressionPtr>& list) {
  std::string text;
  for (const ExpressionPtr& each : list) text += " " + shape_of(each);
  return text;
}

std::string signature(const OperatorEntry& entry) {
  std::string text = entry.left == TypeId::none ? "" : type_info(entry.left).name;
  return text + entry.symbol + type_info(entry.right).name;
}

std::string signature(const FunctionEntry& entry) {
  std::string text = std::string(entry.name) + "(";
  for (std::size_t i = 0; i < entry.arguments.size(); ++i)
    text += (i > 0 ? "," : "") + std::string(type_info(entry.arguments[i]).name);
  return text + ")";
}

std::string in_brackets(const std::string& text) { return "(" + text + ")"; }

std::string order_shape(const std::vector<OrderKey>& order) {
  std::string text;
  for (const OrderKey& key : order)
    text +=
        " by " + shape_of(key.expression) + (key.descending ? " desc" : "") + (key.nulls_first ? " nulls first" : "");
  return text;
}

// One function for each node.
struct Shaper {
  Type type;
  std::string operator()(const Constant& node) const {
    if (node.value.is_null()) return "null";
    if (type.id == TypeId::unknown) return "?'" + std::string(node.value.as_text()) + "'";
    return "'" + output_value(node.value, type.id, CallContext()) + "'";
  }
  std::string operator()(const Parameter& node) const { return "$" + std::to_string(node.index); }
  std::string operator()(const Column& node) const {
    return node.column == Column::whole_row ? "t.*" : *column_name(node.column);
  }
  std::string operator()(const Call& node) const {
    return in_brackets(signature(*node.function) + (node.variadic_array ? " variadic" : "") + joined(node.arguments));
  }
  std::string operator()(const OperatorCall& node) const {
    return in_brackets(signature(*node.function) + joined(node.arguments));
  }
  std::string operator()(const ArrayComparison& node) const {
    return in_brackets(signature(*node.function) + (node.all ? " all " : " any ") + shape_of(node.left) + " " +
                       shape_of(node.array));
  }
  std::string operator()(const Logical& node) const {
    const char* names[] = {"and", "or", "not"};
    return in_brackets(names[static_cast<int>(node.kind)] + joined(node.arguments));
  }
  std::string operator()(const NullTest& node) const {
    return in_brackets((node.negated ? "notnull " : "isnull ") + shape_of(node.argument));
  }
  std::string operator()(const BooleanTest& node) const { return in_brackets("test " + shape_of(node.argument)); }
  std::string operator()(const DistinctTest& node) const {
    return in_brackets((node.negated ? "same " : "distinct ") + signature(*node.equality) + " " + shape_of(node.left) +
                       " " + shape_of(node.right));
  }
  std::string operator()(const NullIf& node) const {
    return in_brackets("nullif " + signature(*node.equality) + " " + shape_of(node.left) + " " + shape_of(node.right));
  }
  std::string operator()(const CaseOperand&) const { return "operand"; }
  std::string operator()(const Case& node) const {
    std::string text = "case";
    if (node.operand != nullptr) text += " " + shape_of(node.operand);
    for (const Case::Branch& branch : node.branches)
      text += " when " + shape_of(branch.condition) + " then " + shape_of(branch.result);
    return in_brackets(text + " else " + shape_of(node.otherwise));
  }
  std::string operator()(const Coalesce& node) const { return in_brackets("coalesce" + joined(node.arguments)); }
  std::string operator()(const MinMax& node) const {
    return in_brackets((node.greatest ? "greatest" : "least") + joined(node.arguments));
  }
  std::string operator()(const Convert& node) const {
    const char* kinds[] = {"none", "relabel", "function", "text", "array"};
    const char* forms[] = {"call", "explicit", "implicit", "special"};
    return in_brackets(std::string(forms[static_cast<int>(node.form)]) + " " +
                       kinds[static_cast<int>(node.conversion.kind)] + " " + shape_of(node.argument) +
                       "::" + format_type(type));
  }
  std::string operator()(const RowConstructor& node) const { return in_brackets("row" + joined(node.fields)); }
  std::string operator()(const RowComparison& node) const {
    std::string text = "rows";
    for (std::size_t i = 0; i < node.left.size(); ++i)
      text += " " + shape_of(node.left[i]) + " " + signature(*node.comparisons[i]) + " " + shape_of(node.right[i]);
    return in_brackets(text);
  }
  std::string operator()(const ArrayConstructor& node) const {
    return in_brackets((node.nested ? "arrays" : "array") + joined(node.elements));
  }
  std::string operator()(const Subscript& node) const {
    std::string text = "subscript " + shape_of(node.container);
    for (const Subscript::Index& index : node.indexes) {
      text += " [" + (index.slice ? (index.lower ? shape_of(index.lower) : "") + ":" : "") +
              (index.upper ? shape_of(index.upper) : "") + "]";
    }
    return in_brackets(text);
  }
  std::string operator()(const FieldSelection& node) const {
    return in_brackets("field " + std::to_string(node.field) + " " + shape_of(node.record));
  }
  std::string operator()(const Subquery& node) const {
    const char* kinds[] = {"exists", "scalar", "any", "all", "array"};
    std::string text = kinds[static_cast<int>(node.kind)];
    for (std::size_t i = 0; i < node.left.size(); ++i)
      text += " " + shape_of(node.left[i]) + " " + signature(*node.comparisons[i]);
    text += " select";
    for (const Target& target : node.query->targets) text += " " + shape_of(target.expression);
    return in_brackets(text);
  }
  std::string operator()(const Aggregate& node) const {
    std::string text = signature(*node.function) + (node.star ? " *" : "") + (node.distinct ? " distinct" : "");
    text += joined(node.arguments) + order_shape(node.order_by);
    if (node.filter != nullptr) text += " filter " + shape_of(node.filter);
    return in_brackets("aggregate " + text);
  }
  std::string operator()(const WindowCall& node) const {
    return in_brackets("window " + signature(*node.function) + (node.star ? " *" : "") + joined(node.arguments));
  }
  std::string operator()(const ValueFunction&) const { return "value"; }
  template <typename Other>
  std::string operator()(const Other&) const {
    return "?";
  }
};

ExpressionPtr analyse_text(std::string_view expression, OneTableScope& scope) {
  const std::vector<syntax::StatementPtr> statements = syntax::parse("SELECT " + std::string(expression));
  const auto& select = std::get<syntax::Select>(statements.at(0)->body);
  return settle_unknown(analyse_expression(select.items.at(0).expression, scope), scope);
}

// Positions count from the expression's beginning.
std::string error_text(const SqlError& error, bool with_hints) {
  const ErrorFields& fields = error.fields();
  constexpr int prefix = 7;
  std::string text = fields.sqlstate + " " + fields.message;
  if (fields.position != 0) text += " @" + std::to_string(fields.position - prefix);
  if (with_hints && !fields.detail.empty()) text += " [" + fields.detail + "]";
  if (with_hints && !fields.hint.empty()) text += " [" + fields.hint + "]";
  return text;
}

}  // namespace

std::string shape_of(const ExpressionPtr& expression) { return std::visit(Shaper{expression->type}, expression->node); }

ExpressionPtr OneTableScope::column(const syntax::Expression& reference) {
  const std::vector<OutputName>& columns = table_columns();
  const int levels = of_subquery_ ? 1 : 0;
  if (reference.name == "t" || reference.kind == syntax::Expression::Kind::star)
    return make_expression(Column{0, Column::whole_row, levels}, TypeId::record, reference.position);
  const auto found = std::ranges::find(columns, reference.name, &OutputName::name);
  if (found == columns.end()) {
    throw SqlError(sqlstate::undefined_column, "column \"" + reference.name + "\" does not exist")
        .at(reference.position);
  }
  return make_expression(Column{0, static_cast<int>(found - columns.begin()) + 1, levels}, found->type,
                         reference.position);
}

std::vector<ExpressionPtr> OneTableScope::star(const syntax::Expression& reference) {
  std::vector<ExpressionPtr> all;
  for (const OutputName& each : table_columns())
    all.push_back(make_expression(Column{0, static_cast<int>(all.size()) + 1}, each.type, reference.position));
  return all;
}

std::vector<OutputName> OneTableScope::row_fields(const Column&) { return table_columns(); }

QueryPtr OneTableScope::subquery(const syntax::Select& select, int) {
  auto query = std::make_shared<Query>();
  OneTableScope inner(true);
  for (const syntax::SelectItem& item : select.items) {
    Target target;
    target.expression = settle_unknown(analyse_expression(item.expression, inner), inner);
    target.name = item.alias.empty() ? figure_column_name(*item.expression) : item.alias;
    query->targets.push_back(std::move(target));
  }
  return query;
}

ExpressionPtr OneTableScope::parameter(const syntax::Expression& reference) {
  if (parameters.size() < static_cast<std::size_t>(reference.index))
    parameters.resize(static_cast<std::size_t>(reference.index), TypeId::unknown);
  return make_expression(Parameter{reference.index}, parameters[static_cast<std::size_t>(reference.index) - 1],
                         reference.position);
}

void OneTableScope::settle_parameter(int index, TypeId type, int) {
  parameters[static_cast<std::size_t>(index) - 1] = type;
}

ExpressionPtr OneTableScope::aggregate(Aggregate call, Type type, int position) {
  return make_expression(std::move(call), type, position);
}

ExpressionPtr OneTableScope::window_call(WindowCall call, Type type, const syntax::WindowSpecification&, int position) {
  return make_expression(std::move(call), type, position);
}

ExpressionPtr OneTableScope::grouping(const std::vector<syntax::ExpressionPtr>&, int position) {
  return make_expression(GroupingCall{}, TypeId::int4, position);
}

std::string analysed(std::string_view expression) {
  try {
    OneTableScope scope;
    const ExpressionPtr result = analyse_text(expression, scope);
    return format_type(result->type) + ": " + shape_of(result);
  } catch (const SqlError& error) {
    return error_text(error, true);
  }
}

std::string analysed_type(std::string_view expression) {
  try {
    OneTableScope scope;
    return format_type(analyse_text(expression, scope)->type);
  } catch (const SqlError& error) {
    return error_text(error, false);
  }
}

}  // namespace polarsim::engine::query
