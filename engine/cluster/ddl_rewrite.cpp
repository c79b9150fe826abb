#include "engine/cluster/ddl_rewrite.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "engine/types/function.h"

namespace polarsim::engine::cluster {

namespace {

using catalog::Definition;
using catalog::DefinitionPtr;
using distribution::shard_name;
using syntax::AlterTable;
using syntax::Constraint;
using syntax::Expression;
using syntax::ExpressionPtr;
using syntax::ObjectKind;
using syntax::TableName;
using Action = AlterTable::Action;

// --- names ---

// Whether things of the kind are relations with names of their own here.
bool is_relation(ObjectKind kind) {
  return kind == ObjectKind::table || kind == ObjectKind::index || kind == ObjectKind::view ||
         kind == ObjectKind::sequence;
}

// Calls `visit` with every name of a relation that the statement changes. `Body` may be constant.
template <typename Body, typename Visit>
void for_each_changed(Body& body, const Visit& visit) {
  using Kind = std::remove_const_t<Body>;
  if constexpr (std::is_same_v<Kind, syntax::CreateIndex> || std::is_same_v<Kind, AlterTable>) {
    visit(body.table);
  } else if constexpr (std::is_same_v<Kind, syntax::AlterSequence>) {
    visit(body.sequence);
  } else if constexpr (std::is_same_v<Kind, syntax::Rename> || std::is_same_v<Kind, syntax::AlterSchema> ||
                       std::is_same_v<Kind, syntax::Comment>) {
    if (is_relation(body.kind)) visit(body.object);
  } else if constexpr (std::is_same_v<Kind, syntax::Drop>) {
    if (!is_relation(body.kind)) return;
    for (auto& object : body.objects) visit(object);
  } else if constexpr (std::is_same_v<Kind, syntax::Truncate> || std::is_same_v<Kind, syntax::LockTable>) {
    for (auto& table : body.tables) visit(table);
  }
}

template <typename Visit>
void for_each_foreign_key(const std::vector<Constraint>& constraints, const Visit& visit) {
  for (const Constraint& constraint : constraints) {
    if (constraint.kind == Constraint::Kind::foreign_key) visit(constraint.referenced);
  }
}

// --- expressions ---

// Column references of shards have no table in front, as the shard's table has another name; its whole rows are named
// by that.
class ShardExpressions {
 public:
  ShardExpressions(const Definition* table, std::string shard) : table_(table), shard_(std::move(shard)) {}

  ExpressionPtr rewrite(const ExpressionPtr& expression) const {
    if (expression == nullptr) return nullptr;
    Expression changed = *expression;
    bool differs = false;
    if (changed.kind == Expression::Kind::star && !changed.path.empty()) {
      changed.path.clear();
      if (!shard_.empty()) changed.path.push_back(shard_);
      differs = true;
    } else if (changed.kind == Expression::Kind::column) {
      differs = rename(changed);
    }
    const auto replace = [&](ExpressionPtr& part) {
      ExpressionPtr replaced = rewrite(part);
      if (replaced == part) return;
      part = std::move(replaced);
      differs = true;
    };
    for (ExpressionPtr& argument : changed.arguments) replace(argument);
    replace(changed.operand);
    for (Expression::Subscript& subscript : changed.subscripts) {
      replace(subscript.lower);
      replace(subscript.upper);
    }
    return differs ? std::make_shared<const Expression>(std::move(changed)) : expression;
  }

 private:
  bool rename(Expression& column) const {
    if (!column.path.empty()) {
      column.path.clear();
      return true;
    }
    if (table_ == nullptr || column.name != table_->name || table_->find_column(column.name) != 0) return false;
    column.name = shard_;
    return true;
  }

  const Definition* table_;
  std::string shard_;
};

template <typename Test>
bool any_part(const ExpressionPtr& expression, const Test& test) {
  if (expression == nullptr) return false;
  if (test(*expression)) return true;
  const auto holds = [&test](const ExpressionPtr& part) { return any_part(part, test); };
  if (std::any_of(expression->arguments.begin(), expression->arguments.end(), holds)) return true;
  if (holds(expression->operand)) return true;
  return std::any_of(
      expression->subscripts.begin(), expression->subscripts.end(),
      [&holds](const Expression::Subscript& subscript) { return holds(subscript.lower) || holds(subscript.upper); });
}

template <typename Test>
bool any_call(const ExpressionPtr& expression, const Test& test) {
  return any_part(expression, [&test](const Expression& part) {
    return part.kind == Expression::Kind::function && test(part.name);
  });
}

ExpressionPtr string_constant(const std::string& text) {
  auto constant = std::make_shared<Expression>();
  constant->value = Value::text(text);
  return constant;
}

// --- settling ---

enum class NamedKind : std::uint8_t { check, primary_key, unique, foreign_key };

std::optional<NamedKind> named_kind(Constraint::Kind kind) {
  switch (kind) {
    case Constraint::Kind::check:
      return NamedKind::check;
    case Constraint::Kind::primary_key:
      return NamedKind::primary_key;
    case Constraint::Kind::unique:
      return NamedKind::unique;
    case Constraint::Kind::foreign_key:
      return NamedKind::foreign_key;
    default:
      return std::nullopt;
  }
}

std::vector<std::string> constraint_names(const TableState& state, NamedKind kind) {
  std::vector<std::string> names;
  if (kind == NamedKind::check) {
    for (const catalog::Check& check : state.table->checks) names.push_back(check.name);
  } else if (kind == NamedKind::foreign_key) {
    for (const catalog::ForeignKey& key : state.table->foreign_keys) names.push_back(key.name);
  } else {
    for (const DefinitionPtr& index : state.indexes) {
      if (index->index.constraint && index->index.primary == (kind == NamedKind::primary_key))
        names.push_back(index->name);
    }
  }
  return names;
}

// The names that constraints of the statement got which had none, in order of their kind.
class GivenNames {
 public:
  GivenNames(const AlterTable& alter, const TableState& before, const TableState& after) {
    for (const NamedKind kind : {NamedKind::check, NamedKind::primary_key, NamedKind::unique, NamedKind::foreign_key}) {
      std::vector<std::string>& names = names_[static_cast<std::size_t>(kind)];
      const std::vector<std::string> old = constraint_names(before, kind);
      for (std::string& name : constraint_names(after, kind)) {
        if (std::find(old.begin(), old.end(), name) == old.end()) names.push_back(std::move(name));
      }
    }
    for (const Action& action : alter.actions) {
      if (action.constraint) forget_written(*action.constraint);
      if (!action.definition) continue;
      for (const Constraint& constraint : action.definition->constraints) forget_written(constraint);
    }
  }

  void give(Constraint& constraint) {
    const std::optional<NamedKind> kind = named_kind(constraint.kind);
    if (!kind || !constraint.name.empty()) return;
    std::vector<std::string>& names = names_[static_cast<std::size_t>(*kind)];
    if (names.empty()) return;
    constraint.name = std::move(names.front());
    names.erase(names.begin());
  }

 private:
  void forget_written(const Constraint& constraint) {
    const std::optional<NamedKind> kind = named_kind(constraint.kind);
    if (kind && !constraint.name.empty()) std::erase(names_[static_cast<std::size_t>(*kind)], constraint.name);
  }
  std::array<std::vector<std::string>, 4> names_;
};

// The rows that are there have the default's value in a new column: kept as text where it is one for all.
void settle_default(syntax::ColumnDefinition& column, const Definition& after) {
  const int number = after.find_column(column.name);
  if (number == 0) return;
  const catalog::Column& made = after.columns[static_cast<std::size_t>(number - 1)];
  std::erase_if(column.constraints, [&made](Constraint& constraint) {
    if (constraint.kind != Constraint::Kind::default_value) return false;
    if (made.missing) {
      constraint.expression = string_constant(*made.missing);
      return false;
    }
    // NULL; or there are no rows, if it counts.
    return !calls_volatile_function(constraint.expression) || calls_function(constraint.expression, "nextval");
  });
}

// --- the statement for a shard ---

bool has_default(const syntax::ColumnDefinition& column) {
  return std::any_of(column.constraints.begin(), column.constraints.end(),
                     [](const Constraint& part) { return part.kind == Constraint::Kind::default_value; });
}

class ShardRewriter {
 public:
  explicit ShardRewriter(const ShardTarget& target)
      : target_(target),
        expressions_(target.table.get(), target.table == nullptr ? std::string() : suffixed(target.table->name)) {}

  std::string suffixed(const std::string& name) const {
    return name.empty() ? name : shard_name(name, target_.shard_id);
  }

  void rename(TableName& name) const {
    name.schema = target_.schema;
    name.name = suffixed(name.name);
  }

  bool rewrite(syntax::CreateIndex& create) const {
    rename(create.table);
    create.name = suffixed(create.name);
    create.concurrently = false;
    for (syntax::IndexElement& element : create.elements) element.expression = expressions_.rewrite(element.expression);
    create.where = expressions_.rewrite(create.where);
    return true;
  }
  bool rewrite(AlterTable& alter) const {
    rename(alter.table);
    std::vector<Action> actions;
    for (Action& action : alter.actions) add(std::move(action), actions);
    alter.actions = std::move(actions);
    return !alter.actions.empty();
  }
  bool rewrite(syntax::Rename& change) const {
    rename(change.object);
    if (change.what == syntax::Rename::What::column) return true;
    change.old_name = suffixed(change.old_name);
    change.new_name = suffixed(change.new_name);
    return true;
  }
  bool rewrite(syntax::AlterSchema& alter) const {
    rename(alter.object);
    return true;
  }
  bool rewrite(syntax::Drop& drop) const {
    for (TableName& object : drop.objects) rename(object);
    drop.if_exists = true;
    drop.cascade = true;
    drop.concurrently = false;
    return true;
  }
  bool rewrite(syntax::Truncate& truncate) const {
    for (TableName& table : truncate.tables) rename(table);
    truncate.restart_identity = false;
    // What else is to be emptied was found out here.
    truncate.cascade = true;
    return true;
  }
  template <typename Other>
  bool rewrite(Other& /*other*/) const {
    return false;
  }

 private:
  void rewrite(Constraint& constraint) const {
    constraint.name = suffixed(constraint.name);
    constraint.using_index = suffixed(constraint.using_index);
    constraint.expression = expressions_.rewrite(constraint.expression);
    if (constraint.kind == Constraint::Kind::foreign_key && target_.referenced)
      constraint.referenced = target_.referenced(constraint.referenced);
  }

  // A new column has its default only while the rows that are there get it.
  void add_column(Action action, std::vector<Action>& to) const {
    std::vector<Constraint>& constraints = action.definition->constraints;
    std::erase_if(constraints, [](const Constraint& part) { return part.kind == Constraint::Kind::identity; });
    for (Constraint& constraint : constraints) rewrite(constraint);
    to.push_back(std::move(action));
  }

  void add(Action action, std::vector<Action>& to) const {
    switch (action.kind) {
      case Action::Kind::add_column:
        return add_column(std::move(action), to);
      case Action::Kind::add_constraint:
        rewrite(*action.constraint);
        break;
      case Action::Kind::drop_constraint:
      case Action::Kind::validate_constraint:
        action.column = suffixed(action.column);
        break;
      case Action::Kind::set_type:
        action.expression = expressions_.rewrite(action.expression);
        break;
      case Action::Kind::set_default:
      case Action::Kind::drop_default:
      case Action::Kind::owner:
      case Action::Kind::add_identity:
      case Action::Kind::drop_identity:
        return;
      case Action::Kind::set_parameters:
      case Action::Kind::reset_parameters:
      case Action::Kind::drop_column:
      case Action::Kind::set_not_null:
      case Action::Kind::drop_not_null:
      case Action::Kind::drop_expression:
        break;
    }
    to.push_back(std::move(action));
  }

  const ShardTarget& target_;
  ShardExpressions expressions_;
};

}  // namespace

std::vector<TableName> changed_relations(const syntax::Statement& statement) {
  std::vector<TableName> names;
  std::visit(
      [&names](const auto& body) { for_each_changed(body, [&](const TableName& name) { names.push_back(name); }); },
      statement.body);
  return names;
}

std::vector<TableName> referenced_relations(const syntax::Statement& statement) {
  std::vector<TableName> names;
  const auto add = [&names](const TableName& name) { names.push_back(name); };
  if (const auto* alter = std::get_if<AlterTable>(&statement.body)) {
    for (const Action& action : alter->actions) {
      if (action.constraint) for_each_foreign_key({*action.constraint}, add);
      if (action.definition) for_each_foreign_key(action.definition->constraints, add);
    }
  } else if (const auto* create = std::get_if<syntax::CreateTable>(&statement.body)) {
    for_each_foreign_key(create->constraints, add);
    for (const syntax::ColumnDefinition& column : create->columns) for_each_foreign_key(column.constraints, add);
  }
  return names;
}

syntax::Statement with_names(const syntax::Statement& statement, const NameMap& rename) {
  syntax::Statement changed = statement;
  std::visit([&rename](auto& body) { for_each_changed(body, [&](TableName& name) { name = rename(name); }); },
             changed.body);
  if (auto* alter = std::get_if<AlterTable>(&changed.body)) {
    const auto map = [&rename](Constraint& constraint) {
      if (constraint.kind == Constraint::Kind::foreign_key) constraint.referenced = rename(constraint.referenced);
    };
    for (Action& action : alter->actions) {
      if (action.constraint) map(*action.constraint);
      if (!action.definition) continue;
      for (Constraint& constraint : action.definition->constraints) map(constraint);
    }
  }
  return changed;
}

bool calls_volatile_function(const ExpressionPtr& expression) {
  return any_call(expression, [](const std::string& name) {
    const auto entries = functions_named(name);
    return std::any_of(entries.begin(), entries.end(),
                       [](const FunctionEntry* entry) { return entry->volatility == Volatility::volatile_function; });
  });
}

bool asks_node(const ExpressionPtr& expression) {
  static constexpr std::array times{"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"};
  return any_part(expression, [](const Expression& part) {
    if (part.kind == Expression::Kind::value_function)
      return std::find(times.begin(), times.end(), part.name) != times.end();
    if (part.kind != Expression::Kind::function || !part.arguments.empty()) return false;
    const auto entries = functions_named(part.name);
    return std::any_of(entries.begin(), entries.end(),
                       [](const FunctionEntry* entry) { return entry->volatility == Volatility::stable; });
  });
}

bool calls_function(const ExpressionPtr& expression, std::string_view name) {
  return any_call(expression, [name](const std::string& called) { return called == name; });
}

namespace {

bool has_constraint(const TableState& table, const std::string& name) {
  const auto named = [&name](const auto& constraint) { return constraint.name == name; };
  const auto is_key = [&name](const auto& index) { return index->index.constraint && index->name == name; };
  return std::any_of(table.table->checks.begin(), table.table->checks.end(), named) ||
         std::any_of(table.table->foreign_keys.begin(), table.table->foreign_keys.end(), named) ||
         std::any_of(table.indexes.begin(), table.indexes.end(), is_key);
}

}  // namespace

AlterTable settled(const AlterTable& alter, const TableState& before, const TableState& after) {
  AlterTable result = alter;
  GivenNames names(alter, before, after);
  // What the statement itself adds may be what it drops.
  const auto is_added = [&alter](const std::string& column) {
    return std::any_of(alter.actions.begin(), alter.actions.end(), [&column](const Action& action) {
      return action.kind == Action::Kind::add_column && action.definition->name == column;
    });
  };
  const bool adds_constraints = std::any_of(alter.actions.begin(), alter.actions.end(), [](const Action& action) {
    return action.constraint || (action.definition && !action.definition->constraints.empty());
  });
  std::erase_if(result.actions, [&](const Action& action) {
    switch (action.kind) {
      case Action::Kind::add_column:
        return action.if_not_exists && before.table->find_column(action.definition->name) != 0;
      case Action::Kind::drop_column:
        return action.if_exists && !is_added(action.column) && before.table->find_column(action.column) == 0;
      case Action::Kind::drop_constraint:
        return action.if_exists && !adds_constraints && !has_constraint(before, action.column);
      default:
        return false;
    }
  });
  for (Action& action : result.actions) {
    if (action.constraint) names.give(*action.constraint);
    if (!action.definition) continue;
    for (Constraint& constraint : action.definition->constraints) names.give(constraint);
  }
  return result;
}

AlterTable with_values_for_rows(const AlterTable& alter, const Definition& after) {
  AlterTable result = alter;
  for (Action& action : result.actions) {
    if (action.definition) settle_default(*action.definition, after);
  }
  return result;
}

std::vector<syntax::Statement> for_shard(const syntax::Statement& statement, const ShardTarget& target) {
  const ShardRewriter rewriter(target);
  syntax::Statement result = statement;
  if (!std::visit([&rewriter](auto& body) { return rewriter.rewrite(body); }, result.body)) return {};
  std::vector<syntax::Statement> statements{std::move(result)};
  const auto* const alter = std::get_if<AlterTable>(&statements[0].body);
  if (alter == nullptr) return statements;
  syntax::Statement after = statements[0];
  auto& without_defaults = std::get<AlterTable>(after.body);
  without_defaults.actions.clear();
  for (const Action& action : alter->actions) {
    if (action.kind != Action::Kind::add_column || !has_default(*action.definition)) continue;
    Action& drop = without_defaults.actions.emplace_back();
    drop.kind = Action::Kind::drop_default;
    drop.column = action.definition->name;
  }
  if (!without_defaults.actions.empty()) statements.push_back(std::move(after));
  return statements;
}

}  // namespace polarsim::engine::cluster
