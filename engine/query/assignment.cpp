// Values for columns: SET, the columns of INSERT, defaults (PostgreSQL's transformAssignedExpr(),
// src/backend/parser/parse_target.c, transformUpdateTargetList(), analyze.c, and build_column_default(),
// rewriteHandler.c).
#include <fmt/format.h>

#include <algorithm>

#include "engine/query/analysis_parts.h"
#include "engine/query/coercion.h"
#include "engine/query/expression_walk.h"
#include "engine/query/system_columns.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

using Kind = syntax::Expression::Kind;
using Subscripts = std::span<const syntax::Expression::Subscript>;
constexpr const char* generated_always = "428C9";

ExpressionPtr analyse_index(const syntax::ExpressionPtr& index, TypeId container, QueryScope& scope) {
  if (index == nullptr) return nullptr;
  const ExpressionPtr expression = analyse_in(scope, Clause::update_source, index);
  ExpressionPtr result;
  if (container == TypeId::jsonb && expression->type.id != TypeId::int4) {
    result = coerce(expression, TypeId::text, CastContext::implicit, CallForm::implicit_cast, scope);
    if (result == nullptr) {
      throw SqlError(sqlstate::datatype_mismatch,
                     fmt::format("subscript type {} is not supported", type_name(expression->type.id)), "",
                     "jsonb subscript must be coercible to either integer or text.")
          .at(expression->position);
    }
    return result;
  }
  result = coerce(expression, TypeId::int4, CastContext::assignment, CallForm::implicit_cast, scope);
  if (result == nullptr) {
    throw SqlError(sqlstate::datatype_mismatch, "array subscript must have type integer").at(expression->position);
  }
  return result;
}

[[noreturn]] void throw_no_column(const std::string& column, const Relation& relation, int position) {
  throw SqlError(sqlstate::undefined_column,
                 fmt::format("column \"{}\" of relation \"{}\" does not exist", column, relation.name))
      .at(position);
}

ExpressionPtr default_marker(Type type, int position) { return make_expression(DefaultValue{}, type, position); }

// PostgreSQL's exprLocation(): where the leftmost part is written.
int start_of(const syntax::Expression& expression) {
  // It knows nothing of subscripts and fields.
  if (expression.kind == Kind::subscript || expression.kind == Kind::field) return 0;
  int position = expression.position;
  for (const syntax::ExpressionPtr& argument : expression.arguments) {
    if (argument != nullptr) position = leftmost(position, start_of(*argument));
  }
  return position;
}

// The sources of SET, in order; DEFAULT is a DefaultValue.
class AssignmentSources {
 public:
  explicit AssignmentSources(QueryScope& scope) : scope_(scope) {}

  ExpressionPtr of(const syntax::Assignment& assignment) {
    const syntax::ExpressionPtr& value = assignment.value;
    if (assignment.source_index < 0) return analyse_value(value);
    const auto index = static_cast<std::size_t>(assignment.source_index);
    const auto count = static_cast<std::size_t>(assignment.source_count);
    if (value->kind == Kind::row) {
      if (value != last_written_) {
        last_written_ = value;
        row_.clear();
        for (const syntax::ExpressionPtr& field : value->arguments) row_.push_back(analyse_value(field));
        if (row_.size() != count) throw_wrong_count(value->position);
      }
      return row_[index];
    }
    if (value->kind != Kind::scalar_subquery) {
      throw SqlError(sqlstate::feature_not_supported,
                     "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression")
          .at(start_of(*value));
    }
    if (value != last_written_) {
      last_written_ = value;
      last_ = analyse_row_subquery(*value, count);
    }
    return make_expression(FieldSelection{last_, assignment.source_index + 1}, last_types_[index],
                           last_positions_[index]);
  }

 private:
  [[noreturn]] static void throw_wrong_count(int position) {
    throw SqlError(sqlstate::syntax_error, "number of columns does not match number of values").at(position);
  }

  ExpressionPtr analyse_value(const syntax::ExpressionPtr& value) {
    if (value->kind == Kind::default_value) return default_marker(TypeId::unknown, value->position);
    return analyse_in(scope_, Clause::update_source, value);
  }

  // (a, b) = (SELECT ...): one subquery that gives a row, whose fields are the values. No row is NULLs.
  ExpressionPtr analyse_row_subquery(const syntax::Expression& value, std::size_t count) {
    QueryPtr inner;
    {
      const Restore<Clause> clause(scope_.clause, Clause::update_source);
      // One query more around it, which makes the row.
      QueryScope wrapper(scope_.statement(), &scope_);
      scope_.query.has_subqueries = true;
      QueryScope scope(scope_.statement(), &wrapper);
      inner = analyse_select(*value.query, scope);
    }
    const std::vector<OutputName> columns = output_columns(*inner);
    if (columns.size() != count) throw_wrong_count(value.position);
    auto query = std::make_shared<Query>();
    RowConstructor row;
    last_types_.clear();
    last_positions_.clear();
    for (const Target& target : inner->targets) {
      if (!target.hidden) last_positions_.push_back(target.expression->position);
    }
    for (std::size_t i = 0; i < count; ++i) {
      row.fields.push_back(make_expression(Column{0, static_cast<int>(i) + 1, 0}, columns[i].type, value.position));
      row.names.push_back(columns[i].name);
      last_types_.push_back(columns[i].type);
    }
    RangeTableEntry entry;
    entry.alias = "*SELECT*";
    entry.alias_written = true;
    entry.columns = columns;
    entry.source = SubquerySource{std::move(inner), false};
    query->entries.push_back(std::move(entry));
    query->from.push_back(make_leaf(0));
    Target& target = query->targets.emplace_back();
    target.expression = make_expression(std::move(row), TypeId::record, value.position);
    target.name = "row";
    return make_expression(Subquery{Subquery::Kind::scalar, std::move(query), {}, {}}, TypeId::record, value.position);
  }

  QueryScope& scope_;
  syntax::ExpressionPtr last_written_;
  std::vector<ExpressionPtr> row_;  // of the last one, if it is a row
  ExpressionPtr last_;
  std::vector<Type> last_types_;
  std::vector<int> last_positions_;
};

void check_updatable_column(const RelationColumn& column, bool is_default, QueryScope& scope) {
  if (is_default) return;
  const bool identity = column.identity == RelationColumn::Identity::always;
  if (!identity && column.generated == nullptr) return;
  scope.statement().fail_late(
      StatementState::Late::assignments,
      SqlError(generated_always, fmt::format("column \"{}\" can only be updated to DEFAULT", column.name),
               fmt::format("Column \"{}\" is {}.", column.name,
                           identity ? "an identity column defined as GENERATED ALWAYS" : "a generated column")));
}

}  // namespace

ExpressionPtr assign(const ExpressionPtr& value, const RelationColumn& column, ExpressionPtr container,
                     Subscripts subscripts, int position, QueryScope& scope) {
  if (subscripts.empty()) return coerce_for_assignment(value, column.type, column.name, scope);
  const TypeInfo& info = type_info(column.type.id);
  const bool json = column.type.id == TypeId::jsonb;
  if (info.element == TypeId::none && !json) {
    throw SqlError(
        sqlstate::datatype_mismatch,
        fmt::format("cannot subscript type {} because it does not support subscripting", type_name(column.type.id)))
        .at(container->position);
  }
  SubscriptAssignment assignment;
  bool slice = false;
  for (const syntax::Expression::Subscript& subscript : subscripts) {
    if (subscript.slice && json) {
      throw SqlError(sqlstate::datatype_mismatch, "jsonb subscript does not support slices")
          .at((subscript.upper != nullptr   ? subscript.upper->position
               : subscript.lower != nullptr ? subscript.lower->position
                                            : position));
    }
    slice = slice || subscript.slice;
    assignment.indexes.push_back({analyse_index(subscript.lower, column.type.id, scope),
                                  analyse_index(subscript.upper, column.type.id, scope), subscript.slice});
  }
  const Type wanted = slice || json ? column.type : Type(info.element, column.type.modifier);
  assignment.value = coerce(value, wanted, CastContext::assignment, CallForm::implicit_cast, scope);
  if (assignment.value == nullptr) {
    throw SqlError(ErrorFields{sqlstate::datatype_mismatch,
                               fmt::format("subscripted assignment to \"{}\" requires type {} but expression is of "
                                           "type {}",
                                           column.name, type_name(wanted.id), type_name(value->type.id)),
                               "", "You will need to rewrite or cast the expression.", "", position});
  }
  assignment.container = std::move(container);
  return make_expression(std::move(assignment), column.type, value->position);
}

ExpressionPtr default_of(const RelationColumn& column, QueryScope& scope) {
  if (column.default_value == nullptr) return make_expression(Constant{}, column.type);
  try {
    return analyse_default(column.default_value, column, scope.context());
  } catch (const SqlError& error) {
    // Positions are of the table's definition, not of the statement.
    ErrorFields fields = error.fields();
    fields.position = 0;
    throw SqlError(std::move(fields));
  }
}

std::vector<Target> analyse_assignments(const std::vector<syntax::Assignment>& assignments, const Relation& relation,
                                        QueryScope& scope) {
  AssignmentSources sources(scope);
  std::vector<ExpressionPtr> values;
  values.reserve(assignments.size());
  for (const syntax::Assignment& assignment : assignments) values.push_back(sources.of(assignment));
  struct Assigned {
    Target target;
    bool is_default = false;
    bool subscripted = false;
  };
  std::vector<Assigned> assigned;
  assigned.reserve(assignments.size());
  bool duplicate = false;
  const RelationColumn* duplicated = nullptr;
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    const syntax::Assignment& assignment = assignments[i];
    const int number = relation.find(assignment.column);
    if (number == 0) {
      if (find_system_column(assignment.column) != nullptr) {
        throw SqlError(sqlstate::feature_not_supported,
                       fmt::format("cannot assign to system column \"{}\"", assignment.column))
            .at(assignment.position);
      }
      throw_no_column(assignment.column, relation, assignment.position);
    }
    const RelationColumn& column = relation.columns[static_cast<std::size_t>(number) - 1];
    const bool subscripted = !assignment.subscripts.empty();
    const bool is_default = values[i]->as<DefaultValue>() != nullptr;
    if (is_default && subscripted) {
      throw SqlError(sqlstate::feature_not_supported, "cannot set an array element to DEFAULT").at(assignment.position);
    }
    const auto known = std::find_if(assigned.begin(), assigned.end(),
                                    [&](const Assigned& other) { return other.target.column == number; });
    ExpressionPtr container;
    if (subscripted) {
      container = known != assigned.end()
                      ? known->target.expression
                      : make_expression(Column{scope.query.result_entry, number, 0}, column.type, assignment.position);
    }
    ExpressionPtr value =
        is_default ? values[i]
                   : assign(values[i], column, std::move(container), assignment.subscripts, assignment.position, scope);
    if (known != assigned.end()) {
      if (!known->subscripted || !subscripted) {
        if (!duplicate) duplicated = &column;
        duplicate = true;
      }
      known->target.expression = std::move(value);
      continue;
    }
    Assigned& entry = assigned.emplace_back();
    entry.target.expression = std::move(value);
    entry.target.name = column.name;
    entry.target.column = number;
    entry.is_default = is_default;
    entry.subscripted = subscripted;
  }
  if (duplicate) {
    scope.statement().fail_late(
        StatementState::Late::assignments,
        SqlError(sqlstate::syntax_error, fmt::format("multiple assignments to same column \"{}\"", duplicated->name)));
  }
  std::sort(assigned.begin(), assigned.end(),
            [](const Assigned& a, const Assigned& b) { return a.target.column < b.target.column; });
  std::vector<Target> targets;
  targets.reserve(assigned.size());
  for (Assigned& entry : assigned) {
    const RelationColumn& column = relation.columns[static_cast<std::size_t>(entry.target.column) - 1];
    check_updatable_column(column, entry.is_default, scope);
    if (column.generated != nullptr) continue;
    if (entry.is_default) entry.target.expression = default_of(column, scope);
    targets.push_back(std::move(entry.target));
  }
  return targets;
}

}  // namespace polarsim::engine::query
