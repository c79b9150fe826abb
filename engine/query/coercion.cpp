#include "engine/query/coercion.h"

#include <boost/container/small_vector.hpp>
#include <string>

#include "engine/query/expression_walk.h"
#include "engine/query/type_resolution.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::query {
namespace {

// Types of arguments whose values are taken as they are. any_array is not among them for an unknown.
bool takes_anything(TypeId target, TypeId source) {
  switch (target) {
    case TypeId::any:
    case TypeId::any_element:
    case TypeId::any_nonarray:
    case TypeId::any_compatible:
    case TypeId::any_compatible_nonarray:
      return true;
    case TypeId::any_array:
    case TypeId::any_compatible_array:
      return source != TypeId::unknown;
    default:
      return false;
  }
}

// A literal's text goes through the input function now, so that errors point to it.
ExpressionPtr literal_as(const Constant& constant, Type target, int position, ExpressionScope& scope) {
  const Type type(target.id, target.id == TypeId::interval ? target.modifier : no_modifier);
  if (constant.value.is_null()) return make_expression(constant, type, position);
  if (target.id == TypeId::text) return make_expression(constant, type, position);
  try {
    return make_expression(Constant{input_value(constant.value.as_text(), type, scope.call_context())}, type, position);
  } catch (SqlError& error) {
    if (error.fields().position == 0) error.at(position);
    throw;
  }
}

// What shows and enforces the type's modifier, on top of a conversion or as part of it.
ExpressionPtr with_modifier(const ExpressionPtr& expression, Type target, CallForm form, int position, bool converted) {
  if (expression->type.modifier == target.modifier) return expression;
  if (converted) {
    if (const auto* convert = expression->as<Convert>()) return make_expression(*convert, target, expression->position);
  }
  Convert convert{{Conversion::Kind::relabel}, expression, form};
  return make_expression(std::move(convert), target, leftmost(position, expression->position));
}

}  // namespace

int leftmost(int position, const std::vector<ExpressionPtr>& arguments) {
  // The first that has one, as PostgreSQL's exprLocation() of a list: AT TIME ZONE has its operands the other way
  // round.
  for (const ExpressionPtr& argument : arguments) {
    if (argument->position != 0) return leftmost(position, argument->position);
  }
  return position;
}

ExpressionPtr coerce_type(const ExpressionPtr& expression, Type target, CastContext context, CallForm form,
                          int position, ExpressionScope& scope) {
  const TypeId source = expression->type.id;
  if (source == target.id || takes_anything(target.id, source)) return expression;
  if (source == TypeId::unknown) {
    if (const auto* constant = expression->as<Constant>())
      return literal_as(*constant, target, expression->position, scope);
    if (const auto* parameter = expression->as<Parameter>()) {
      scope.settle_parameter(parameter->index, target.id, expression->position);
      return make_expression(*parameter, Type(target.id), expression->position);
    }
  }
  const Conversion conversion = find_conversion(source, target.id, context);
  if (!conversion.possible()) {
    throw SqlError(sqlstate::internal_error, std::string("failed to find conversion function from ") +
                                                 type_name(source) + " to " + type_name(target.id));
  }
  return make_expression(Convert{conversion, expression, form}, Type(target.id),
                         leftmost(position, expression->position));
}

ExpressionPtr coerce_at(const ExpressionPtr& expression, Type target, CastContext context, CallForm form, int position,
                        ExpressionScope& scope) {
  if (!can_coerce(expression->type.id, target.id, context)) return nullptr;
  const ExpressionPtr converted = coerce_type(expression, target, context, form, position, scope);
  return with_modifier(converted, target, form, position, converted != expression);
}

ExpressionPtr coerce(const ExpressionPtr& expression, Type target, CastContext context, CallForm form,
                     ExpressionScope& scope) {
  return coerce_at(expression, target, context, form, 0, scope);
}

ExpressionPtr coerce_for_assignment(const ExpressionPtr& expression, Type target, std::string_view column,
                                    ExpressionScope& scope) {
  ExpressionPtr converted = coerce(expression, target, CastContext::assignment, CallForm::implicit_cast, scope);
  if (converted != nullptr) return converted;
  throw_error(sqlstate::datatype_mismatch,
              "column \"" + std::string(column) + "\" is of type " + type_name(target.id) +
                  " but expression is of type " + type_name(expression->type.id),
              expression->position, "", "You will need to rewrite or cast the expression.");
}

ExpressionPtr coerce_to_boolean(const ExpressionPtr& expression, std::string_view construct, ExpressionScope& scope) {
  if (expression->type.id == TypeId::boolean) return expression;
  ExpressionPtr converted =
      coerce(expression, TypeId::boolean, CastContext::assignment, CallForm::implicit_cast, scope);
  if (converted != nullptr) return converted;
  throw_error(
      sqlstate::datatype_mismatch,
      "argument of " + std::string(construct) + " must be type boolean, not type " + type_name(expression->type.id),
      expression->position);
}

ExpressionPtr settle_unknown(ExpressionPtr expression, ExpressionScope& scope) {
  if (expression->type.id != TypeId::unknown) return expression;
  return coerce_implicitly(expression, TypeId::text, scope);
}

Type common_type(const std::vector<ExpressionPtr>& expressions, std::string_view construct) {
  boost::container::small_vector<TypeId, 8> types;
  bool same = true;
  for (const ExpressionPtr& each : expressions) {
    types.push_back(each->type.id);
    same = same && each->type == expressions[0]->type;
  }
  if (same && types[0] != TypeId::unknown) return expressions[0]->type;
  const CommonType common = find_common_type(types);
  if (common.type == TypeId::none && !construct.empty()) {
    throw_error(sqlstate::datatype_mismatch,
                std::string(construct) + " types " + type_name(common.first) + " and " + type_name(common.second) +
                    " cannot be matched",
                expressions[common.second_index]->position);
  }
  return common.type;
}

void refuse_different_rows(const std::vector<ExpressionPtr>& expressions, std::string_view construct,
                           ExpressionScope& scope) {
  // What is certain is a table's row and a row that was written without a type; of NULL and of what has been computed
  // there is no knowing here which table's row it is.
  const auto table_of = [&](const ExpressionPtr& expression) -> RelationPtr {
    const auto* column = expression->as<Column>();
    return column != nullptr && column->column == Column::whole_row ? scope.row_table(*column) : nullptr;
  };
  const auto is_written = [](const ExpressionPtr& expression) {
    const auto* row = expression->as<RowConstructor>();
    return row != nullptr && (row->names.empty() || row->names.front() == "f1");
  };
  const auto name = [](const RelationPtr& table) { return table != nullptr ? table->name : std::string("record"); };
  bool any = false;
  RelationPtr table;
  for (const ExpressionPtr& each : expressions) {
    const RelationPtr other = each->type.id == TypeId::record ? table_of(each) : nullptr;
    if (other == nullptr && !is_written(each)) continue;
    if (!std::exchange(any, true)) {
      table = other;
    } else if ((table == nullptr) != (other == nullptr)) {
      throw_error(sqlstate::datatype_mismatch,
                  std::string(construct) + " types " + name(table) + " and " + name(other) + " cannot be matched",
                  each->position);
    } else if (table != nullptr && table->id != other->id) {
      throw_error(sqlstate::cannot_coerce,
                  std::string(construct) + " could not convert type " + name(other) + " to " + name(table),
                  each->position);
    }
  }
}

ExpressionPtr coerce_to_common(const ExpressionPtr& expression, Type common, std::string_view construct,
                               ExpressionScope& scope) {
  if (expression->type.id == common.id) return expression;
  if (can_coerce(expression->type.id, common.id, CastContext::implicit))
    return coerce_implicitly(expression, common.id, scope);
  throw_error(sqlstate::cannot_coerce,
              std::string(construct) + " could not convert type " + type_name(expression->type.id) + " to " +
                  type_name(common.id),
              expression->position);
}

}  // namespace polarsim::engine::query
