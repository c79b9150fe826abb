#include <algorithm>
#include <array>
#include <string>

#include "engine/query/expression_analyser.h"
#include "engine/types/array.h"

// ARRAY[...] and subscripts (PostgreSQL's transformArrayExpr(), src/backend/utils/adt/arraysubs.c and jsonbsubs.c).
namespace polarsim::engine::query {
namespace {

ExpressionPtr array_index(const syntax::ExpressionPtr& written, ExpressionScope& scope) {
  const ExpressionPtr index = analyse_expression(written, scope);
  ExpressionPtr converted = coerce(index, TypeId::int4, CastContext::assignment, CallForm::implicit_cast, scope);
  if (converted != nullptr) return converted;
  throw_error(sqlstate::datatype_mismatch, "array subscript must have type integer", index->position);
}

ExpressionPtr jsonb_index(const syntax::ExpressionPtr& written, ExpressionScope& scope) {
  const ExpressionPtr index = analyse_expression(written, scope);
  const TypeId type = index->type.id;
  if (type == TypeId::unknown) return coerce_implicitly(index, TypeId::text, scope);
  const bool as_integer = can_coerce(type, TypeId::int4, CastContext::implicit);
  const bool as_text = can_coerce(type, TypeId::text, CastContext::implicit);
  if (as_integer != as_text) return coerce_implicitly(index, as_integer ? TypeId::int4 : TypeId::text, scope);
  throw_error(sqlstate::datatype_mismatch, std::string("subscript type ") + type_name(type) + " is not supported",
              index->position, "",
              as_integer ? "jsonb subscript must be coercible to only one type, integer or text."
                         : "jsonb subscript must be coercible to either integer or text.");
}

AnalysedSubscripts jsonb_subscripts(const std::vector<syntax::Expression::Subscript>& subscripts,
                                    ExpressionScope& scope) {
  AnalysedSubscripts analysed{{}, TypeId::jsonb};
  for (const auto& subscript : subscripts) {
    if (subscript.slice) {
      const syntax::ExpressionPtr& bound = subscript.upper != nullptr ? subscript.upper : subscript.lower;
      throw_error(sqlstate::datatype_mismatch, "jsonb subscript does not support slices",
                  bound != nullptr ? analyse_expression(bound, scope)->position : 0);
    }
    analysed.indexes.push_back({nullptr, jsonb_index(subscript.upper, scope), false});
  }
  return analysed;
}

}  // namespace

AnalysedSubscripts analyse_subscripts(const std::vector<syntax::Expression::Subscript>& subscripts, Type container,
                                      int container_position, ExpressionScope& scope) {
  if (container.id == TypeId::jsonb) return jsonb_subscripts(subscripts, scope);
  const TypeId element = element_type(container.id);
  if (element == TypeId::none) {
    throw_error(
        sqlstate::datatype_mismatch,
        std::string("cannot subscript type ") + type_name(container.id) + " because it does not support subscripting",
        container_position);
  }
  const bool slice = std::ranges::any_of(subscripts, [](const auto& each) { return each.slice; });
  AnalysedSubscripts analysed;
  for (const auto& subscript : subscripts) {
    Subscript::Index index;
    index.slice = slice;
    if (slice && !subscript.slice) index.lower = make_expression(Constant{Value::integer(1)}, TypeId::int4);
    if (subscript.slice && subscript.lower != nullptr) index.lower = array_index(subscript.lower, scope);
    if (subscript.upper != nullptr) index.upper = array_index(subscript.upper, scope);
    analysed.indexes.push_back(std::move(index));
  }
  if (analysed.indexes.size() > array_dimensions_max) {
    throw_error(sqlstate::program_limit_exceeded,
                "number of array dimensions (" + std::to_string(analysed.indexes.size()) +
                    ") exceeds the maximum allowed (" + std::to_string(array_dimensions_max) + ")",
                0);
  }
  // The vectors of the catalogs are like arrays with any lower bound.
  const TypeId whole =
      container.id == TypeId::int2vector || container.id == TypeId::oidvector ? array_type(element) : container.id;
  analysed.part = Type(slice ? whole : element, container.modifier);
  return analysed;
}

ExpressionPtr ExpressionAnalyser::subscript(const Syntax& expression) {
  const ExpressionPtr container = analyse(expression.arguments[0]);
  AnalysedSubscripts subscripts =
      analyse_subscripts(expression.subscripts, container->type, container->position, scope_);
  return make_expression(Subscript{container, std::move(subscripts.indexes)}, subscripts.part, container->position);
}

ExpressionPtr ExpressionAnalyser::array(const Syntax& expression, Type wanted) {
  ArrayConstructor node;
  for (const syntax::ExpressionPtr& each : expression.arguments) {
    const bool inner = each->kind == Syntax::Kind::array;
    node.elements.push_back(inner ? array(*each, wanted) : analyse(each));
    node.nested = node.nested || inner || element_type(node.elements.back()->type.id) != TypeId::none;
  }
  if (wanted.id != TypeId::none) {
    const Type of_elements(node.nested ? wanted.id : element_type(wanted.id), wanted.modifier);
    for (ExpressionPtr& each : node.elements) {
      const ExpressionPtr converted =
          coerce(each, of_elements, CastContext::explicit_only, CallForm::explicit_cast, scope_);
      if (converted == nullptr) {
        throw_error(sqlstate::cannot_coerce,
                    std::string("cannot cast type ") + type_name(each->type.id) + " to " + type_name(of_elements.id),
                    each->position);
      }
      each = converted;
    }
    return make_expression(std::move(node), wanted, expression.position);
  }
  if (node.elements.empty()) {
    throw_error(sqlstate::indeterminate_datatype, "cannot determine type of empty array", expression.position, "",
                "Explicitly cast to the desired type, for example ARRAY[]::integer[].");
  }
  refuse_different_rows(node.elements, "ARRAY", scope_);
  const Type common = common_type(node.elements, "ARRAY");
  Type type = common;
  if (!node.nested) type.id = array_type(common.id);
  if (type.id == TypeId::none) {
    throw_error(sqlstate::undefined_object,
                std::string("could not find array type for data type ") + type_name(common.id), expression.position);
  }
  if (node.nested && element_type(common.id) == TypeId::none) {
    throw_error(sqlstate::undefined_object,
                std::string("could not find element type for data type ") + type_name(common.id), expression.position);
  }
  for (ExpressionPtr& each : node.elements) each = coerce_to_common(each, common, "ARRAY", scope_);
  return make_expression(std::move(node), type, expression.position);
}

}  // namespace polarsim::engine::query
