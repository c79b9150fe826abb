#include <limits>
#include <utility>

#include "engine/sql/deparse_utility.h"
#include "engine/sql/parser.h"

namespace polarsim::engine::sql {
namespace {

using Kind = Expression::Kind;

// Writes statements as text. Every compound operand is put in brackets, so that precedence never matters.
class Writer {
 public:
  std::string take() { return std::move(out_); }

  void write(const Select& select) {
    out_ += select.distinct ? "SELECT DISTINCT" : "SELECT";
    if (!select.items.empty()) out_ += ' ';
    items(select.items);
    if (select.from) {
      out_ += " FROM ";
      table(*select.from);
    }
    clause(" WHERE ", select.where);
    if (!select.group_by.empty()) {
      out_ += " GROUP BY ";
      expressions(select.group_by, 0);
    }
    clause(" HAVING ", select.having);
    for (std::size_t i = 0; i < select.order_by.size(); ++i) {
      out_ += i == 0 ? " ORDER BY " : ", ";
      order(select.order_by[i]);
    }
    clause(" LIMIT ", select.limit);
    clause(" OFFSET ", select.offset);
    locking(select);
  }

  void write(const Insert& insert) {
    out_ += "INSERT INTO ";
    table(insert.table, " AS ");
    if (!insert.columns.empty()) {
      out_ += " (";
      names(insert.columns);
      out_ += ')';
    }
    if (insert.rows.empty()) out_ += " DEFAULT VALUES";
    for (std::size_t i = 0; i < insert.rows.size(); ++i) {
      out_ += i == 0 ? " VALUES (" : ", (";
      for (std::size_t j = 0; j < insert.rows[i].size(); ++j) {
        if (j > 0) out_ += ", ";
        value_or_default(insert.rows[i][j]);
      }
      out_ += ')';
    }
    if (insert.on_conflict) conflict(*insert.on_conflict);
    returning(insert.returning);
  }

  void write(const Update& update) {
    out_ += "UPDATE ";
    table(update.table);
    assignments(update.assignments);
    clause(" WHERE ", update.where);
    returning(update.returning);
  }

  void write(const Delete& statement) {
    out_ += "DELETE FROM ";
    table(statement.table);
    clause(" WHERE ", statement.where);
    returning(statement.returning);
  }

  void write(const CreateTable& create) {
    out_ += create.if_not_exists ? "CREATE TABLE IF NOT EXISTS " : "CREATE TABLE ";
    table(create.table);
    out_ += " (";
    bool first = true;
    for (const ColumnDefinition& column : create.columns) {
      if (!first) out_ += ", ";
      first = false;
      out_ += quote_identifier(column.name) + ' ' + type_name(column.type);
      if (column.default_value) {
        // The grammar takes only a restricted expression here, but anything in brackets.
        out_ += " DEFAULT ";
        operand(*column.default_value);
      }
      if (column.not_null) out_ += " NOT NULL";
    }
    if (!create.primary_key.empty()) {
      if (!first) out_ += ", ";
      if (!create.primary_key_name.empty()) out_ += "CONSTRAINT " + quote_identifier(create.primary_key_name) + ' ';
      out_ += "PRIMARY KEY (";
      names(create.primary_key);
      out_ += ')';
      first = false;
    }
    for (const UniqueConstraint& constraint : create.unique) {
      if (!std::exchange(first, false)) out_ += ", ";
      if (!constraint.name.empty()) out_ += "CONSTRAINT " + quote_identifier(constraint.name) + ' ';
      out_ += "UNIQUE (";
      names(constraint.columns);
      out_ += ')';
    }
    out_ += ')';
  }

  template <typename Utility>
  void write(const Utility& statement) {
    out_ += utility_text(statement);
  }

  // An expression in a place that commas, brackets or keywords delimit.
  void expression(const Expression& node) {
    switch (node.kind) {
      case Kind::constant:
        constant(node);
        return;
      case Kind::parameter:
        out_ += '$' + std::to_string(node.index);
        if (node.type != TypeId::unknown) out_ += std::string("::") + type_name(node.type);
        return;
      case Kind::column:
        if (!node.table.empty()) out_ += quote_identifier(node.table) + '.';
        out_ += quote_identifier(node.name);
        return;
      case Kind::excluded:
        out_ += "excluded." + quote_identifier(node.name);
        return;
      case Kind::operation:
        operation(node);
        return;
      case Kind::logical_and:
        joined(node.arguments, " AND ");
        return;
      case Kind::logical_or:
        joined(node.arguments, " OR ");
        return;
      case Kind::logical_not:
        out_ += "NOT ";
        operand(*node.arguments[0]);
        return;
      case Kind::is_null:
        operand(*node.arguments[0]);
        out_ += node.negated ? " IS NOT NULL" : " IS NULL";
        return;
      case Kind::in_list:
        operand(*node.arguments[0]);
        out_ += node.negated ? " NOT IN (" : " IN (";
        expressions(node.arguments, 1);
        out_ += ')';
        return;
      case Kind::case_when:
        case_when(node);
        return;
      case Kind::coalesce:
        out_ += "COALESCE(";
        expressions(node.arguments, 0);
        out_ += ')';
        return;
      case Kind::cast:
        operand(*node.arguments[0]);
        out_ += std::string("::") + type_name(node.type);
        return;
      case Kind::function:
        function(node);
        return;
    }
  }

 private:
  static std::string upper(std::string text) {
    for (char& c : text) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
  }

  static bool is_primary(const Expression& node) {
    switch (node.kind) {
      case Kind::constant:
        return !(node.value.is_integer() && node.value.as_integer() < 0);
      case Kind::parameter:
      case Kind::column:
      case Kind::excluded:
      case Kind::case_when:
      case Kind::coalesce:
      case Kind::function:
      case Kind::cast:
        return true;
      default:
        return false;
    }
  }

  void operand(const Expression& node) {
    if (is_primary(node)) return expression(node);
    out_ += '(';
    expression(node);
    out_ += ')';
  }

  void constant(const Expression& node) {
    const std::string literal = node.value.is_text() ? quote_literal(node.value.as_text()) : to_literal(node.value);
    if (!node.value.is_integer()) {
      out_ += literal;
      // A quoted literal or NULL that already has a type must not take one from its surroundings again.
      const bool typed = node.type != TypeId::unknown && !node.value.is_boolean();
      if (typed) out_ += std::string("::") + type_name(node.type);
      return;
    }
    const std::int64_t value = node.value.as_integer();
    const bool reads_as_int4 =
        value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max();
    const bool typed = node.type == TypeId::int8 && reads_as_int4;
    out_ += typed && value < 0 ? '(' + literal + ')' : literal;
    if (typed) out_ += "::bigint";
  }

  void operation(const Expression& node) {
    std::string_view name = node.name;
    if (name == "~~") name = "LIKE";
    if (name == "!~~") name = "NOT LIKE";
    if (name.starts_with("IS ") && node.arguments.size() == 1) {
      operand(*node.arguments[0]);
      out_ += ' ' + std::string(name);
      return;
    }
    if (node.arguments.size() == 1) {
      out_ += std::string(name) + ' ';
      return operand(*node.arguments[0]);
    }
    operand(*node.arguments[0]);
    out_ += ' ' + std::string(name) + ' ';
    operand(*node.arguments[1]);
  }

  void joined(const std::vector<ExpressionPtr>& arguments, std::string_view separator) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (i > 0) out_ += separator;
      operand(*arguments[i]);
    }
  }

  void expressions(const std::vector<ExpressionPtr>& list, std::size_t from) {
    for (std::size_t i = from; i < list.size(); ++i) {
      if (i > from) out_ += ", ";
      expression(*list[i]);
    }
  }

  void case_when(const Expression& node) {
    out_ += "CASE";
    std::size_t i = 0;
    for (; i + 1 < node.arguments.size(); i += 2) {
      out_ += " WHEN ";
      expression(*node.arguments[i]);
      out_ += " THEN ";
      expression(*node.arguments[i + 1]);
    }
    if (i < node.arguments.size()) {
      out_ += " ELSE ";
      expression(*node.arguments[i]);
    }
    out_ += " END";
  }

  void function(const Expression& node) {
    if (node.name == named_argument) {
      out_ += quote_identifier(node.arguments[0]->value.as_text()) + " := ";
      return expression(*node.arguments[1]);
    }
    // These three are keywords of the grammar, not names.
    const bool keyword = node.name == "greatest" || node.name == "least" || node.name == "nullif";
    out_ += (keyword ? upper(node.name) : quote_identifier(node.name)) + '(';
    if (node.star) out_ += '*';
    if (node.distinct) out_ += "DISTINCT ";
    expressions(node.arguments, 0);
    out_ += ')';
  }

  void table(const TableName& name, std::string_view before_alias = " ") {
    if (!name.schema.empty()) out_ += quote_identifier(name.schema) + '.';
    out_ += quote_identifier(name.name);
    if (!name.alias.empty()) out_ += std::string(before_alias) + quote_identifier(name.alias);
  }

  void names(const std::vector<std::string>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += quote_identifier(list[i]);
    }
  }

  void items(const std::vector<SelectItem>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out_ += ", ";
      if (list[i].expression) {
        expression(*list[i].expression);
        if (!list[i].alias.empty()) out_ += " AS " + quote_identifier(list[i].alias);
      } else {
        out_ += list[i].star_table.empty() ? "*" : quote_identifier(list[i].star_table) + ".*";
      }
    }
  }

  void clause(std::string_view keyword, const ExpressionPtr& condition) {
    if (!condition) return;
    out_ += keyword;
    expression(*condition);
  }

  void order(const OrderItem& item) {
    expression(*item.expression);
    if (item.descending) out_ += " DESC";
    if (item.nulls_first != item.descending) out_ += item.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }

  void locking(const Select& select) {
    switch (select.lock) {
      case LockStrength::none:
        return;
      case LockStrength::key_share:
        out_ += " FOR KEY SHARE";
        break;
      case LockStrength::share:
        out_ += " FOR SHARE";
        break;
      case LockStrength::no_key_update:
        out_ += " FOR NO KEY UPDATE";
        break;
      case LockStrength::update:
        out_ += " FOR UPDATE";
        break;
    }
    if (select.lock_wait == LockWait::nowait) out_ += " NOWAIT";
    if (select.lock_wait == LockWait::skip_locked) out_ += " SKIP LOCKED";
  }

  void value_or_default(const ExpressionPtr& value) {
    if (value) return expression(*value);
    out_ += "DEFAULT";
  }

  void assignments(const std::vector<Assignment>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      out_ += i == 0 ? " SET " : ", ";
      out_ += quote_identifier(list[i].column) + " = ";
      value_or_default(list[i].value);
    }
  }

  void conflict(const OnConflict& on_conflict) {
    out_ += " ON CONFLICT";
    if (!on_conflict.target.empty()) {
      out_ += " (";
      names(on_conflict.target);
      out_ += ')';
    }
    if (!on_conflict.constraint.empty()) out_ += " ON CONSTRAINT " + quote_identifier(on_conflict.constraint);
    if (on_conflict.action == OnConflict::Action::nothing) {
      out_ += " DO NOTHING";
      return;
    }
    out_ += " DO UPDATE";
    assignments(on_conflict.assignments);
    clause(" WHERE ", on_conflict.where);
  }

  void returning(const std::vector<SelectItem>& list) {
    if (list.empty()) return;
    out_ += " RETURNING ";
    items(list);
  }

  std::string out_;
};

}  // namespace

std::string deparse(const Statement& statement) {
  Writer writer;
  std::visit([&](const auto& body) { writer.write(body); }, statement.body);
  return writer.take();
}

std::string deparse(const Expression& expression) {
  Writer writer;
  writer.expression(expression);
  return writer.take();
}

}  // namespace polarsim::engine::sql
