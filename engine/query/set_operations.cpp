// UNION, INTERSECT, EXCEPT (PostgreSQL's transformSetOperationStmt(), src/backend/parser/analyze.c).
//
// Every SELECT at a leaf is an entry of the range table ("*SELECT* 1"); inner nodes are the tree in
// Query::set_operation. A leaf with ORDER BY, LIMIT, WITH or locking of its own is a leaf, whatever it is inside.
#include <fmt/format.h>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/query/locking.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {

namespace {

// The columns of a part: of a leaf its targets, which may still get their types; of an operation what it gives.
struct Part {
  SetOperationPtr tree;
  MutableQueryPtr leaf;
  std::vector<ExpressionPtr> columns;
};

const char* operator_name(syntax::SetOperator kind) {
  switch (kind) {
    case syntax::SetOperator::union_of:
      return "UNION";
    case syntax::SetOperator::intersect:
      return "INTERSECT";
    default:
      return "EXCEPT";
  }
}

bool is_leaf(const syntax::Select& select, bool top) {
  if (select.set_operator == syntax::SetOperator::none) return true;
  if (top) return false;
  return !select.order_by.empty() || select.limit != nullptr || select.offset != nullptr || !select.locking.empty() ||
         select.with != nullptr;
}

void refuse_locking(const syntax::Select& select) {
  if (select.locking.empty()) return;
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("{} is not allowed with UNION/INTERSECT/EXCEPT", lock_name(select.locking[0].strength)));
}

class SetOperationAnalysis {
 public:
  explicit SetOperationAnalysis(QueryScope& scope) : scope_(scope) {}

  Part analyse(const syntax::Select& select, bool top) {
    check_stack_depth();
    if (is_leaf(select, top)) return analyse_leaf(select);
    const char* construct = operator_name(select.set_operator);
    Part left = analyse(*select.left, false);
    if (top && is_recursive()) set_recursive_columns(*query_of(left), scope_);
    Part right = analyse(*select.right, false);
    if (left.columns.size() != right.columns.size()) {
      const int position = right.columns.empty() ? 0 : right.columns[0]->position;
      throw SqlError(sqlstate::syntax_error,
                     fmt::format("each {} query must have the same number of columns", construct))
          .at(position);
    }
    auto operation = std::make_shared<SetOperation>();
    operation->kind = select.set_operator;
    operation->all = select.set_all;
    operation->left = left.tree;
    operation->right = right.tree;
    Part result;
    for (std::size_t i = 0; i < left.columns.size(); ++i) {
      const ExpressionPtr column = unify(left, right, i, construct);
      if (!select.set_all || select.set_operator != syntax::SetOperator::union_of) {
        require_equality(column->type.id, column->position);
      }
      operation->types.push_back(column->type);
      result.columns.push_back(column);
    }
    result.tree = std::move(operation);
    return result;
  }

  // The leftmost leaf, which gives the names.
  static int first_entry(const SetOperation& tree) { return tree.is_leaf() ? tree.entry : first_entry(*tree.left); }

  // Where the first leaf's columns were written.
  std::vector<int> first_positions() const {
    std::vector<int> positions;
    for (const Target& target : leaves_.front()->targets) {
      if (!target.hidden) positions.push_back(target.expression->position);
    }
    return positions;
  }

  // Leaves get the entries' types that unification settled.
  void finish() {
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      RangeTableEntry& entry = scope_.query.entries[static_cast<std::size_t>(leaf_entries_[i])];
      entry.columns = output_columns(*leaves_[i]);
    }
  }

 private:
  bool is_recursive() const {
    return scope_.defined_common_table >= 0 &&
           scope_.parent()->query.common_tables[static_cast<std::size_t>(scope_.defined_common_table)].recursive;
  }

  // A query with the columns of a part, for its names and types alone.
  QueryPtr query_of(const Part& part) {
    if (part.leaf != nullptr) return part.leaf;
    auto query = std::make_shared<Query>();
    const auto& first = scope_.query.entries[static_cast<std::size_t>(first_entry(*part.tree))].columns;
    for (std::size_t i = 0; i < part.columns.size(); ++i) {
      Target& target = query->targets.emplace_back();
      target.expression = part.columns[i];
      target.name = first[i].name;
    }
    return query;
  }

  Part analyse_leaf(const syntax::Select& select) {
    refuse_locking(select);
    QueryScope inner(scope_.statement(), &scope_);
    inner.settle_unknowns = false;
    MutableQueryPtr query = analyse_select(select, inner);
    // The parent's range table holds nothing but leaves: columns of it cannot be meant.
    for_each_expression(*query, [&](const ExpressionPtr& part) {
      walk(
          part,
          [&](const Expression& expression, int depth) {
            const auto* column = expression.as<Column>();
            if (column != nullptr && column->levels_up == depth + 1) {
              throw SqlError(
                  sqlstate::invalid_column_reference,
                  "UNION/INTERSECT/EXCEPT member statement cannot refer to other relations of same query level")
                  .at(expression.position);
            }
            return true;
          },
          0);
    });
    Part part;
    part.leaf = query;
    for (const Target& target : query->targets) {
      if (!target.hidden) part.columns.push_back(target.expression);
    }
    RangeTableEntry entry;
    entry.alias = fmt::format("*SELECT* {}", scope_.query.entries.size() + 1);
    entry.alias_written = true;
    entry.columns = output_columns(*query);
    entry.source = SubquerySource{query, false};
    scope_.query.entries.push_back(std::move(entry));
    auto tree = std::make_shared<SetOperation>();
    tree->entry = static_cast<int>(scope_.query.entries.size()) - 1;
    for (const ExpressionPtr& column : part.columns) tree->types.push_back(column->type);
    part.tree = std::move(tree);
    leaves_.push_back(query);
    leaf_entries_.push_back(part.tree->entry);
    return part;
  }

  // Makes a literal or parameter in a leaf's list a value of the common type.
  void settle(Part& part, std::size_t column, Type common, const char* construct) {
    const ExpressionPtr& expression = part.columns[column];
    if (part.leaf == nullptr) return;
    const bool unknown = expression->type.id == TypeId::unknown;
    if (unknown && expression->as<Constant>() == nullptr && expression->as<Parameter>() == nullptr) return;
    // A known type is checked alone: the values are converted when the operation is carried out.
    const ExpressionPtr converted = coerce_to_common(expression, common, construct, scope_);
    if (!unknown) return;
    std::size_t number = 0;
    for (Target& target : part.leaf->targets) {
      if (target.hidden || number++ != column) continue;
      target.expression = converted;
      part.columns[column] = converted;
      return;
    }
  }

  ExpressionPtr unify(Part& left, Part& right, std::size_t column, const char* construct) {
    Type common = common_type({left.columns[column], right.columns[column]}, construct);
    const Type left_type = left.columns[column]->type;
    const Type right_type = right.columns[column]->type;
    // A modifier that both have stays.
    common.modifier = left_type.id == common.id && left_type == right_type ? left_type.modifier : no_modifier;
    settle(left, column, common, construct);
    settle(right, column, common, construct);
    const bool right_decides = right_type.id == common.id && left_type.id != common.id;
    const int position = (right_decides ? right : left).columns[column]->position;
    return make_expression(Constant{}, common, position);
  }

  QueryScope& scope_;
  std::vector<MutableQueryPtr> leaves_;
  std::vector<int> leaf_entries_;
};

}  // namespace

MutableQueryPtr analyse_set_operation(const syntax::Select& select, QueryScope& scope) {
  if (select.with != nullptr) analyse_with(*select.with, scope);
  refuse_locking(select);
  SetOperationAnalysis analysis(scope);
  Part result = analysis.analyse(select, true);
  analysis.finish();
  Query& query = scope.query;
  query.set_operation = result.tree;
  const int first = SetOperationAnalysis::first_entry(*result.tree);
  const std::vector<OutputName>& names = query.entries[static_cast<std::size_t>(first)].columns;
  const std::vector<int> positions = analysis.first_positions();
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    Target& target = query.targets.emplace_back();
    target.name = names[i].name;
    target.expression =
        make_expression(Column{first, static_cast<int>(i) + 1, 0}, result.columns[i]->type, positions[i]);
  }
  const std::size_t visible = query.targets.size();
  // ORDER BY sees the columns of the result alone.
  const std::vector<NamespaceItem> before = scope.names;
  NamespaceItem item;
  item.entry = first;
  item.table_visible = false;
  scope.names = {item};
  query.order_by = analyse_order_by(select.order_by, Clause::order_by, true, scope);
  scope.names = before;
  if (query.targets.size() != visible) {
    throw SqlError(ErrorFields{sqlstate::feature_not_supported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                               "Only result column names can be used, not expressions or functions.",
                               "Add the expression/function to every SELECT, or move the UNION into a FROM clause.", "",
                               query.targets[visible].expression->position});
  }
  analyse_limit(select, scope);
  return std::make_shared<Query>(std::move(query));
}

}  // namespace polarsim::engine::query
