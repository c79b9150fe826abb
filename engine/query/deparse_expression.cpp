#include <algorithm>

#include "engine/query/deparse_writer.h"
#include "engine/query/expression_walk.h"
#include "engine/query/record_fields.h"
#include "engine/query/system_columns.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"
#include "engine/types/record.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {
namespace {

// NOT DISTINCT is written as a negation.
bool is_negated_distinct(const Expression& expression) {
  const auto* test = expression.as<DistinctTest>();
  return test != nullptr && test->negated;
}

// The right side of `operand = value`, as the conditions of a simple CASE are written.
const Expression& condition_of_case(const Expression& condition) {
  const auto* call = condition.as<OperatorCall>();
  if (call == nullptr || call->arguments.size() != 2) return condition;
  const Expression* left = call->arguments[0].get();
  while (const auto* conversion = left->as<Convert>()) {
    if (conversion->form != CallForm::implicit_cast) break;
    left = conversion->argument.get();
  }
  return left->as<CaseOperand>() != nullptr ? *call->arguments[1] : condition;
}

const char* test_text(BooleanTest::Kind kind) {
  using enum BooleanTest::Kind;
  switch (kind) {
    case is_true:
      return " IS TRUE";
    case is_not_true:
      return " IS NOT TRUE";
    case is_false:
      return " IS FALSE";
    case is_not_false:
      return " IS NOT FALSE";
    case is_unknown:
      return " IS UNKNOWN";
    case is_not_unknown:
      return " IS NOT UNKNOWN";
  }
  return "";
}

bool has_names(const RowConstructor& row) {
  for (std::size_t i = 0; i < row.names.size(); ++i) {
    if (row.names[i] != "f" + std::to_string(i + 1)) return true;
  }
  return false;
}

[[noreturn]] void refuse(const char* what) {
  throw SqlError(sqlstate::internal_error, std::string(what) + " cannot be written as SQL");
}

}  // namespace

void Writer::write_operand(const Expression& expression, bool show_implicit, const Expression& parent) {
  const bool brackets = style_.fewer_brackets && !is_simple(expression, parent, true);
  if (brackets) put("(");
  write(expression, show_implicit);
  if (brackets) put(")");
}

void Writer::write_list(const std::vector<ExpressionPtr>& list, bool show_implicit) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) put(", ");
    write(*list[i], show_implicit);
  }
}

void Writer::write_row_fields(const std::vector<ExpressionPtr>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) put(", ");
    if (const auto* column = fields[i]->as<Column>()) {
      write_column(*column, *fields[i], true);
    } else {
      write(*fields[i], true);
    }
  }
}

// ROW() gives its fields names of its own; a subquery's row has those of its columns.
void Writer::write_named_row(const RowConstructor& row) {
  put("(SELECT r FROM (SELECT ");
  for (std::size_t i = 0; i < row.fields.size(); ++i) {
    if (i > 0) put(", ");
    write(*row.fields[i], true);
    put(" AS ");
    put_name(row.names[i]);
  }
  put(") r)");
}

void Writer::write(const Expression& expression, bool show_implicit) {
  check_stack_depth();
  if (style_.for_nodes) show_implicit = true;
  struct Visitor {
    Writer& w;
    const Expression& e;
    bool show_implicit;

    void operator()(const Constant& node) { w.write_constant(node.value, e.type, Label::where_needed); }
    void operator()(const Parameter& node) { w.write_parameter(node, e.type); }
    void operator()(const Column& node) { w.write_column(node, e, false); }
    void operator()(const Call& node) { w.write_call(node, e, show_implicit); }
    void operator()(const OperatorCall& node) {
      w.open_bracket();
      const std::string symbol = node.function->symbol;
      if (node.arguments.size() == 2) {
        w.write_operand(*node.arguments[0], true, e);
        w.put(" " + symbol + " ");
      } else {
        w.put(symbol + " ");
      }
      // Read again, - 1 is a number by itself, and that of a column where rows are sorted or grouped.
      const auto* number = node.arguments.back()->as<Constant>();
      if (number != nullptr && node.arguments.size() == 1 && (w.options_.read_again || w.style_.for_nodes)) {
        w.write_constant(number->value, node.arguments[0]->type, Label::always);
      } else {
        w.write_operand(*node.arguments.back(), true, e);
      }
      w.close_bracket();
    }
    void operator()(const ArrayComparison& node) {
      w.open_bracket();
      w.write_operand(*node.left, true, e);
      w.put(std::string(" ") + node.function->symbol + (node.all ? " ALL (" : " ANY ("));
      w.write_operand(*node.array, true, e);
      // A bare subquery would be taken for the one whose rows are compared.
      const auto* subquery = node.array->as<Subquery>();
      if (subquery != nullptr && subquery->kind == Subquery::Kind::scalar) w.put_type(node.array->type);
      w.put(")");
      w.close_bracket();
    }
    void operator()(const Logical& node) { w.write_logical(node, e); }
    void operator()(const NullTest& node) {
      w.open_bracket();
      w.write_operand(*node.argument, true, e);
      w.put(node.negated ? " IS NOT NULL" : " IS NULL");
      w.close_bracket();
    }
    void operator()(const BooleanTest& node) {
      w.open_bracket();
      w.write_operand(*node.argument, false, e);
      w.put(test_text(node.kind));
      w.close_bracket();
    }
    void operator()(const DistinctTest& node) {
      if (node.negated) {
        DistinctTest plain = node;
        plain.negated = false;
        const ExpressionPtr test = make_expression(plain, TypeId::boolean);
        w.write(*make_expression(Logical{Logical::Kind::negation, {test}}, TypeId::boolean), show_implicit);
        return;
      }
      w.open_bracket();
      w.write_operand(*node.left, true, e);
      w.put(" IS DISTINCT FROM ");
      w.write_operand(*node.right, true, e);
      w.close_bracket();
    }
    void operator()(const NullIf& node) {
      w.put("NULLIF(");
      w.write_list({node.left, node.right}, true);
      w.put(")");
    }
    void operator()(const CaseOperand&) { w.put("CASE_TEST_EXPR"); }
    void operator()(const Case& node) { w.write_case(node); }
    void operator()(const Coalesce& node) {
      w.put("COALESCE(");
      w.write_list(node.arguments, true);
      w.put(")");
    }
    void operator()(const MinMax& node) {
      w.put(node.greatest ? "GREATEST(" : "LEAST(");
      w.write_list(node.arguments, true);
      w.put(")");
    }
    void operator()(const Convert& node) { w.write_conversion(node, e, show_implicit); }
    void operator()(const RowConstructor& node) {
      // What is stored with a relation has no subqueries: there the names are lost.
      if (w.plan_names_ == nullptr && w.relation_ == nullptr && has_names(node)) return w.write_named_row(node);
      w.put("ROW(");
      w.write_row_fields(node.fields);
      w.put(")");
    }
    void operator()(const RowComparison& node) {
      w.put("(ROW(");
      w.write_row_fields(node.left);
      w.put(std::string(") ") + node.comparisons[0]->symbol + " ROW(");
      w.write_row_fields(node.right);
      w.put("))");
    }
    void operator()(const ArrayConstructor& node) {
      w.put("ARRAY[");
      w.write_list(node.elements, true);
      w.put("]");
      if (node.elements.empty()) w.put_type(Type(e.type.id));
    }
    void operator()(const Subscript& node) {
      const bool bare = node.container->as<Column>() || node.container->as<FieldSelection>();
      if (!bare) w.put("(");
      w.write(*node.container, show_implicit);
      if (!bare) w.put(")");
      w.write_subscripts(node.indexes);
    }
    void operator()(const FieldSelection& node) {
      if (w.write_field_of_subquery(node)) return;
      const bool bare = node.record->as<Subscript>() || node.record->as<FieldSelection>();
      if (!bare) w.put("(");
      w.write(*node.record, true);
      if (!bare) w.put(")");
      w.put(".");
      w.put_name(w.field_name(*node.record, node.field));
    }
    void operator()(const Subquery& node) { w.write_subquery(node); }
    void operator()(const Aggregate& node) { w.write_aggregate(node); }
    void operator()(const WindowCall& node) { w.write_window_call(node); }
    void operator()(const GroupingCall& node) {
      const Query& query = *w.names_at(0).query;
      w.put("GROUPING(");
      for (std::size_t i = 0; i < node.groups.size(); ++i) {
        if (i > 0) w.put(", ");
        const int target = query.group_by[static_cast<std::size_t>(node.groups[i])];
        w.write(*query.targets[static_cast<std::size_t>(target)].expression, true);
      }
      w.put(")");
    }
    void operator()(const Subplan& node) {
      if (w.plan_names_ == nullptr || !w.plan_names_->subplan) refuse("a subplan");
      w.put(w.plan_names_->subplan(node));
    }
    void operator()(const ValueFunction& node) { w.write_value_function(node); }
    void operator()(const SubscriptAssignment& node) {
      // No text says it where it is not the target of an INSERT or UPDATE.
      if (w.style_.for_nodes)
        throw SqlError(sqlstate::feature_not_supported,
                       "assignments to elements of arrays are not supported in INSERT of several rows, or of a query, "
                       "into distributed tables");
      w.write(*node.container, show_implicit);
      w.write_subscripts(node.indexes);
      w.put(" := ");
      w.write(*node.value, show_implicit);
    }
    void operator()(const DefaultValue&) { w.put("DEFAULT"); }
  };
  std::visit(Visitor{*this, expression, show_implicit}, expression.node);
}

// SET (a, b) = (SELECT x, y ...) has a subquery that gives a row, whose fields have no names that a text could use.
// Each of them is written as a subquery of its own.
bool Writer::write_field_of_subquery(const FieldSelection& selection) {
  const auto* subquery = selection.record->as<Subquery>();
  if (subquery == nullptr || subquery->kind != Subquery::Kind::scalar || subquery->query->targets.size() != 1)
    return false;
  const auto* row = subquery->query->targets[0].expression->as<RowConstructor>();
  if (row == nullptr) return false;
  auto one = std::make_shared<Query>(*subquery->query);
  one->targets[0].expression = row->fields[static_cast<std::size_t>(selection.field) - 1];
  write_subquery(Subquery{Subquery::Kind::scalar, std::move(one), {}, {}});
  return true;
}

void Writer::write_logical(const Logical& logical, const Expression& expression) {
  open_bracket();
  if (logical.kind == Logical::Kind::negation) {
    put("NOT ");
    write_operand(*logical.arguments[0], false, expression);
  } else {
    for (std::size_t i = 0; i < logical.arguments.size(); ++i) {
      if (i > 0) put(logical.kind == Logical::Kind::conjunction ? " AND " : " OR ");
      write_operand(*logical.arguments[i], false, expression);
    }
  }
  close_bracket();
}

void Writer::write_case(const Case& choice) {
  const auto separate = [this] {
    if (!style_.indent) put(" ");
  };
  put_keyword("CASE", 0, of_variable, 0);
  if (choice.operand) {
    put(" ");
    write(*choice.operand, true);
  }
  for (const Case::Branch& branch : choice.branches) {
    separate();
    put_keyword("WHEN ", 0, 0, 0);
    write(choice.operand ? condition_of_case(*branch.condition) : *branch.condition, false);
    put(" THEN ");
    write(*branch.result, true);
  }
  separate();
  put_keyword("ELSE ", 0, 0, 0);
  write(*choice.otherwise, true);
  separate();
  put_keyword("END", -of_variable, 0, 0);
}

namespace {

bool has_length(Type type) {
  return type.modifier != no_modifier && (type.id == TypeId::varchar || type.id == TypeId::bpchar);
}
bool elements_have_length(Type type) {
  const TypeId element = type_info(type.id).element;
  return type.modifier != no_modifier && (element == TypeId::varchar || element == TypeId::bpchar);
}

}  // namespace

void Writer::write_conversion(const Convert& conversion, const Expression& expression, bool show_implicit) {
  if (conversion.form == CallForm::implicit_cast && !show_implicit) {
    write_operand(*conversion.argument, false, expression);
  } else if (style_.for_nodes && conversion.form == CallForm::implicit_cast && has_length(expression.type)) {
    // As a cast it would cut what is too long, and say nothing.
    put(expression.type.id == TypeId::varchar ? "pg_catalog.\"varchar\"(" : "pg_catalog.bpchar(");
    write_cast(*conversion.argument, Type(expression.type.id), expression);
    put(", " + std::to_string(expression.type.modifier) + ", false)");
  } else if (style_.for_nodes && conversion.form == CallForm::implicit_cast && elements_have_length(expression.type)) {
    // There is no function for it: the assignment on the node looks at the length.
    write_cast(*conversion.argument, Type(expression.type.id), expression);
  } else {
    write_cast(*conversion.argument, expression.type, expression);
  }
}

void Writer::write_cast(const Expression& argument, Type target, const Expression& parent) {
  const auto* constant = argument.as<Constant>();
  if (constant != nullptr && argument.type.id == target.id && argument.type.modifier == no_modifier) {
    write_constant(constant->value, argument.type, Label::never);
  } else {
    open_bracket();
    write_operand(argument, false, parent);
    close_bracket();
  }
  put_type(target);
}

const QueryNames& Writer::names_at(int levels_up) const {
  const auto up = static_cast<std::size_t>(levels_up);
  if (up >= names_.size()) refuse("a column of a query that is not there");
  return names_[names_.size() - 1 - up];
}

void Writer::write_column(const Column& column, const Expression& expression, bool at_top) {
  if (plan_names_ != nullptr) return put(plan_names_->column(column));
  if (names_.empty()) {
    const auto index = static_cast<std::size_t>(column.column - 1);
    if (column.column > 0 && relation_ != nullptr && index < relation_->columns.size())
      return put_name(relation_->columns[index].name);
    if (column.column < 0) return put_name(system_column(column.column).name);
    return put(relation_ != nullptr ? quote_identifier(relation_->name) + ".*" : "*");
  }
  const QueryNames& names = names_at(column.levels_up);
  const std::vector<int>& open = open_joins_[open_joins_.size() - 1 - static_cast<std::size_t>(column.levels_up)];
  int number = column.entry;
  int position = column.column;
  const auto* join = std::get_if<JoinSource>(&names.query->entries[static_cast<std::size_t>(number)].source);
  if (join != nullptr && position > 0 && names.entries[static_cast<std::size_t>(number)].name.empty()) {
    const Expression& made = *join->columns[static_cast<std::size_t>(position - 1)];
    if (const auto* inner = made.as<Column>()) {
      Column moved = *inner;
      moved.levels_up += column.levels_up;
      return write_column(moved, expression, at_top);
    }
  }
  // Outside of a named join its tables' columns go by its name.
  const std::vector<int>& around = names.entries[static_cast<std::size_t>(number)].named_joins;
  for (auto each = around.rbegin(); each != around.rend() && position > 0; ++each) {
    if (std::find(open.begin(), open.end(), *each) != open.end()) continue;
    const auto& source = std::get<JoinSource>(names.query->entries[static_cast<std::size_t>(*each)].source);
    const auto found = std::find_if(source.columns.begin(), source.columns.end(), [&](const ExpressionPtr& made) {
      const auto* inner = made->as<Column>();
      return inner != nullptr && inner->entry == number && inner->column == position && inner->levels_up == 0;
    });
    if (found == source.columns.end()) continue;
    number = *each;
    position = static_cast<int>(found - source.columns.begin()) + 1;
    break;
  }
  const EntryNames& entry = names.entries[static_cast<std::size_t>(number)];
  if (!entry.name.empty() && (prefixed_ || position == 0)) {
    put_name(entry.name);
    put(".");
  }
  if (position > 0) {
    put_name(entry.columns[static_cast<std::size_t>(position - 1)]);
  } else if (position < 0) {
    put_name(system_column(position).name);
  } else {
    put("*");
    const auto* table = std::get_if<TableSource>(&names.query->entries[static_cast<std::size_t>(number)].source);
    if (at_top && table != nullptr) {
      put("::");
      write_relation_name(*table->relation);
    }
  }
}

void Writer::write_parameter(const Parameter& parameter, Type type) {
  if (plan_names_ != nullptr && plan_names_->parameter && parameter.of_plan)
    return put(plan_names_->parameter(parameter));
  put("$" + std::to_string(parameter.index));
  if (style_.for_nodes) put_type(Type(type.id));
}

void Writer::write_subscripts(const std::vector<Subscript::Index>& indexes) {
  for (const Subscript::Index& index : indexes) {
    put("[");
    if (index.lower) write(*index.lower, false);
    if (index.slice) put(":");
    if (index.upper) write(*index.upper, false);
    put("]");
  }
}

std::string Writer::field_name(const Expression& record, int field) const {
  const auto index = static_cast<std::size_t>(field - 1);
  const auto* row = record.as<RowConstructor>();
  if (row && relation_ == nullptr && index < row->names.size()) return row->names[index];
  if (const auto* choice = record.as<Case>()) return field_name(*choice->branches[0].result, field);
  if (const auto* constant = record.as<Constant>(); constant && constant->value.is_record())
    return constant->value.as_record().fields()[index].name;
  if (const auto* column = record.as<Column>(); column && column->column == Column::whole_row && !names_.empty()) {
    const EntryNames& entry = names_at(column->levels_up).entries[static_cast<std::size_t>(column->entry)];
    if (index < entry.columns.size()) return entry.columns[index];
  }
  if (const auto* column = record.as<Column>(); column && column->column > 0 && !names_.empty()) {
    const std::vector<OutputName> fields = fields_of_column(*names_at(column->levels_up).query, *column);
    if (index < fields.size()) return fields[index].name;
  }
  if (const auto* subquery = record.as<Subquery>()) {
    // A subquery of one column that is a row; its columns are those of its own tables.
    const Query& query = *subquery->query;
    for (const Target& target : query.targets) {
      if (target.hidden) continue;
      const auto* column = target.expression->as<Column>();
      if (column == nullptr) return field_name(*target.expression, field);
      if (column->levels_up > 0) break;
      const auto& columns = query.entries[static_cast<std::size_t>(column->entry)].columns;
      if (column->column == Column::whole_row && index < columns.size()) return columns[index].name;
      if (column->column <= 0) break;
      const std::vector<OutputName> fields = fields_of_column(query, *column);
      return index < fields.size() ? fields[index].name : "f" + std::to_string(field);
    }
  }
  return "f" + std::to_string(field);
}

void Writer::write_subquery(const Subquery& subquery) {
  using enum Subquery::Kind;
  put(subquery.kind == array ? "ARRAY(" : "(");
  std::string symbol;
  if (!subquery.left.empty()) {
    symbol = subquery.comparisons[0]->symbol;
    if (subquery.left.size() > 1) put("(");
    write_list(subquery.left, true);
    if (subquery.left.size() > 1) put(")");
  }
  bool brackets = true;
  if (subquery.kind == exists) {
    put("EXISTS ");
  } else if (subquery.kind == any) {
    put(symbol == "=" ? " IN " : " " + symbol + " ANY ");
  } else if (subquery.kind == all) {
    put(" " + symbol + " ALL ");
  } else if (!subquery.left.empty()) {
    put(" " + symbol + " ");
  } else {
    brackets = false;
  }
  if (brackets) put("(");
  write_query(*subquery.query, nullptr, false);
  put(brackets ? "))" : ")");
}

void Writer::write_value_function(const ValueFunction& function) {
  static constexpr const char* texts[] = {"CURRENT_DATE",   "CURRENT_TIME",    "CURRENT_TIMESTAMP", "LOCALTIME",
                                          "LOCALTIMESTAMP", "CURRENT_USER",    "SESSION_USER",      "CURRENT_ROLE",
                                          "USER",           "CURRENT_CATALOG", "CURRENT_SCHEMA"};
  put(texts[static_cast<std::size_t>(function.kind)]);
  if (function.precision >= 0) put("(" + std::to_string(function.precision) + ")");
}

// --- brackets ---

namespace {

// `+`, `-` or `*`, `/`, `%`; 0 for what else there is, whose priority is not relied on.
int priority_of(const Expression& expression) {
  const auto* call = expression.as<OperatorCall>();
  if (call == nullptr || call->arguments.size() != 2) return 0;
  const std::string_view symbol = call->function->symbol;
  if (symbol.size() != 1) return 0;
  if (symbol == "+" || symbol == "-") return 1;
  return symbol == "*" || symbol == "/" || symbol == "%" ? 2 : 0;
}

bool separates_its_operands(const Expression& parent) {
  if (const auto* call = parent.as<Call>()) return call->form == CallForm::call;
  return parent.as<Subscript>() || parent.as<ArrayConstructor>() || parent.as<RowConstructor>() ||
         parent.as<Coalesce>() || parent.as<MinMax>() || parent.as<NullIf>() || parent.as<Aggregate>() ||
         parent.as<GroupingCall>() || parent.as<WindowCall>() || parent.as<Case>();
}

bool is_cast_by_function(const Convert& conversion, Type target) {
  return conversion.conversion.kind == Conversion::Kind::function || has_modifier(target);
}

Logical::Kind kind_of_logic(const Expression& expression) {
  const auto* logical = expression.as<Logical>();
  return logical != nullptr ? logical->kind : Logical::Kind::negation;
}

bool is_simple_logic(const Expression& expression, const Expression& parent) {
  using enum Logical::Kind;
  if (parent.as<Logical>() == nullptr) return separates_its_operands(parent);
  const Logical::Kind above = kind_of_logic(parent);
  if (kind_of_logic(expression) == disjunction) return above == disjunction;
  return above == conjunction || above == disjunction;
}

bool is_simple_operation(const Expression& expression, const Expression& parent) {
  const auto* above = parent.as<OperatorCall>();
  if (above == nullptr || expression.as<OperatorCall>() == nullptr)
    return parent.as<Logical>() != nullptr || separates_its_operands(parent);
  const int own = priority_of(expression);
  const int outer = priority_of(parent);
  if (own == 0 || outer == 0) return false;
  if (own != outer) return own > outer;
  return above->arguments[0].get() == &expression;
}

}  // namespace

bool is_simple(const Expression& expression, const Expression& parent, bool fewer_brackets) {
  if (const auto* conversion = expression.as<Convert>()) {
    return is_cast_by_function(*conversion, expression.type) ||
           is_simple(*conversion->argument, expression, fewer_brackets);
  }
  if (expression.as<FieldSelection>()) return parent.as<FieldSelection>() == nullptr;
  if (expression.as<Logical>() || is_negated_distinct(expression)) return is_simple_logic(expression, parent);
  if (expression.as<OperatorCall>() || expression.as<Subquery>() || expression.as<NullTest>() ||
      expression.as<BooleanTest>() || expression.as<DistinctTest>())
    return is_simple_operation(expression, parent);
  return expression.as<ArrayComparison>() == nullptr && expression.as<RowComparison>() == nullptr;
}

}  // namespace polarsim::engine::query
