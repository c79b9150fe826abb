#include "engine/executor/foreign_key_statements.h"

#include <utility>

#include "engine/plan/planner.h"
#include "engine/query/analysis.h"

namespace polarsim::engine::executor {

namespace {

using syntax::Expression;
using syntax::ExpressionPtr;

constexpr const char* alias = "x";

// Whatever is asked for is the one relation of the statement.
class OneRelation final : public query::RelationSource {
 public:
  explicit OneRelation(query::RelationPtr relation) : relation_(std::move(relation)) {}
  query::RelationPtr open(std::string_view, std::string_view, syntax::TableLockMode) override { return relation_; }
  bool has_schema(std::string_view) const override { return true; }

 private:
  query::RelationPtr relation_;
};

ExpressionPtr make(Expression expression) { return std::make_shared<const Expression>(std::move(expression)); }

ExpressionPtr parameter(std::size_t index) {
  Expression made;
  made.kind = Expression::Kind::parameter;
  made.index = static_cast<int>(index);
  return make(std::move(made));
}

const query::RelationColumn& column_of(const query::Relation& relation, int number) {
  return relation.columns.at(static_cast<std::size_t>(number) - 1);
}

ExpressionPtr column(const query::Relation& relation, int number) {
  Expression made;
  made.kind = Expression::Kind::column;
  made.path = {alias};
  made.name = column_of(relation, number).name;
  return make(std::move(made));
}

// char(n) is compared as the referenced column is: with blanks at the end only among its own kind.
ExpressionPtr comparable(ExpressionPtr column, TypeId own, TypeId referenced) {
  if (own == referenced || (own != TypeId::bpchar && referenced != TypeId::bpchar)) return column;
  syntax::TypeName type;
  type.schema = "pg_catalog";
  type.name = referenced == TypeId::bpchar ? "bpchar" : "text";
  Expression made;
  made.kind = Expression::Kind::cast;
  made.arguments = {std::move(column)};
  made.type_name = std::make_shared<const syntax::TypeName>(std::move(type));
  return make(std::move(made));
}

ExpressionPtr equality(ExpressionPtr left, ExpressionPtr right) {
  Expression made;
  made.kind = Expression::Kind::operation;
  made.name = "=";
  made.arguments = {std::move(left), std::move(right)};
  return make(std::move(made));
}

syntax::TableName table_name(const query::Relation& relation) {
  syntax::TableName name;
  name.schema = relation.schema;
  name.name = relation.name;
  name.alias = alias;
  return name;
}

syntax::Select find(const query::Relation& relation, ExpressionPtr where) {
  Expression one;
  one.kind = Expression::Kind::constant;
  one.value = Value::integer(1);
  one.type = TypeId::int4;
  syntax::Select select;
  select.items.push_back({make(std::move(one)), "", 0});
  syntax::FromItem from;
  from.source = table_name(relation);
  select.from.push_back(std::make_shared<const syntax::FromItem>(std::move(from)));
  select.where = std::move(where);
  select.locking.push_back({syntax::LockStrength::key_share, syntax::LockWait::block, {}});
  return select;
}

}  // namespace

ExpressionPtr ForeignKeyStatements::condition(bool of_referenced) const {
  std::vector<ExpressionPtr> equalities;
  for (std::size_t i = 0; i < key_.columns.size(); ++i) {
    const int to = key_.referenced_columns[i];
    const int from = key_.columns[i];
    equalities.push_back(of_referenced ? equality(column(*referenced_, to), parameter(i + 1))
                                       : equality(parameter(i + 1), comparable(column(*referencing_, from),
                                                                               column_of(*referencing_, from).type.id,
                                                                               column_of(*referenced_, to).type.id)));
  }
  if (equalities.size() == 1) return equalities.front();
  Expression all;
  all.kind = Expression::Kind::logical_and;
  all.arguments = std::move(equalities);
  return make(std::move(all));
}

std::vector<syntax::Assignment> ForeignKeyStatements::assignments(Kind kind) const {
  const bool some = kind == Kind::set_null_some || kind == Kind::set_default_some;
  const std::vector<int>& columns = some ? key_.on_delete_columns : key_.columns;
  std::vector<syntax::Assignment> made;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    syntax::Assignment assignment;
    assignment.column = column_of(*referencing_, columns[i]).name;
    if (kind == Kind::cascade) {
      assignment.value = parameter(columns.size() + i + 1);
    } else {
      Expression value;  // NULL
      if (kind == Kind::set_default || kind == Kind::set_default_some) value.kind = Expression::Kind::default_value;
      assignment.value = make(std::move(value));
    }
    made.push_back(std::move(assignment));
  }
  return made;
}

query::QueryPtr ForeignKeyStatements::analyse(Kind kind, const CallContext& call) const {
  const bool of_referenced = kind == Kind::find_referenced;
  OneRelation relations(of_referenced ? referenced_ : referencing_);
  std::vector<Type> types;
  for (std::size_t i = 0; i < key_.columns.size(); ++i) {
    types.emplace_back(of_referenced ? column_of(*referencing_, key_.columns[i]).type.id
                                     : column_of(*referenced_, key_.referenced_columns[i]).type.id);
  }
  if (kind == Kind::cascade) {
    const std::vector<Type> old_types = types;
    types.insert(types.end(), old_types.begin(), old_types.end());
  }
  const query::AnalysisContext context{relations, call, &types, false};
  ExpressionPtr where = condition(of_referenced);
  switch (kind) {
    case Kind::find_referenced:
      return query::analyse(find(*referenced_, std::move(where)), context);
    case Kind::find_referencing:
      return query::analyse(find(*referencing_, std::move(where)), context);
    case Kind::remove: {
      syntax::Delete removal;
      removal.table = table_name(*referencing_);
      removal.where = std::move(where);
      return query::analyse(removal, context);
    }
    default: {
      syntax::Update update;
      update.table = table_name(*referencing_);
      update.assignments = assignments(kind);
      update.where = std::move(where);
      return query::analyse(update, context);
    }
  }
}

const plan::PlannedStatementPtr& ForeignKeyStatements::get(Kind kind, const CallContext& call) {
  plan::PlannedStatementPtr& plan = plans_[static_cast<std::size_t>(kind)];
  if (plan == nullptr) {
    const plan::PlannerSettings settings;
    plan = plan::plan_query(analyse(kind, call), {call, settings});
  }
  return plan;
}

}  // namespace polarsim::engine::executor
