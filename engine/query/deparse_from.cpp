#include <algorithm>

#include "engine/query/deparse_writer.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

std::string Writer::write_relation_name(const Relation& relation) {
  RelationName name{relation.schema, relation.name};
  if (options_.rename) name = options_.rename(relation);
  const bool visible = options_.is_visible ? options_.is_visible(relation)
                                           : relation.schema == "public" || relation.schema == "pg_catalog";
  // A common table of the same name would be found first.
  bool hidden = false;
  for (const QueryNames& each : names_) {
    for (const CommonTable& table : each.query->common_tables) hidden = hidden || table.name == name.name;
  }
  if ((options_.qualify_always || !visible || hidden) && !name.schema.empty()) {
    put_name(name.schema);
    put(".");
  }
  put_name(name.name);
  return name.name;
}

void Writer::write_from(const Query& query, std::string_view keyword, const JoinTree* left_out) {
  bool first = true;
  for (const JoinTreePtr& tree : query.from) {
    if (tree.get() == left_out) continue;
    if (first) {
      put_keyword(keyword, -standard, standard, 2);
      first = false;
      write_from_item(*tree);
      continue;
    }
    put(", ");
    std::string before = std::exchange(text_, "");
    write_from_item(*tree);
    put_item_on_line(std::move(before), true);
  }
}

void Writer::write_from_item(const JoinTree& tree) {
  if (tree.is_leaf()) {
    write_leaf(tree.entry);
  } else {
    write_join(tree);
  }
}

void Writer::write_columns_of_alias(const EntryNames& names) {
  if (!names.show_columns) return;
  const char* separator = "(";
  for (const std::string& column : names.columns) {
    if (column.empty()) continue;
    put(separator);
    put_name(column);
    separator = ", ";
  }
  put(")");
}

void Writer::write_column_definitions(const RangeTableEntry& entry, const EntryNames& names) {
  const char* separator = "(";
  for (std::size_t i = 0; i < entry.columns.size(); ++i) {
    put(separator);
    put_name(names.columns[i]);
    put(" ");
    put_type_name(entry.columns[i].type);
    separator = ", ";
  }
  put(")");
}

// A function that returns any row has to be told which.
bool Writer::needs_column_definitions(const FunctionSource& source) {
  if (source.functions.size() != 1 || source.with_ordinality) return false;
  const auto* call = source.functions[0].call->as<Call>();
  return call != nullptr && source.functions[0].call->type.id == TypeId::record && call->function->outputs.empty();
}

void Writer::write_function_source(const FunctionSource& source) {
  if (source.functions.size() == 1) {
    write(*source.functions[0].call, true);
  } else {
    // Several calls of unnest() and nothing else are one with several arguments.
    const bool all_unnest = std::all_of(source.functions.begin(), source.functions.end(), [](const auto& item) {
      const auto* call = item.call->template as<Call>();
      return call != nullptr && std::string_view(call->function->name) == "unnest" && call->arguments.size() == 1;
    });
    put(all_unnest ? "UNNEST(" : "ROWS FROM(");
    for (std::size_t i = 0; i < source.functions.size(); ++i) {
      if (i > 0) put(", ");
      const Expression& call = *source.functions[i].call;
      write(all_unnest ? *call.as<Call>()->arguments[0] : call, true);
    }
    put(")");
  }
  if (source.with_ordinality) put(" WITH ORDINALITY");
}

void Writer::write_leaf(int number) {
  const Query& query = *names_at(0).query;
  const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(number)];
  const EntryNames names = names_at(0).entries[static_cast<std::size_t>(number)];
  std::string shown;  // what it is called without an alias
  if (const auto* table = std::get_if<TableSource>(&entry.source)) {
    shown = write_relation_name(*table->relation);
  } else if (const auto* system = std::get_if<SystemViewSource>(&entry.source)) {
    shown = write_relation_name(*system->relation);
  } else if (const auto* subquery = std::get_if<SubquerySource>(&entry.source)) {
    if (subquery->lateral) put("LATERAL ");
    if (subquery->view && !style_.for_nodes) {
      shown = write_relation_name(*subquery->view);
    } else {
      put("(");
      write_query(*subquery->query, nullptr, true);
      put(")");
    }
  } else if (const auto* function = std::get_if<FunctionSource>(&entry.source)) {
    if (function->lateral) put("LATERAL ");
    write_function_source(*function);
    if (needs_column_definitions(*function)) {
      put(" ");
      put_name(names.name);
      return write_column_definitions(entry, names);
    }
  } else if (const auto* values = std::get_if<ValuesSource>(&entry.source)) {
    if (values->lateral) put("LATERAL ");
    put("(");
    write_values(*values);
    put(")");
  } else if (const auto* custom = std::get_if<CustomSource>(&entry.source)) {
    const std::string call = custom->rows->call();
    if (call.empty()) throw SqlError(sqlstate::internal_error, "rows that come from elsewhere have no text");
    put(call);
    put(" ");
    put_name(names.name);
    return write_column_definitions(entry, names);
  } else if (const auto* common = std::get_if<CommonTableSource>(&entry.source)) {
    const Query& owner = *names_at(common->levels_up).query;
    shown = owner.common_tables[static_cast<std::size_t>(common->table)].name;
    put_name(shown);
  }
  if (entry.alias_written || names.show_columns || names.name != shown) {
    put(" ");
    put_name(names.name);
  }
  write_columns_of_alias(names);
}

void Writer::write_join(const JoinTree& tree) {
  const Query& query = *names_at(0).query;
  const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(tree.entry)];
  const JoinSource& source = std::get<JoinSource>(entry.source);
  const EntryNames names = names_at(0).entries[static_cast<std::size_t>(tree.entry)];
  const bool named = !entry.alias.empty();
  const bool right_named =
      !tree.right->is_leaf() && !query.entries[static_cast<std::size_t>(tree.right->entry)].alias.empty();
  const bool right_brackets = style_.fewer_brackets && !tree.right->is_leaf() && !right_named;
  open_joins_.back().push_back(tree.entry);
  if (!style_.fewer_brackets || named) put("(");
  write_from_item(*tree.left);
  static constexpr const char* joins[] = {" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN "};
  const bool cross = tree.type == JoinType::inner && !tree.condition;
  put_keyword(cross ? " CROSS JOIN " : joins[static_cast<std::size_t>(tree.type)], -standard, standard, of_join);
  if (right_brackets) put("(");
  write_from_item(*tree.right);
  if (right_brackets) put(")");
  if (!source.using_columns.empty()) {
    put(" USING (");
    for (std::size_t i = 0; i < names.using_columns.size(); ++i) {
      if (i > 0) put(", ");
      put_name(names.using_columns[i]);
    }
    put(")");
    if (!source.using_alias.empty()) {
      put(" AS ");
      put_name(source.using_alias);
    }
  } else if (tree.condition) {
    put(" ON ");
    open_bracket();
    write(*tree.condition, false);
    close_bracket();
  } else if (!cross) {
    put(" ON TRUE");
  }
  if (!style_.fewer_brackets || named) put(")");
  open_joins_.back().pop_back();
  if (named) {
    put(" ");
    put_name(names.name);
    write_columns_of_alias(names);
  }
}

}  // namespace polarsim::engine::query
