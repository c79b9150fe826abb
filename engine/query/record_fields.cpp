#include "engine/query/record_fields.h"

namespace polarsim::engine::query {
namespace {

std::vector<OutputName> fields_of_output(const Query& query, int column);

// The fields of a record in a query, as far as the query tells them.
std::vector<OutputName> fields_in_query(const Query& query, const Expression& record) {
  std::vector<OutputName> fields;
  if (const auto* row = record.as<RowConstructor>()) {
    for (std::size_t i = 0; i < row->fields.size(); ++i) fields.push_back({row->names[i], row->fields[i]->type});
  } else if (const auto* call = record.as<Call>()) {
    for (const OutputParameter& output : call->function->outputs) fields.push_back({output.name, output.type});
  } else if (const auto* column = record.as<Column>(); column != nullptr && column->levels_up == 0) {
    fields = fields_of_column(query, *column);
  } else if (const auto* subquery = record.as<Subquery>(); subquery && subquery->kind == Subquery::Kind::scalar) {
    fields = fields_of_output(*subquery->query, 1);
  } else if (const auto* choice = record.as<Case>()) {
    fields = fields_in_query(query, *choice->branches[0].result);
  }
  return fields;
}

std::vector<OutputName> fields_of_output(const Query& query, int column) {
  int number = 0;
  for (const Target& target : query.targets) {
    if (!target.hidden && ++number == column) return fields_in_query(query, *target.expression);
  }
  return {};
}

}  // namespace

std::vector<OutputName> fields_of_column(const Query& query, const Column& column) {
  const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(column.entry)];
  std::vector<OutputName> fields;
  if (column.column == Column::whole_row) {
    for (const OutputName& output : entry.columns) {
      if (!output.name.empty()) fields.push_back(output);
    }
  } else if (const auto* join = std::get_if<JoinSource>(&entry.source)) {
    fields = fields_in_query(query, *join->columns[static_cast<std::size_t>(column.column) - 1]);
  } else if (const auto* subquery = std::get_if<SubquerySource>(&entry.source)) {
    fields = fields_of_output(*subquery->query, column.column);
  } else if (const auto* common = std::get_if<CommonTableSource>(&entry.source);
             common != nullptr && common->levels_up == 0 && !common->recursive_reference) {
    const QueryPtr& definition = query.common_tables[static_cast<std::size_t>(common->table)].query;
    if (definition) fields = fields_of_output(*definition, column.column);
  }
  return fields;
}

}  // namespace polarsim::engine::query
