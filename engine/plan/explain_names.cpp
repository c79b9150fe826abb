#include "engine/plan/explain_names.h"

#include <fmt/format.h>

#include "engine/query/expression_walk.h"
#include "engine/query/system_columns.h"
#include "engine/types/quote.h"

namespace polarsim::engine::plan {
namespace {

using query::Column;
using query::make_expression;

const query::Relation* relation_of(const Plan& plan) {
  if (const auto* scan = plan.as<SeqScan>()) return scan->relation.get();
  if (const auto* scan = plan.as<IndexScan>()) return scan->relation.get();
  if (const auto* scan = plan.as<SystemViewScan>()) return scan->relation.get();
  return nullptr;
}

const std::vector<int>* system_columns_of(const Plan& plan) {
  if (const auto* scan = plan.as<SeqScan>()) return &scan->system_columns;
  if (const auto* scan = plan.as<IndexScan>()) return &scan->system_columns;
  return nullptr;
}

bool is_scan(const Plan& plan) {
  return relation_of(plan) || plan.as<SubqueryScan>() || plan.as<FunctionScan>() || plan.as<ValuesScan>() ||
         plan.as<CommonTableScan>() || plan.as<WorkTableScan>() || plan.as<Custom>();
}

std::size_t scanned_width(const Plan& plan) {
  const query::Relation* relation = relation_of(plan);
  const std::vector<int>* system = system_columns_of(plan);
  return (relation ? relation->columns.size() : plan.names.size()) + (system ? system->size() : 0);
}

// The scan's row as one value, which is made where it is read.
bool is_whole_row(const Plan& plan, const query::Expression& expression) {
  const auto* row = expression.as<query::RowConstructor>();
  if (!row || !is_scan(plan) || row->fields.empty()) return false;
  int last = 0;
  for (std::size_t i = 0; i < row->fields.size(); ++i) {
    const auto* column = row->fields[i]->as<Column>();
    if (!column || column->column <= last) return false;
    last = column->column;
    const auto at = static_cast<std::size_t>(last - 1);
    if (at >= plan.names.size() || plan.names[at] != row->names[i]) return false;
  }
  return row->fields.size() <= scanned_width(plan);
}

void add(std::vector<PlacedExpression>& list, const std::vector<ExpressionPtr>& expressions, const View& view) {
  for (const ExpressionPtr& each : expressions) list.push_back({each, view});
}

void add_of_scans(std::vector<PlacedExpression>& list, const Plan& plan) {
  const View own{&plan, View::Of::node};
  if (const auto* function = plan.as<FunctionScan>()) {
    for (const auto& item : function->source.functions) list.push_back({item.call, own});
  }
  if (const auto* values = plan.as<ValuesScan>()) {
    for (const auto& row : values->rows) add(list, row, own);
  }
  if (const auto* scan = plan.as<IndexScan>()) {
    for (const auto& bound : scan->bounds) list.push_back({bound.condition, own});
  }
}

void add_of_joins(std::vector<PlacedExpression>& list, const Plan& plan) {
  const View own{&plan, View::Of::node};
  if (const auto* loop = plan.as<NestedLoop>()) add(list, loop->condition, own);
  if (const auto* join = plan.as<HashJoin>()) {
    add(list, join->condition, own);
    add(list, join->hash_conditions, own);
  }
  if (const auto* join = plan.as<MergeJoin>()) {
    add(list, join->condition, own);
    add(list, join->merge_conditions, own);
  }
}

void add_of_others(std::vector<PlacedExpression>& list, const Plan& plan) {
  const View below{&plan, View::Of::below};
  if (const auto* aggregate = plan.as<Aggregate>()) {
    for (const auto& call : aggregate->aggregates) {
      add(list, call.arguments, below);
      list.push_back({call.filter, below});
      for (const auto& key : call.order_by) list.push_back({key.expression, below});
    }
  }
  if (const auto* window = plan.as<WindowAgg>()) {
    for (const auto& call : window->calls) {
      add(list, call.arguments, below);
      list.push_back({call.filter, below});
    }
  }
  if (const auto* limit = plan.as<Limit>()) {
    list.push_back({limit->limit, below});
    list.push_back({limit->offset, below});
  }
  if (const auto* change = plan.as<ModifyTable>(); change && change->conflict) {
    const View conflict{&plan, View::Of::conflict};
    add(list, change->conflict->values, conflict);
    add(list, change->conflict->conditions, conflict);
  }
}

}  // namespace

std::vector<PlacedExpression> expressions_of(const Plan& plan) {
  std::vector<PlacedExpression> list;
  const View own{&plan, View::Of::node};
  for (const PlanTarget& target : plan.targets) list.push_back({target.expression, own});
  add_of_scans(list, plan);
  add(list, plan.conditions, own);
  add_of_joins(list, plan);
  add_of_others(list, plan);
  add(list, plan.one_time_conditions, own);
  std::erase_if(list, [](const PlacedExpression& each) { return each.expression == nullptr; });
  return list;
}

PlanText::PlanText(const PlannedStatement& statement) : statement_(statement) {
  collect(*statement.plan);
  for (const SubplanDefinition& subplan : statement.subplans) collect(*subplan.plan);
}

void PlanText::collect(const Plan& plan) {
  if (plan.as<ValuesScan>()) value_lists_.emplace(plan.entry, &plan);
  if (const auto* loop = plan.as<NestedLoop>()) {
    for (const auto& each : loop->parameters) {
      parameters_.emplace(each.parameter, Source{each.value, {&plan, View::Of::node}});
    }
  }
  for (const PlacedExpression& placed : expressions_of(plan)) {
    query::walk(placed.expression, [&](const query::Expression& part, int) {
      const auto* subplan = part.as<query::Subplan>();
      if (!subplan) return true;
      for (const auto& each : subplan->arguments) {
        parameters_.emplace(each.parameter, Source{each.value, placed.view});
      }
      return true;
    });
  }
  for (const PlanPtr& child : plan.children) collect(*child);
}

std::string PlanText::scan_name(const Plan& plan) const {
  if (!plan.as<ValuesScan>()) return plan.alias;
  int before = 0;
  for (const auto& each : value_lists_) {
    if (each.second == &plan) break;
    ++before;
  }
  return before == 0 ? "*VALUES*" : fmt::format("*VALUES*_{}", before);
}

std::string PlanText::common_table_name(const Plan& plan) const {
  const SubplanDefinition* found = nullptr;
  if (const auto* scan = plan.as<CommonTableScan>()) {
    found = &statement_.subplans[static_cast<std::size_t>(scan->subplan)];
  }
  if (const auto* scan = plan.as<WorkTableScan>()) {
    for (const SubplanDefinition& subplan : statement_.subplans) {
      const auto* recursion = subplan.plan->as<RecursiveUnion>();
      if (recursion && recursion->work_table == scan->work_table) found = &subplan;
    }
  }
  constexpr std::size_t prefix = 4;  // "CTE "
  return found && found->name.size() > prefix ? found->name.substr(prefix) : plan.alias;
}

std::string PlanText::expression(const ExpressionPtr& expression, const View& view, bool prefix,
                                 bool show_implicit) const {
  query::PlanNames names;
  names.show_implicit = show_implicit;
  names.column = [&](const Column& column) {
    if (column.column == Column::whole_row) return quote_identifier(scan_name(*view.plan)) + ".*";
    return reference(view, column, prefix);
  };
  names.parameter = [&](const query::Parameter& each) { return parameter(each); };
  names.subplan = [&](const query::Subplan& subplan) {
    const std::string& name = statement_.subplans[static_cast<std::size_t>(subplan.subplan)].name;
    return fmt::format("({}{})", subplan.hashed ? "hashed " : "", name);
  };
  if (view.of != View::Of::node || !is_scan(*view.plan)) return query::deparse(*expression, names);
  const ExpressionPtr shown = query::rewrite(expression, [&](const ExpressionPtr& part, int) -> ExpressionPtr {
    if (!is_whole_row(*view.plan, *part)) return nullptr;
    return make_expression(Column{0, Column::whole_row, 0}, part->type, part->position);
  });
  return query::deparse(*shown, names);
}

std::string PlanText::conjunction(const std::vector<ExpressionPtr>& conditions, const View& view, bool prefix) const {
  if (conditions.size() == 1) return expression(conditions.front(), view, prefix);
  return expression(
      make_expression(query::Logical{query::Logical::Kind::conjunction, conditions}, Type(TypeId::boolean)), view,
      prefix);
}

std::string PlanText::output(const Plan& plan, int column, bool prefix) const {
  const auto index = static_cast<std::size_t>(column - 1);
  const View own{&plan, View::Of::node};
  if (index >= plan.targets.size()) return reference(own, Column{0, column, 0}, prefix);
  const ExpressionPtr& target = plan.targets[index].expression;
  if (is_whole_row(plan, *target)) return given(plan, column, prefix).text;
  return expression(target, own, prefix);
}

std::string PlanText::below(const Plan& plan, int column, bool prefix) const {
  return reference({&plan, View::Of::below}, Column{0, column, 0}, prefix);
}

bool PlanText::is_passed_over(const Plan& plan) const {
  if ((!plan.as<SubqueryScan>() && !plan.as<Result>()) || plan.children.size() != 1) return false;
  if (!plan.conditions.empty() || !plan.one_time_conditions.empty()) return false;
  if (plan.targets.empty()) return true;
  if (plan.targets.size() != width(*plan.children.front())) return false;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const auto* column = plan.targets[i].expression->as<Column>();
    if (!column || column->column != static_cast<int>(i) + 1) return false;
  }
  return true;
}

std::size_t PlanText::width(const Plan& plan) const {
  if (!plan.targets.empty()) return plan.targets.size();
  // Hands on its rows as they are, also what has no name in them: columns that the subquery is sorted by.
  if (plan.as<SubqueryScan>()) return width(*plan.children.front());
  if (is_scan(plan)) return scanned_width(plan);
  if (const auto* node = plan.as<Aggregate>()) {
    return node->groups.size() + node->aggregates.size() + node->grouping.size() + node->carried.size();
  }
  if (plan.children.empty() || plan.as<ModifyTable>()) return 0;
  std::size_t sum = width(*plan.children.front());
  if (plan.as<NestedLoop>() || plan.as<HashJoin>() || plan.as<MergeJoin>()) sum += width(*plan.children[1]);
  if (const auto* window = plan.as<WindowAgg>()) sum += window->calls.size();
  return sum;
}

// A node's own aggregates stand as they are; what is computed below is put in brackets.
std::string PlanText::reference(const View& view, const Column& column, bool prefix) const {
  const Plan& plan = *view.plan;
  if (view.of == View::Of::conflict) {
    const auto& relation = *plan.as<ModifyTable>()->relation;
    const std::string table = column.entry == 0 ? quote_identifier(plan.alias) : "excluded";
    return table + "." + quote_identifier(relation.columns[static_cast<std::size_t>(column.column - 1)].name);
  }
  bool own = false;
  if (view.of == View::Of::node) {
    const auto at = static_cast<std::size_t>(column.column);
    if (const auto* node = plan.as<Aggregate>()) {
      const std::size_t groups = node->groups.size();
      own = at > groups && at <= groups + node->aggregates.size() + node->grouping.size();
    }
    if (plan.as<WindowAgg>()) own = at > width(*plan.children.front());
  }
  const Found found =
      view.of == View::Of::below ? given(*plan.children.front(), column.column, prefix) : seen(plan, column, prefix);
  return found.plain || own ? found.text : "(" + found.text + ")";
}

PlanText::Found PlanText::given(const Plan& plan, int column, bool prefix) const {
  const auto index = static_cast<std::size_t>(column - 1);
  if (index >= plan.targets.size()) return seen(plan, Column{0, column, 0}, prefix);
  const ExpressionPtr& target = plan.targets[index].expression;
  if (const auto* inner = target->as<Column>()) return seen(plan, *inner, prefix);
  if (is_whole_row(plan, *target)) return {quote_identifier(scan_name(plan)) + ".*"};
  // As PostgreSQL's get_special_variable() does.
  return {expression(target, {&plan, View::Of::node}, prefix, true), false};
}

PlanText::Found PlanText::seen(const Plan& plan, const Column& column, bool prefix) const {
  if (is_scan(plan)) return scanned(plan, column.column, prefix);
  if (const auto* node = plan.as<Aggregate>()) return grouped(plan, *node, column.column, prefix);
  if (const auto* node = plan.as<ModifyTable>()) return changed(plan, *node, column.column, prefix);
  if (const auto* node = plan.as<WindowAgg>()) {
    const auto before = static_cast<int>(width(*plan.children.front()));
    if (column.column > before) {
      return {window_call(plan, node->calls[static_cast<std::size_t>(column.column - before - 1)], prefix), false};
    }
  }
  const auto side = static_cast<std::size_t>(column.entry);
  if (side >= plan.children.size()) return {fmt::format("column{}", column.column)};
  // A join without targets gives both rows, one after the other.
  const std::size_t left = width(*plan.children.front());
  const bool join = plan.as<NestedLoop>() || plan.as<HashJoin>() || plan.as<MergeJoin>();
  if (join && side == 0 && static_cast<std::size_t>(column.column) > left) {
    return given(*plan.children[1], column.column - static_cast<int>(left), prefix);
  }
  return given(*plan.children[side], column.column, prefix);
}

PlanText::Found PlanText::scanned(const Plan& plan, int column, bool prefix) const {
  // Nobody would know what the name of a scan that is not shown means.
  if (plan.as<SubqueryScan>() && is_passed_over(plan)) return given(*plan.children.front(), column, prefix);
  const auto index = static_cast<std::size_t>(column - 1);
  const query::Relation* relation = relation_of(plan);
  const std::size_t columns = relation ? relation->columns.size() : plan.names.size();
  std::string name;
  if (plan.as<ValuesScan>()) {
    name = fmt::format("column{}", column);
  } else if (index < plan.names.size() && index < columns) {
    name = plan.names[index];
  } else if (index < columns) {
    name = relation->columns[index].name;
  } else if (const auto* system = system_columns_of(plan); system && index - columns < system->size()) {
    name = query::system_column((*system)[index - columns]).name;
  } else if (plan.as<SubqueryScan>()) {
    return given(*plan.children.front(), column, prefix);
  } else {
    name = fmt::format("column{}", column);
  }
  const std::string scan = scan_name(plan);
  return {(prefix && !scan.empty() ? quote_identifier(scan) + "." : "") + quote_identifier(name)};
}

PlanText::Found PlanText::grouped(const Plan& plan, const Aggregate& node, int column, bool prefix) const {
  const Plan& child = *plan.children.front();
  auto at = static_cast<std::size_t>(column - 1);
  if (at < node.groups.size()) return given(child, node.groups[at].column, prefix);
  at -= node.groups.size();
  if (at < node.aggregates.size()) return {aggregate(plan, node.aggregates[at], prefix), false};
  at -= node.aggregates.size();
  if (at < node.grouping.size()) {
    std::string text = "GROUPING(";
    for (std::size_t i = 0; i < node.grouping[at].size(); ++i) {
      const auto group = static_cast<std::size_t>(node.grouping[at][i]);
      text += (i > 0 ? ", " : "") + below(plan, node.groups[group].column, prefix);
    }
    return {text + ")", false};
  }
  at -= node.grouping.size();
  return given(child, node.carried[at], prefix);
}

PlanText::Found PlanText::changed(const Plan& plan, const ModifyTable& node, int column, bool prefix) const {
  auto at = static_cast<std::size_t>(column - 1);
  const std::string table = prefix ? quote_identifier(plan.alias) + "." : "";
  if (at < node.relation->columns.size()) return {table + quote_identifier(node.relation->columns[at].name)};
  at -= node.relation->columns.size();
  if (at < node.system_columns.size()) {
    return {table + std::string(query::system_column(node.system_columns[at]).name)};
  }
  at -= node.system_columns.size();
  return given(*plan.children.front(), static_cast<int>(at) + 1, prefix);
}

std::string PlanText::aggregate(const Plan& plan, const AggregateCall& call, bool prefix) const {
  query::Aggregate shown;
  shown.function = call.function;
  const auto direct = static_cast<std::ptrdiff_t>(call.direct_arguments);
  const bool normal = call.function->aggregate_kind == AggregateKind::normal;
  if (normal) shown.arguments = call.arguments;
  if (!normal) shown.arguments.assign(call.arguments.end() - direct, call.arguments.end());
  shown.order_by = call.order_by;
  shown.filter = call.filter;
  shown.distinct = call.distinct;
  shown.star = call.star;
  return expression(make_expression(std::move(shown), call.type), {&plan, View::Of::below}, prefix);
}

std::string PlanText::window_call(const Plan& plan, const WindowCall& call, bool prefix) const {
  query::WindowCall shown;
  shown.function = call.function;
  shown.arguments = call.arguments;
  shown.filter = call.filter;
  shown.star = call.star;
  return expression(make_expression(std::move(shown), call.type), {&plan, View::Of::below}, prefix);
}

// What another part of the plan computes is shown as it is written there, always with its table.
std::string PlanText::parameter(const query::Parameter& parameter) const {
  const auto found = parameters_.find(parameter.index);
  if (found == parameters_.end()) return fmt::format("${}", parameter.index);
  const ExpressionPtr& value = found->second.value;
  const std::string text = expression(value, found->second.view, true);
  const bool atom = value->as<Column>() || value->as<query::Parameter>();
  return atom ? text : "(" + text + ")";
}

}  // namespace polarsim::engine::plan
