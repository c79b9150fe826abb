#include "engine/plan/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "engine/plan/explain_names.h"
#include "engine/query/expression_walk.h"
#include "engine/types/quote.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::plan {
namespace {

using query::Column;

class Printer {
 public:
  Printer(const PlannedStatement& statement, const ExplainContext& context)
      : statement_(statement), context_(context), text_(statement) {}

  std::vector<std::string> run() {
    node(*statement_.plan);
    return std::move(lines_);
  }

 private:
  bool verbose() const { return context_.options.verbose; }
  bool qualify() const { return statement_.qualify_columns; }

  // --- lines ---

  void line(std::string_view text) {
    lines_.push_back(std::string(static_cast<std::size_t>(indent_) * 2, ' ') + std::string(text));
  }
  void property(std::string_view name, std::string_view value) { line(fmt::format("{}: {}", name, value)); }
  void property(std::string_view name, const std::vector<std::string>& values) {
    if (!values.empty()) property(name, fmt::format("{}", fmt::join(values, ", ")));
  }
  // The line of a node; what is said of it stands below, deeper.
  void begin(const std::string& label, const Cost& cost, const std::string& measured) {
    std::string text = label;
    if (context_.options.costs) {
      text +=
          fmt::format("  (cost={:.2f}..{:.2f} rows={:.0f} width={})", cost.startup, cost.total, cost.rows, cost.width);
    }
    text += measured;
    if (indent_ > 0) {
      line("->  " + text);
      indent_ += 2;
    } else {
      line(text);
    }
    ++indent_;
  }

  // --- what was measured ---

  const NodeMeasurement* measurement(const Plan& plan) const {
    if (!context_.options.analyze || !context_.measurement) return nullptr;
    const NodeMeasurement* found = context_.measurement(plan);
    return found && found->loops > 0 ? found : nullptr;
  }
  std::string measured(const Plan& plan, bool complete) const {
    if (!context_.options.analyze) return "";
    const NodeMeasurement* found = measurement(plan);
    if (!found) return " (never executed)";
    const double rows = found->rows / found->loops;
    if (!context_.options.timing) return fmt::format(" (actual rows={:.0f} loops={:.0f})", rows, found->loops);
    const double total = found->total_ms / found->loops;
    return fmt::format(" (actual time={:.3f}..{:.3f} rows={:.0f} loops={:.0f})",
                       complete ? total : found->startup_ms / found->loops, total, rows, found->loops);
  }
  void removed(const Plan& plan, std::string_view what, double NodeMeasurement::*count) {
    const NodeMeasurement* found = measurement(plan);
    if (!found || found->*count <= 0) return;
    property("Rows Removed by " + std::string(what), fmt::format("{:.0f}", found->*count / found->loops));
  }
  void measured_lines(const Plan& plan) {
    const NodeMeasurement* found = measurement(plan);
    if (!found) return;
    for (const std::string& each : found->lines) line(each);
  }

  // --- nodes ---

  // What PostgreSQL would not have made is passed over; what is computed last is shown of the node below.
  const Plan& shown(const Plan& plan, std::vector<int>& initial_plans) const {
    initial_plans.insert(initial_plans.end(), plan.initial_plans.begin(), plan.initial_plans.end());
    if (plan.children.size() != 1) return plan;
    const Plan& child = *plan.children.front();
    const bool gated = child.as<Result>() && child.children.empty() && !child.one_time_conditions.empty();
    if (text_.is_passed_over(plan) ||
        (plan.as<Result>() && gated && plan.conditions.empty() && plan.one_time_conditions.empty())) {
      return shown(child, initial_plans);
    }
    return plan;
  }

  void node(const Plan& given) {
    std::vector<int> initial_plans;
    const Plan& plan = shown(given, initial_plans);
    const int before = indent_;
    begin(label(plan), plan.cost, measured(plan, false));
    output(plan);
    details(plan);
    if (!plan.as<HashJoin>()) measured_lines(plan);
    for (const int each : initial_plans) subplan(each);
    children(plan);
    for (const int each : subplans_of(plan)) subplan(each);
    indent_ = before;
  }

  void children(const Plan& plan) {
    check_stack_depth();
    if (plan.as<SetOperation>()) return parts_of_set_operation(plan);
    if (!plan.as<HashJoin>()) {
      for (const PlanPtr& child : plan.children) node(*child);
      return;
    }
    node(*plan.children[0]);
    const Plan& right = *plan.children[1];
    Cost cost = right.cost;
    cost.startup = cost.total;
    const int before = indent_;
    begin("Hash", cost, measured(right, true));
    output(right);
    measured_lines(plan);
    node(right);
    indent_ = before;
  }

  // PostgreSQL appends the sides' rows, flagged, and counts them.
  void parts_of_set_operation(const Plan& plan) {
    const int before = indent_;
    Cost cost;
    cost.rows = 0;
    for (const PlanPtr& child : plan.children) {
      cost.total += child->cost.total;
      cost.rows += child->cost.rows;
      cost.width = std::max(cost.width, child->cost.width);
    }
    cost.startup = plan.children.front()->cost.startup;
    begin("Append", cost, context_.options.analyze ? appended(plan) : "");
    const int inner = indent_;
    for (const PlanPtr& child : plan.children) {
      const bool direct = child->as<SetOperation>() != nullptr;
      if (!direct) {
        begin(fmt::format("Subquery Scan on \"*SELECT* {}\"", ++selects_), child->cost, measured(*child, false));
      }
      node(*child);
      indent_ = inner;
    }
    indent_ = before;
  }
  std::string appended(const Plan& plan) const {
    NodeMeasurement sum;
    for (const PlanPtr& child : plan.children) {
      const NodeMeasurement* found = measurement(*child);
      if (!found) continue;
      if (sum.loops == 0) sum.startup_ms = found->startup_ms;
      sum.loops = std::max(sum.loops, found->loops);
      sum.total_ms += found->total_ms;
      sum.rows += found->rows;
    }
    if (sum.loops == 0) return " (never executed)";
    const double rows = sum.rows / sum.loops;
    if (!context_.options.timing) return fmt::format(" (actual rows={:.0f} loops={:.0f})", rows, sum.loops);
    return fmt::format(" (actual time={:.3f}..{:.3f} rows={:.0f} loops={:.0f})", sum.startup_ms / sum.loops,
                       sum.total_ms / sum.loops, rows, sum.loops);
  }

  void subplan(int number) {
    if (!printed_.insert(number).second) return;
    const SubplanDefinition& definition = statement_.subplans[static_cast<std::size_t>(number)];
    const int before = indent_;
    line(definition.name);
    ++indent_;
    node(*definition.plan);
    indent_ = before;
  }

  static std::vector<int> subplans_of(const Plan& plan) {
    std::vector<int> found;
    for (const PlacedExpression& placed : expressions_of(plan)) {
      query::walk(placed.expression, [&](const query::Expression& part, int) {
        if (const auto* each = part.as<query::Subplan>()) found.push_back(each->subplan);
        return true;
      });
    }
    return found;
  }

  // --- the first line ---

  std::string on(const query::Relation& relation, const std::string& alias) const {
    std::string text = " on ";
    if (verbose()) text += quote_identifier(relation.schema) + ".";
    text += quote_identifier(relation.name);
    if (!alias.empty() && alias != relation.name) text += " " + quote_identifier(alias);
    return text;
  }
  static std::string on(const std::string& object, const std::string& alias) {
    std::string text = " on";
    if (!object.empty()) text += " " + object;
    if (object.empty() || alias != object) text += " " + quote_identifier(alias);
    return text;
  }
  static std::string join_label(const char* method, PlanJoin type) {
    if (type != PlanJoin::inner) return fmt::format("{} {} Join", method, to_string(type));
    return std::string_view(method) == "Nested Loop" ? method : fmt::format("{} Join", method);
  }

  std::string label(const Plan& plan) const {
    struct Labels {
      const Printer& p;
      const Plan& plan;
      std::string operator()(const SeqScan& n) const { return "Seq Scan" + p.on(*n.relation, plan.alias); }
      std::string operator()(const IndexScan& n) const {
        const std::string& index = n.relation->indexes[n.index].name;
        return fmt::format("Index {}Scan {}using {}{}", n.index_only ? "Only " : "", n.backward ? "Backward " : "",
                           quote_identifier(index), p.on(*n.relation, plan.alias));
      }
      std::string operator()(const SubqueryScan&) const { return "Subquery Scan" + Printer::on("", plan.alias); }
      std::string operator()(const FunctionScan& n) const {
        const auto* call =
            n.source.functions.size() == 1 ? n.source.functions.front().call->as<query::Call>() : nullptr;
        const std::string name = call ? quote_identifier(call->function->name) : "";
        if (!call) return "Function Scan" + Printer::on("", plan.alias);
        if (!p.verbose()) return "Function Scan" + Printer::on(name, plan.alias);
        return "Function Scan on pg_catalog." + name +
               (plan.alias != call->function->name ? " " + quote_identifier(plan.alias) : "");
      }
      std::string operator()(const ValuesScan&) const {
        return "Values Scan" + Printer::on("", p.text_.scan_name(plan));
      }
      std::string operator()(const SystemViewScan& n) const { return "Seq Scan" + p.on(*n.relation, plan.alias); }
      std::string operator()(const CommonTableScan&) const {
        return "CTE Scan" + Printer::on(p.text_.common_table_name(plan), plan.alias);
      }
      std::string operator()(const WorkTableScan&) const {
        return "WorkTable Scan" + Printer::on(p.text_.common_table_name(plan), plan.alias);
      }
      std::string operator()(const NestedLoop& n) const { return join_label("Nested Loop", n.type); }
      std::string operator()(const HashJoin& n) const { return join_label("Hash", n.type); }
      std::string operator()(const MergeJoin& n) const { return join_label("Merge", n.type); }
      std::string operator()(const Result&) const { return "Result"; }
      std::string operator()(const ProjectSet&) const { return "ProjectSet"; }
      std::string operator()(const Materialize&) const { return "Materialize"; }
      std::string operator()(const Sort&) const { return "Sort"; }
      std::string operator()(const Aggregate& n) const {
        switch (n.strategy) {
          case Aggregate::Strategy::plain:
            return "Aggregate";
          case Aggregate::Strategy::sorted:
            return "GroupAggregate";
          case Aggregate::Strategy::hashed:
            return "HashAggregate";
          case Aggregate::Strategy::mixed:
            return "MixedAggregate";
        }
        return "";
      }
      std::string operator()(const WindowAgg&) const { return "WindowAgg"; }
      std::string operator()(const Unique&) const { return "Unique"; }
      std::string operator()(const LockRows&) const { return "LockRows"; }
      std::string operator()(const Limit&) const { return "Limit"; }
      std::string operator()(const Append&) const { return "Append"; }
      std::string operator()(const SetOperation& n) const {
        return fmt::format("HashSetOp {}{}", n.kind == query::SetOperator::except ? "Except" : "Intersect",
                           n.all ? " All" : "");
      }
      std::string operator()(const RecursiveUnion&) const { return "Recursive Union"; }
      std::string operator()(const ModifyTable& n) const {
        const char* what = n.command == query::Command::insert   ? "Insert"
                           : n.command == query::Command::update ? "Update"
                                                                 : "Delete";
        return what + p.on(*n.relation, plan.alias);
      }
      std::string operator()(const Custom& n) const {
        const std::string call = n.scan->call();
        if (call.empty()) return fmt::format("Custom Scan ({})", n.scan->name());
        // In a statement's text it would be a function: a node that reads such rows shows one.
        const std::string function = call.substr(0, call.find('('));
        return fmt::format("Function Scan on {}{}", function, plan.alias == function ? "" : " " + plan.alias);
      }
    };
    return std::visit(Labels{*this, plan}, plan.node);
  }

  // --- what is said of a node ---

  void output(const Plan& plan) {
    if (!verbose() || plan.as<Append>() || plan.as<RecursiveUnion>()) return;
    const auto* constant = plan.targets.size() == 1 ? plan.targets[0].expression->as<query::Constant>() : nullptr;
    // A row without columns has a placeholder.
    if (constant && plan.targets[0].name.empty() && plan.targets[0].expression->type.id == TypeId::boolean) return;
    std::vector<std::string> columns;
    const auto width = static_cast<int>(text_.width(plan));
    const auto* scan = plan.as<IndexScan>();
    if (scan && scan->index_only && plan.targets.empty()) {
      for (const auto& key : scan->relation->indexes[scan->index].keys) {
        if (key.column > 0) columns.push_back(text_.output(plan, key.column, qualify()));
      }
      return property("Output", columns);
    }
    for (int i = 1; i <= width; ++i) columns.push_back(text_.output(plan, i, qualify()));
    property("Output", columns);
  }

  void conditions(std::string_view name, const std::vector<ExpressionPtr>& list, const View& view, bool prefix) {
    if (!list.empty()) property(name, text_.conjunction(list, view, prefix));
  }
  // The conditions of scans are written without their table's name, which stands in the line above.
  void filter(const Plan& plan) {
    const bool scan = plan.as<SeqScan>() || plan.as<IndexScan>() || plan.as<FunctionScan>() || plan.as<ValuesScan>() ||
                      plan.as<SystemViewScan>() || plan.as<CommonTableScan>() || plan.as<WorkTableScan>() ||
                      plan.as<Custom>();
    const bool prefix = verbose() || (scan ? false : plan.as<SubqueryScan>() || qualify());
    conditions("Filter", plan.conditions, {&plan, View::Of::node}, prefix);
    if (!plan.conditions.empty()) removed(plan, "Filter", &NodeMeasurement::rows_removed_by_filter);
  }
  void join_conditions(const Plan& plan, const std::vector<ExpressionPtr>& list) {
    conditions("Join Filter", list, {&plan, View::Of::node}, qualify() || verbose());
    if (!list.empty()) removed(plan, "Join Filter", &NodeMeasurement::rows_removed_by_join_filter);
  }

  void details(const Plan& plan) {
    const View own{&plan, View::Of::node};
    const bool prefix = qualify() || verbose();
    if (const auto* n = plan.as<IndexScan>()) {
      std::vector<ExpressionPtr> bounds;
      for (const auto& bound : n->bounds) bounds.push_back(bound.condition);
      conditions("Index Cond", bounds, own, verbose());
    } else if (const auto* function = plan.as<FunctionScan>(); function && verbose()) {
      std::vector<std::string> calls;
      for (const auto& item : function->source.functions) calls.push_back(text_.expression(item.call, own, true));
      property("Function Call", calls);
    } else if (const auto* loop = plan.as<NestedLoop>()) {
      join_conditions(plan, loop->condition);
    } else if (const auto* hash = plan.as<HashJoin>()) {
      conditions("Hash Cond", hash->hash_conditions, own, prefix);
      join_conditions(plan, hash->condition);
    } else if (const auto* merge = plan.as<MergeJoin>()) {
      conditions("Merge Cond", merge->merge_conditions, own, prefix);
      join_conditions(plan, merge->condition);
    } else if (const auto* sort = plan.as<Sort>()) {
      property("Sort Key", sort_keys(plan, sort->keys));
    } else if (const auto* aggregate = plan.as<Aggregate>()) {
      group_keys(plan, *aggregate);
    } else if (const auto* change = plan.as<ModifyTable>(); change && change->conflict) {
      conflict(plan, *change);
    } else if (const auto* custom = plan.as<Custom>(); custom && context_.custom) {
      for (const std::string& each : context_.custom(*custom->scan, context_.options)) line(each);
    }
    conditions("One-Time Filter", plan.one_time_conditions, own, prefix);
    filter(plan);
  }

  std::vector<std::string> sort_keys(const Plan& plan, const std::vector<SortKey>& keys) const {
    std::vector<std::string> texts;
    for (const SortKey& key : keys) {
      std::string text = text_.below(plan, key.column, qualify() || verbose());
      if (key.descending) text += " DESC";
      if (key.nulls_first && !key.descending) text += " NULLS FIRST";
      if (!key.nulls_first && key.descending) text += " NULLS LAST";
      texts.push_back(std::move(text));
    }
    return texts;
  }

  void group_keys(const Plan& plan, const Aggregate& node) {
    // Written as the child writes them.
    std::vector<std::string> keys;
    const Plan& child = *plan.children.front();
    for (const SortKey& key : node.groups) keys.push_back(text_.output(child, key.column, qualify() || verbose()));
    if (node.sets.empty()) return property("Group Key", keys);
    const bool sorted = node.strategy == Aggregate::Strategy::sorted || node.strategy == Aggregate::Strategy::plain;
    // PostgreSQL looks at the largest first.
    std::vector<std::pair<std::size_t, std::size_t>> order;
    for (std::size_t i = 0; i < node.sets.size(); ++i) order.emplace_back(node.groups.size() - node.sets[i].size(), i);
    std::sort(order.begin(), order.end());
    std::vector<std::string> empty;
    for (const auto& place : order) {
      const std::vector<int>& set = node.sets[place.second];
      if (set.empty()) {
        empty.emplace_back("()");
        continue;
      }
      std::vector<std::string> names;
      for (const int group : set) names.push_back(keys[static_cast<std::size_t>(group)]);
      property(sorted ? "Group Key" : "Hash Key", names);
    }
    for (const std::string& each : empty) property("Group Key", each);
  }

  void conflict(const Plan& plan, const ModifyTable& change) {
    const ModifyTable::Conflict& conflict = *change.conflict;
    property("Conflict Resolution", conflict.update ? "UPDATE" : "NOTHING");
    std::vector<std::string> arbiters;
    for (const std::size_t arbiter : conflict.arbiters) arbiters.push_back(change.relation->indexes[arbiter].name);
    property("Conflict Arbiter Indexes", arbiters);
    conditions("Conflict Filter", conflict.conditions, {&plan, View::Of::conflict}, true);
  }

  const PlannedStatement& statement_;
  const ExplainContext& context_;
  PlanText text_;
  std::vector<std::string> lines_;
  std::set<int> printed_;
  int indent_ = 0;
  int selects_ = 0;
};

}  // namespace

std::vector<std::string> explain(const PlannedStatement& statement, const ExplainContext& context) {
  return Printer(statement, context).run();
}

}  // namespace polarsim::engine::plan
