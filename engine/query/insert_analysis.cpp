// INSERT (PostgreSQL's transformInsertStmt(), src/backend/parser/analyze.c, and rewriteTargetListIU(),
// src/backend/rewrite/rewriteHandler.c).
#include <fmt/format.h>

#include <algorithm>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

using Kind = syntax::Expression::Kind;

// A column that the statement names (or, if it names none, means), and what it gets.
struct InsertColumn {
  int number = 0;
  std::span<const syntax::Expression::Subscript> subscripts;
  int position = 0;
};

std::vector<InsertColumn> find_columns(const syntax::Insert& insert, const Relation& relation) {
  std::vector<InsertColumn> columns;
  if (insert.columns.empty()) {
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      if (!relation.columns[i].dropped) columns.push_back({static_cast<int>(i) + 1, {}, 0});
    }
    return columns;
  }
  // What is known of a column already: 1: a whole value, 2: parts.
  std::vector<char> seen(relation.columns.size() + 1, 0);
  columns.reserve(insert.columns.size());
  for (const syntax::Insert::Column& written : insert.columns) {
    const int number = relation.find(written.name);
    if (number == 0) {
      throw SqlError(sqlstate::undefined_column,
                     fmt::format("column \"{}\" of relation \"{}\" does not exist", written.name, relation.name))
          .at(written.position);
    }
    char& state = seen[static_cast<std::size_t>(number)];
    if (state == 1 || (state == 2 && written.subscripts.empty())) {
      throw SqlError(sqlstate::duplicate_column, fmt::format("column \"{}\" specified more than once", written.name))
          .at(written.position);
    }
    state = written.subscripts.empty() ? 1 : 2;
    columns.push_back({number, written.subscripts, written.position});
  }
  return columns;
}

class InsertAnalysis {
 public:
  InsertAnalysis(const syntax::Insert& insert, const RelationPtr& relation, QueryScope& scope)
      : insert_(insert), relation_(*relation), scope_(scope), columns_(find_columns(insert, relation_)) {}

  void analyse_source() {
    if (insert_.source == nullptr) {
      columns_.clear();
    } else if (const syntax::Select& source = *insert_.source; source.values.empty() || !source.order_by.empty() ||
                                                               source.limit != nullptr || source.offset != nullptr ||
                                                               !source.locking.empty() || source.with != nullptr) {
      analyse_query(source);
    } else if (source.values.size() > 1) {
      analyse_rows(source);
    } else {
      analyse_row(source.values[0]);
    }
  }

  // The targets: what is given, and defaults for what is not.
  void finish() {
    std::vector<ExpressionPtr> by_column(relation_.columns.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const InsertColumn& column = columns_[i];
      const RelationColumn& definition = definition_of(column);
      ExpressionPtr& place = by_column[static_cast<std::size_t>(column.number) - 1];
      if (!column.subscripts.empty()) {
        ExpressionPtr container = place != nullptr ? place : make_expression(Constant{}, definition.type);
        place = assign(given_[i], definition, std::move(container), column.subscripts, column.position, scope_);
      } else {
        place = given_[i];
      }
    }
    for (std::size_t i = 0; i < by_column.size(); ++i) {
      const RelationColumn& definition = relation_.columns[i];
      if (definition.dropped) continue;
      ExpressionPtr value = decide(definition, std::move(by_column[i]));
      if (value == nullptr) continue;
      Target& target = scope_.query.targets.emplace_back();
      target.expression = std::move(value);
      target.name = definition.name;
      target.column = static_cast<int>(i) + 1;
    }
  }

 private:
  const RelationColumn& definition_of(const InsertColumn& column) const {
    return relation_.columns[static_cast<std::size_t>(column.number) - 1];
  }

  // What a row's value must be for a column or the part of it that is written.
  Type wanted_type(const InsertColumn& column) const {
    const RelationColumn& definition = definition_of(column);
    if (column.subscripts.empty() || definition.type.id == TypeId::jsonb) return definition.type;
    const bool slice = std::any_of(column.subscripts.begin(), column.subscripts.end(),
                                   [](const syntax::Expression::Subscript& part) { return part.slice; });
    const TypeId element = type_info(definition.type.id).element;
    if (slice || element == TypeId::none) return definition.type;
    return {element, definition.type.modifier};
  }

  void check_count(std::size_t count, int position_of_surplus, const Expression* single) const {
    if (count > columns_.size()) {
      throw SqlError(sqlstate::syntax_error, "INSERT has more expressions than target columns").at(position_of_surplus);
    }
    if (insert_.columns.empty() || count == columns_.size()) return;
    std::string hint;
    if (count == 1 && single != nullptr) {
      const auto* row = single->as<RowConstructor>();
      if (row != nullptr && row->fields.size() == columns_.size()) {
        hint =
            "The insertion source is a row expression containing the same number of columns expected by the INSERT. "
            "Did you accidentally use extra parentheses?";
      }
    }
    throw SqlError(sqlstate::syntax_error, "INSERT has more target columns than expressions", "", std::move(hint))
        .at(columns_[count].position);
  }

  std::vector<ExpressionPtr> analyse_values(const std::vector<syntax::ExpressionPtr>& row, Clause clause) {
    std::vector<ExpressionPtr> values;
    values.reserve(row.size());
    for (const syntax::ExpressionPtr& item : row) {
      if (item->kind == Kind::default_value) {
        values.push_back(make_expression(DefaultValue{}, TypeId::unknown, item->position));
      } else if (item->kind == Kind::star) {
        for (ExpressionPtr& column : scope_.star(*item)) values.push_back(std::move(column));
      } else {
        values.push_back(analyse_in(scope_, clause, item));
      }
    }
    return values;
  }

  // A row's values for the columns they are meant for.
  // `origin`: what the only value of a row was in the subquery it comes from.
  std::vector<ExpressionPtr> convert_row(std::vector<ExpressionPtr> row, const Expression* origin = nullptr) {
    if (origin == nullptr && !row.empty()) origin = row[0].get();
    check_count(row.size(), row.size() > columns_.size() ? row[columns_.size()]->position : 0, origin);
    columns_.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      const InsertColumn& column = columns_[i];
      if (row[i]->as<DefaultValue>() != nullptr) {
        if (!column.subscripts.empty()) {
          throw SqlError(sqlstate::feature_not_supported, "cannot set an array element to DEFAULT").at(column.position);
        }
        continue;
      }
      if (column.subscripts.empty()) {
        row[i] = coerce_for_assignment(row[i], definition_of(column).type, definition_of(column).name, scope_);
      }
    }
    return row;
  }

  void analyse_row(const std::vector<syntax::ExpressionPtr>& row) {
    given_ = convert_row(analyse_values(row, Clause::values_single));
    scope_.query.has_set_functions = scope_.has_target_set_functions;
  }

  void analyse_rows(const syntax::Select& source) {
    std::vector<std::vector<ExpressionPtr>> rows;
    rows.reserve(source.values.size());
    std::size_t count = 0;
    for (const std::vector<syntax::ExpressionPtr>& written : source.values) {
      std::vector<ExpressionPtr> row = analyse_values(written, Clause::values);
      if (rows.empty()) {
        count = row.size();
      } else if (row.size() != count) {
        const int position = row.empty() ? 0 : row[0]->position;
        throw SqlError(sqlstate::syntax_error, "VALUES lists must all be the same length").at(position);
      }
      rows.push_back(convert_row(std::move(row)));
    }
    std::vector<Type> types;
    std::vector<bool> only_defaults(count, true);
    for (std::size_t i = 0; i < count; ++i) {
      const Type type = wanted_type(columns_[i]);
      types.push_back(type);
      for (const std::vector<ExpressionPtr>& row : rows) {
        if (row[i]->as<DefaultValue>() == nullptr) only_defaults[i] = false;
      }
      for (std::vector<ExpressionPtr>& row : rows) settle_value(row[i], columns_[i], type, only_defaults[i]);
    }
    const int entry = add_values_entry(std::move(rows), types, scope_);
    scope_.query.from.push_back(make_leaf(entry));
    for (std::size_t i = 0; i < count; ++i) {
      given_.push_back(only_defaults[i] ? make_expression(DefaultValue{}, TypeId::unknown)
                                        : make_expression(Column{entry, static_cast<int>(i) + 1, 0}, types[i]));
    }
  }

  // One value among several rows: DEFAULT is written out, parts of columns get their type.
  void settle_value(ExpressionPtr& value, const InsertColumn& column, Type type, bool only_defaults) {
    const RelationColumn& definition = definition_of(column);
    if (value->as<DefaultValue>() != nullptr) {
      const bool unused = only_defaults || definition.generated != nullptr || is_overridden(definition);
      value = unused ? make_expression(Constant{}, type) : default_of(definition, scope_);
    } else if (!column.subscripts.empty()) {
      value = coerce_for_assignment(value, type, definition.name, scope_);
    }
  }

  void analyse_query(const syntax::Select& source) {
    QueryScope inner(scope_.statement(), &scope_);
    inner.settle_unknowns = false;
    MutableQueryPtr query = analyse_select(source, inner);
    std::vector<ExpressionPtr> row;
    const int entry = static_cast<int>(scope_.query.entries.size());
    int number = 0;
    for (Target& target : query->targets) {
      if (target.hidden) continue;
      ++number;
      const ExpressionPtr& expression = target.expression;
      const bool literal = expression->type.id == TypeId::unknown &&
                           (expression->as<Constant>() != nullptr || expression->as<Parameter>() != nullptr);
      // A literal gets the column's type; in the subquery nobody looks at it any more.
      row.push_back(literal ? expression
                            : make_expression(Column{entry, number, 0}, expression->type, expression->position));
      if (literal) target.expression = make_expression(Constant{}, TypeId::text, expression->position);
    }
    settle_targets(query->targets, inner);
    const ExpressionPtr origin = query->targets.empty() ? nullptr : query->targets[0].expression;
    add_subquery_entry(std::move(query), "*SELECT*", {}, false, scope_);
    scope_.query.from.push_back(make_leaf(entry));
    given_ = convert_row(std::move(row), origin.get());
  }

  // OVERRIDING USER VALUE: whatever is said, a number of the sequence's, and one for each row.
  bool is_overridden(const RelationColumn& column) const {
    return column.identity != RelationColumn::Identity::none && insert_.overriding == syntax::Overriding::user_value;
  }

  // The value for a column, `given` being what the statement says; null: none.
  ExpressionPtr decide(const RelationColumn& column, ExpressionPtr given) {
    const bool is_default = given == nullptr || given->as<DefaultValue>() != nullptr;
    if (!is_default) {
      const bool always = column.identity == RelationColumn::Identity::always;
      if (is_overridden(column)) return default_of(column, scope_);
      if ((always && insert_.overriding == syntax::Overriding::none) || column.generated != nullptr) {
        scope_.statement().fail_late(
            StatementState::Late::inserted_values,
            SqlError("428C9", fmt::format("cannot insert a non-DEFAULT value into column \"{}\"", column.name),
                     fmt::format("Column \"{}\" is {}.", column.name,
                                 column.generated == nullptr ? "an identity column defined as GENERATED ALWAYS"
                                                             : "a generated column"),
                     column.generated == nullptr ? "Use OVERRIDING SYSTEM VALUE to override." : ""));
      }
      return given;
    }
    if (column.generated != nullptr || column.default_value == nullptr) return nullptr;
    return default_of(column, scope_);
  }

  const syntax::Insert& insert_;
  const Relation& relation_;
  QueryScope& scope_;
  std::vector<InsertColumn> columns_;
  std::vector<ExpressionPtr> given_;  // for each of columns_
};

}  // namespace

MutableQueryPtr analyse_insert(const syntax::Insert& insert, QueryScope& scope) {
  Query& query = scope.query;
  query.command = Command::insert;
  if (insert.with != nullptr) analyse_with(*insert.with, scope);
  const RelationPtr relation = open_changed_relation(insert.table, scope);
  query.result_entry = add_relation_entry(relation, insert.table, syntax::TableLockMode::row_exclusive, scope);
  InsertAnalysis analysis(insert, relation, scope);
  analysis.analyse_source();
  if (insert.on_conflict) analyse_on_conflict(insert, *relation, scope);
  scope.names.clear();
  scope.add_item(query.result_entry);
  analyse_returning(insert.returning, scope);
  refuse_view(*relation, "insert into", scope);
  analysis.finish();
  return std::make_shared<Query>(std::move(query));
}

}  // namespace polarsim::engine::query
