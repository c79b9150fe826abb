#include <utility>

#include "engine/syntax/deparse_writer.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::syntax {
namespace {

bool stands_alone(const Select& select) {
  return select.set_operator == SetOperator::none && !select.with && select.order_by.empty() && !select.limit &&
         !select.offset && select.locking.empty();
}

}  // namespace

void Writer::with(const WithPtr& with) {
  if (!with) return;
  out_ += with->recursive ? "WITH RECURSIVE " : "WITH ";
  separated(with->tables, [&](const CommonTable& table) {
    name(table.name);
    bracketed_names(table.columns);
    out_ += " AS ";
    if (table.materialized) out_ += *table.materialized ? "MATERIALIZED " : "NOT MATERIALIZED ";
    out_ += '(';
    body(table.body);
    out_ += ')';
  });
  out_ += ' ';
}

void Writer::body(const CommonTableBody& body) {
  if (body.select) write(*body.select);
  if (body.insert) write(*body.insert);
  if (body.update) write(*body.update);
  if (body.removal) write(*body.removal);
}

void Writer::set_operand(const Select& select) {
  if (stands_alone(select)) return write(select);
  out_ += '(';
  write(select);
  out_ += ')';
}

void Writer::items(const std::vector<SelectItem>& list) {
  separated(list, [&](const SelectItem& item) {
    expression(*item.expression);
    if (item.alias.empty()) return;
    out_ += " AS ";
    name(item.alias);
  });
}

void Writer::select_clauses(const Select& select) {
  if (!select.values.empty()) {
    out_ += "VALUES ";
    separated(select.values, [&](const std::vector<ExpressionPtr>& row) {
      out_ += '(';
      expressions(row);
      out_ += ')';
    });
    return;
  }
  out_ += select.distinct ? "SELECT DISTINCT" : "SELECT";
  if (!select.distinct_on.empty()) {
    out_ += " ON (";
    expressions(select.distinct_on);
    out_ += ')';
  }
  if (!select.items.empty()) out_ += ' ';
  items(select.items);
  from(" FROM ", select.from);
  clause(" WHERE ", select.where);
  if (!select.group_by.empty()) {
    out_ += select.group_distinct ? " GROUP BY DISTINCT " : " GROUP BY ";
    expressions(select.group_by);
  }
  clause(" HAVING ", select.having);
  if (!select.windows.empty()) out_ += " WINDOW ";
  separated(select.windows, [&](const WindowSpecification& specification) {
    name(specification.name);
    out_ += " AS ";
    window(specification);
  });
}

void Writer::write(const Select& select) {
  check_stack_depth();
  with(select.with);
  if (select.set_operator == SetOperator::none) {
    select_clauses(select);
  } else {
    set_operand(*select.left);
    out_ += select.set_operator == SetOperator::union_of    ? " UNION "
            : select.set_operator == SetOperator::intersect ? " INTERSECT "
                                                            : " EXCEPT ";
    if (select.set_all) out_ += "ALL ";
    set_operand(*select.right);
  }
  if (!select.order_by.empty()) out_ += " ORDER BY ";
  order_by(select.order_by);
  limit(select);
  for (const LockingClause& clause : select.locking) locking(clause);
}

void Writer::limit(const Select& select) {
  if (!select.with_ties) clause(" LIMIT ", select.limit);
  clause(" OFFSET ", select.offset);
  if (!select.with_ties) return;
  out_ += " FETCH FIRST ";
  bracketed(*select.limit);
  out_ += " ROWS WITH TIES";
}

void Writer::locking(const LockingClause& clause) {
  switch (clause.strength) {
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
  if (!clause.of.empty()) out_ += " OF ";
  separated(clause.of, [&](const TableName& of) { qualified(of.schema, of.name); });
  if (clause.wait == LockWait::nowait) out_ += " NOWAIT";
  if (clause.wait == LockWait::skip_locked) out_ += " SKIP LOCKED";
}

void Writer::alias(const std::string& text, const std::vector<std::string>& columns) {
  if (text.empty()) return;
  out_ += " AS ";
  name(text);
  bracketed_names(columns);
}

void Writer::table(const TableName& table) {
  if (table.only) out_ += "ONLY ";
  qualified(table.schema, table.name);
  alias(table.alias, table.column_aliases);
}

void Writer::from(std::string_view keyword, const std::vector<FromItemPtr>& list) {
  if (list.empty()) return;
  out_ += keyword;
  separated(list, [&](const FromItemPtr& item) { from_item(*item); });
}

void Writer::from_item(const FromItem& item, bool right_of_join) {
  check_stack_depth();
  if (const auto* const name_of_table = std::get_if<TableName>(&item.source)) return table(*name_of_table);
  if (const auto* const function = std::get_if<FromFunction>(&item.source)) return from_function(*function, item);
  if (const auto* const subquery = std::get_if<FromSubquery>(&item.source)) {
    out_ += subquery->lateral ? "LATERAL (" : "(";
    write(*subquery->query);
    out_ += ')';
  } else {
    const bool brackets = right_of_join || !item.alias.empty();
    if (brackets) out_ += '(';
    join(std::get<FromJoin>(item.source));
    if (brackets) out_ += ')';
  }
  alias(item.alias, item.column_aliases);
}

void Writer::join(const FromJoin& join) {
  from_item(*join.left);
  if (join.natural) out_ += " NATURAL";
  switch (join.kind) {
    case JoinKind::inner:
      out_ += " JOIN ";
      break;
    case JoinKind::left:
      out_ += " LEFT JOIN ";
      break;
    case JoinKind::right:
      out_ += " RIGHT JOIN ";
      break;
    case JoinKind::full:
      out_ += " FULL JOIN ";
      break;
    case JoinKind::cross:
      out_ += " CROSS JOIN ";
      break;
  }
  from_item(*join.right, true);
  if (!join.using_columns.empty()) {
    out_ += " USING";
    bracketed_names(join.using_columns);
    alias(join.using_alias, {});
  }
  clause(" ON ", join.condition);
}

// Functions in FROM have a grammar of their own, where a cast has the form of a call.
void Writer::from_call(const Expression& call) {
  if (call.kind != Expression::Kind::cast) return expression(call);
  out_ += "CAST(";
  expression(*call.arguments[0]);
  out_ += " AS ";
  type(*call.type_name);
  out_ += ')';
}

void Writer::column_list(const std::vector<ColumnDefinitionItem>& columns) {
  out_ += '(';
  separated(columns, [&](const ColumnDefinitionItem& column) {
    name(column.name);
    out_ += ' ';
    type(*column.type);
  });
  out_ += ')';
}

void Writer::from_function(const FromFunction& function, const FromItem& item) {
  if (function.lateral) out_ += "LATERAL ";
  if (function.rows_from) out_ += "ROWS FROM (";
  separated(function.functions, [&](const FromFunction::Item& part) {
    from_call(*part.call);
    if (part.columns.empty()) return;
    out_ += " AS ";
    column_list(part.columns);
  });
  if (function.rows_from) out_ += ')';
  if (function.with_ordinality) out_ += " WITH ORDINALITY";
  if (function.columns.empty()) return alias(item.alias, item.column_aliases);
  out_ += " AS ";
  if (!item.alias.empty()) {
    name(item.alias);
    out_ += ' ';
  }
  column_list(function.columns);
}

void Writer::write(const Insert& insert) {
  with(insert.with);
  out_ += "INSERT INTO ";
  table(insert.table);
  if (!insert.columns.empty()) {
    out_ += " (";
    separated(insert.columns, [&](const Insert::Column& column) {
      name(column.name);
      subscripts(column.subscripts);
    });
    out_ += ')';
  }
  if (insert.overriding == Overriding::user_value) out_ += " OVERRIDING USER VALUE";
  if (insert.overriding == Overriding::system_value) out_ += " OVERRIDING SYSTEM VALUE";
  if (insert.source) {
    out_ += ' ';
    write(*insert.source);
  } else {
    out_ += " DEFAULT VALUES";
  }
  if (insert.on_conflict) conflict(*insert.on_conflict);
  returning(insert.returning);
}

void Writer::write(const Update& update) {
  with(update.with);
  out_ += "UPDATE ";
  table(update.table);
  assignments(update.assignments);
  from(" FROM ", update.from);
  clause(" WHERE ", update.where);
  returning(update.returning);
}

void Writer::write(const Delete& statement) {
  with(statement.with);
  out_ += "DELETE FROM ";
  table(statement.table);
  from(" USING ", statement.using_items);
  clause(" WHERE ", statement.where);
  returning(statement.returning);
}

void Writer::assignments(const std::vector<Assignment>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Assignment& assignment = list[i];
    if (assignment.source_index <= 0) {
      out_ += i == 0 ? " SET " : ", ";
      if (assignment.source_index == 0) out_ += '(';
    } else {
      out_ += ", ";
    }
    name(assignment.column);
    subscripts(assignment.subscripts);
    if (assignment.source_index >= 0) {
      if (assignment.source_index + 1 < assignment.source_count) continue;
      out_ += ')';
    }
    out_ += " = ";
    expression(*assignment.value);
  }
}

void Writer::index_element(const IndexElement& element) {
  if (element.expression) {
    bracketed(*element.expression);
  } else {
    name(element.column);
  }
  if (!element.collation.empty()) {
    out_ += " COLLATE ";
    name(element.collation);
  }
  if (!element.operator_class.empty()) {
    out_ += ' ';
    name(element.operator_class);
  }
  if (!element.order_written) return;
  out_ += element.descending ? " DESC" : " ASC";
  out_ += element.nulls_first ? " NULLS FIRST" : " NULLS LAST";
}

void Writer::conflict(const OnConflict& on_conflict) {
  out_ += " ON CONFLICT";
  if (!on_conflict.target.empty()) {
    out_ += " (";
    separated(on_conflict.target, [&](const IndexElement& element) { index_element(element); });
    out_ += ')';
    clause(" WHERE ", on_conflict.target_where);
  }
  if (!on_conflict.constraint.empty()) {
    out_ += " ON CONSTRAINT ";
    name(on_conflict.constraint);
  }
  if (on_conflict.action == OnConflict::Action::nothing) {
    out_ += " DO NOTHING";
    return;
  }
  out_ += " DO UPDATE";
  assignments(on_conflict.assignments);
  clause(" WHERE ", on_conflict.where);
}

void Writer::returning(const std::vector<SelectItem>& list) {
  if (list.empty()) return;
  out_ += " RETURNING ";
  items(list);
}

}  // namespace polarsim::engine::syntax
