// INSERT, UPDATE, DELETE (PostgreSQL's get_insert_query_def and its neighbours).
#include <algorithm>

#include "engine/query/deparse_writer.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {
namespace {

const Relation& changed_relation(const Query& query) {
  const auto& entry = query.entries[static_cast<std::size_t>(query.result_entry)];
  const auto* table = std::get_if<TableSource>(&entry.source);
  if (table == nullptr)
    throw SqlError(sqlstate::feature_not_supported, "a change of something else than a table cannot be written as SQL");
  return *table->relation;
}

const Expression& without_assignment(const Expression& expression) {
  const Expression* written = &expression;
  while (const auto* conversion = written->as<Convert>()) {
    if (conversion->form != CallForm::implicit_cast) break;
    written = conversion->argument.get();
  }
  return *written;
}

// What is assigned to a column: to its parts, in order, or (null) to all of it.
std::vector<const SubscriptAssignment*> parts_assigned(const Expression& expression) {
  std::vector<const SubscriptAssignment*> parts;
  for (const Expression* next = &expression;;) {
    const auto* part = without_assignment(*next).as<SubscriptAssignment>();
    if (part == nullptr) break;
    parts.insert(parts.begin(), part);
    next = part->container.get();
  }
  if (parts.empty()) parts.push_back(nullptr);
  return parts;
}

// The entry that an INSERT's rows come from, if the row's values are its columns, in order: it can be written as it is.
const RangeTableEntry* whole_source(const Query& query) {
  if (query.from.size() != 1 || !query.from[0]->is_leaf() || query.where) return nullptr;
  const int number = query.from[0]->entry;
  const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(number)];
  if (entry.columns.size() != query.targets.size()) return nullptr;
  for (std::size_t i = 0; i < query.targets.size(); ++i) {
    const auto* column = without_assignment(*query.targets[i].expression).as<Column>();
    if (column == nullptr || column->entry != number || column->column != static_cast<int>(i) + 1) return nullptr;
  }
  return &entry;
}

// Of an INSERT of more than one row of its own.
const RangeTableEntry& source_of(const Query& query) {
  return query.entries[static_cast<std::size_t>(query.from.at(0)->entry)];
}

}  // namespace

const RelationColumn& Writer::changed_column(const Query& query, const Target& target) const {
  return changed_relation(query).columns[static_cast<std::size_t>(target.column - 1)];
}

void Writer::write_changed_table(const Query& query, std::string_view keyword, bool with_as) {
  if (style_.indent) {
    indent_ += standard;
    put(" ");
  }
  put(keyword);
  const std::string shown = write_relation_name(changed_relation(query));
  const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(query.result_entry)];
  const EntryNames& names = names_at(0).entries[static_cast<std::size_t>(query.result_entry)];
  if (!entry.alias_written && names.name == shown) return;
  put(with_as ? " AS " : " ");
  put_name(names.name);
}

// The conversions of assignment are made again where it is read.
void Writer::write_assigned(const Expression& expression) { write(without_assignment(expression), false); }

// A conversion that is written would be a cast, which cuts off what an assignment refuses.
void Writer::write_assigned_rows(const ValuesSource& values) {
  put("VALUES ");
  for (std::size_t i = 0; i < values.rows.size(); ++i) {
    put(i > 0 ? ", (" : "(");
    for (std::size_t j = 0; j < values.rows[i].size(); ++j) {
      if (j > 0) put(",");
      write_assigned(*values.rows[i][j]);
    }
    put(")");
  }
}

void Writer::write_assignments(const Query& query, const std::vector<Target>& targets) {
  const char* separator = "";
  for (const Target& target : targets) {
    if (target.hidden || target.column <= 0) continue;
    for (const SubscriptAssignment* part : parts_assigned(*target.expression)) {
      put(separator);
      separator = ", ";
      put_name(changed_column(query, target).name);
      if (part != nullptr) write_subscripts(part->indexes);
      put(" = ");
      write_assigned(part != nullptr ? *part->value : *target.expression);
    }
  }
  if (*separator != '\0') return;
  // Only generated columns were set to their DEFAULT, which is no assignment.
  for (const RelationColumn& column : changed_relation(query).columns) {
    if (column.dropped || !column.generated) continue;
    put_name(column.name);
    return put(" = DEFAULT");
  }
}

void Writer::write_returning(const Query& query) {
  if (query.returning.empty()) return;
  put_keyword(" RETURNING", -standard, standard, 1);
  write_targets(query.returning, nullptr, false);
}

// Rows without any value.
void Writer::write_insert_defaults(const Query& query) {
  if (query.from.empty()) return put(" DEFAULT VALUES");
  const auto* values = std::get_if<ValuesSource>(&source_of(query).source);
  const auto& columns = changed_relation(query).columns;
  const auto first = std::find_if(columns.begin(), columns.end(), [](const auto& each) { return !each.dropped; });
  put(" (");
  put_name(first->name);
  put(") VALUES ");
  for (std::size_t i = 0; i < values->rows.size(); ++i) put(i > 0 ? ", (DEFAULT)" : "(DEFAULT)");
}

void Writer::write_insert_values(const Query& query) {
  if (const RangeTableEntry* source = whole_source(query)) {
    if (const auto* values = std::get_if<ValuesSource>(&source->source)) return write_assigned_rows(*values);
    if (const auto* subquery = std::get_if<SubquerySource>(&source->source)) {
      return write_query(*subquery->query, nullptr, false);
    }
  }
  // Rows come from a source whose columns the targets use, or there is one row.
  put(query.from.empty() ? "VALUES (" : "SELECT ");
  const char* separator = "";
  for (const Target& target : query.targets) {
    for (const SubscriptAssignment* part : parts_assigned(*target.expression)) {
      put(separator);
      separator = query.from.empty() ? "," : ", ";
      write_assigned(part != nullptr ? *part->value : *target.expression);
    }
  }
  if (query.from.empty()) return put(")");
  write_from(query, " FROM ", nullptr);
}

void Writer::write_insert(const Query& query) {
  write_common_tables(query);
  write_changed_table(query, "INSERT INTO ", true);
  const char* separator = " (";
  for (const Target& target : query.targets) {
    for (const SubscriptAssignment* part : parts_assigned(*target.expression)) {
      put(separator);
      separator = ", ";
      put_name(changed_column(query, target).name);
      if (part != nullptr) write_subscripts(part->indexes);
    }
  }
  const bool only_defaults = query.from.empty() || std::holds_alternative<ValuesSource>(source_of(query).source);
  if (query.targets.empty() && only_defaults) {
    write_insert_defaults(query);
  } else {
    put(query.targets.empty() ? " " : ") ");
    write_insert_values(query);
  }
  if (query.on_conflict) write_conflict(query);
  write_returning(query);
}

void Writer::write_conflict(const Query& query) {
  const ConflictClause& clause = *query.on_conflict;
  const Relation& relation = changed_relation(query);
  put(" ON CONFLICT");
  if (!clause.arbiters.empty()) {
    const RelationIndex& index = relation.indexes[clause.arbiters[0]];
    const char* separator = " (";
    for (const RelationIndex::Key& key : index.keys) {
      if (key.column == 0 || index.predicate)
        throw SqlError(sqlstate::feature_not_supported,
                       "ON CONFLICT with an index on expressions or with a condition cannot be written for a node");
      put(separator);
      separator = ", ";
      put_name(relation.columns[static_cast<std::size_t>(key.column - 1)].name);
    }
    put(")");
  }
  if (!clause.update) return put(" DO NOTHING");
  // The row that was to be inserted has its name from the grammar, not from here.
  if (clause.excluded_entry >= 0)
    names_.back().entries[static_cast<std::size_t>(clause.excluded_entry)].name = "excluded";
  put(" DO UPDATE SET ");
  write_assignments(query, clause.assignments);
  if (clause.where) {
    put_keyword(" WHERE ", -standard, standard, 1);
    write(*clause.where, false);
  }
}

void Writer::write_update(const Query& query) {
  write_common_tables(query);
  write_changed_table(query, "UPDATE ", false);
  put(" SET ");
  write_assignments(query, query.targets);
  write_from(query, " FROM ", query.from.empty() ? nullptr : query.from[0].get());
  if (query.where) {
    put_keyword(" WHERE ", -standard, standard, 1);
    write(*query.where, false);
  }
  write_returning(query);
}

void Writer::write_delete(const Query& query) {
  write_common_tables(query);
  write_changed_table(query, "DELETE FROM ", false);
  write_from(query, " USING ", query.from.empty() ? nullptr : query.from[0].get());
  if (query.where) {
    put_keyword(" WHERE ", -standard, standard, 1);
    write(*query.where, false);
  }
  write_returning(query);
}

// --- what is offered ---

std::string deparse(const Query& query, const DeparseOptions& options) {
  Writer writer(options, {!options.qualify_always, options.pretty, options.qualify_always});
  const std::vector<std::string> names = output_names(query);
  writer.write_query(query, query.command == Command::select && !options.qualify_always ? &names : nullptr, true);
  return writer.take();
}

std::string deparse(const Expression& expression, const Relation* relation, const DeparseOptions& options) {
  Writer writer(options, {!options.qualify_always, options.pretty, options.qualify_always});
  writer.set_relation(relation);
  writer.write(expression, false);
  return writer.take();
}

std::string deparse(const Expression& expression, const PlanNames& names) {
  const DeparseOptions options;
  Writer writer(options, {false, false, false});
  writer.set_plan_names(&names);
  writer.write(expression, names.show_implicit);
  return writer.take();
}

}  // namespace polarsim::engine::query
