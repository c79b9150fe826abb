// COPY TO (PostgreSQL's src/backend/commands/copyto.c).
#include <memory>
#include <optional>

#include "engine/copy/binary.h"
#include "engine/copy/writer.h"
#include "engine/executor/copy_file.h"
#include "engine/executor/copy_parts.h"
#include "engine/query/analysis.h"
#include "engine/types/binary_form.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor {

namespace {

// SELECT of the columns, as if it had been written.
query::QueryPtr select_columns(const syntax::Copy& statement, const query::Relation& relation,
                               const std::vector<std::size_t>& columns, const query::AnalysisContext& analysis) {
  syntax::Select select;
  auto from = std::make_shared<syntax::FromItem>();
  from->source = statement.table;
  select.from.push_back(std::move(from));
  for (const std::size_t column : columns) {
    syntax::Expression reference;
    reference.kind = syntax::Expression::Kind::column;
    reference.name = relation.columns[column].name;
    select.items.push_back({std::make_shared<const syntax::Expression>(std::move(reference)), "", 0});
  }
  return query::analyse(select, analysis);
}

query::QueryPtr analyse_body(const syntax::CommonTableBody& body, const query::AnalysisContext& analysis) {
  if (body.select != nullptr) return query::analyse(*body.select, analysis);
  const bool returns = body.insert != nullptr   ? !body.insert->returning.empty()
                       : body.update != nullptr ? !body.update->returning.empty()
                                                : !body.removal->returning.empty();
  if (!returns) throw SqlError(sqlstate::feature_not_supported, "COPY query must have a RETURNING clause");
  if (body.insert != nullptr) return query::analyse(*body.insert, analysis);
  if (body.update != nullptr) return query::analyse(*body.update, analysis);
  return query::analyse(*body.removal, analysis);
}

// `next` gives the rows, one after the other.
template <typename Next>
void write_rows(const Next& next, copy::RowWriter& writer, bool binary, const std::vector<query::OutputName>& columns,
                const CallContext& call, CopySink& sink) {
  std::string line;
  std::string text;
  std::vector<std::string> names;
  for (const query::OutputName& column : columns) names.push_back(column.name);
  const auto write = [&] {
    if (!line.empty()) sink.write(line);
    line.clear();
  };
  writer.header(line, names);
  // The binary one belongs to what follows.
  if (!binary) write();
  for (RowView row; next(row);) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (row[i].is_null()) {
        writer.null(line);
        continue;
      }
      text.clear();
      if (binary) {
        append_binary(text, row[i], columns[i].type.id);
      } else {
        append_output(text, row[i], columns[i].type.id, call);
      }
      writer.field(line, text);
    }
    writer.end_row(line);
    write();
  }
  writer.trailer(line);
  write();
}

std::unique_ptr<copy::RowWriter> make_writer(const copy::Options& options, std::vector<bool> force_quote) {
  if (options.format == copy::Format::binary) return std::make_unique<copy::BinaryWriter>(force_quote.size());
  return std::make_unique<copy::Writer>(options, std::move(force_quote));
}

}  // namespace

std::uint64_t copy_to(const syntax::Copy& statement, const CopyInputs& inputs) {
  const query::AnalysisContext analysis{inputs.relations, inputs.call};
  copy::Options options;
  query::QueryPtr query;
  std::vector<bool> force_quote;
  if (statement.table.name.empty()) {
    options = copy::read_options(statement.options, false);
    query = analyse_body(statement.query, analysis);
  } else {
    const query::RelationPtr relation = open_copied(statement, inputs);
    const std::vector<std::size_t> columns = copied_columns(*relation, statement.columns);
    options = copy::read_options(statement.options, false);
    query = select_columns(statement, *relation, columns, analysis);
    force_quote = forced_columns(*relation, columns, options.force_quote, "FORCE_QUOTE");
  }
  if (inputs.check) inputs.check(query);
  const CopyInputs::Elsewhere elsewhere = inputs.elsewhere ? inputs.elsewhere(query) : nullptr;
  const plan::PlannedStatementPtr planned =
      elsewhere ? nullptr : plan::plan_query(query, {inputs.call, inputs.planner, {}});
  const std::vector<query::OutputName> output = query::output_columns(*query);
  if (statement.table.name.empty()) {
    const query::Relation outputs = relation_of(output);
    force_quote = forced_columns(outputs, copied_columns(outputs, {}), options.force_quote, "FORCE_QUOTE");
  }
  if (options.force_quote_all) force_quote.assign(force_quote.size(), true);

  std::optional<CopyFileSink> file;
  if (!statement.file.empty()) file.emplace(inputs.database.host(), statement.file);
  const std::unique_ptr<copy::RowWriter> writer = make_writer(options, std::move(force_quote));
  const bool binary = options.format == copy::Format::binary;
  std::uint64_t count = 0;
  const auto write = [&](const auto& next) {
    CopySink& sink = file ? *file : inputs.stream->start_out(output.size(), binary);
    write_rows(next, *writer, binary, output, inputs.call, sink);
  };
  if (elsewhere) {
    const std::unique_ptr<CopiedRows> source = elsewhere();
    // Before anything is said to the client, who then hears of most errors instead of rows.
    std::vector<Row> rows;
    bool more = source->next(rows);
    std::size_t at = 0;
    write([&](RowView& row) {
      inputs.transaction.backend->check_interrupts();
      while (at == rows.size()) {
        more = more && source->next(rows);
        if (!more) return false;
        at = 0;
      }
      row = rows[at++];
      ++count;
      return true;
    });
  } else {
    const ExecutionInputs execution_inputs{.database = inputs.database,
                                           .transaction = inputs.transaction,
                                           .call = inputs.call,
                                           .snapshot = &inputs.snapshot.take(),
                                           .work_memory_bytes = inputs.work_memory_bytes};
    Execution execution(planned, execution_inputs);
    write([&](RowView& row) { return execution.next(row); });
    execution.finish();
    count = execution.processed();
  }
  if (file) file->finish();
  return count;
}

}  // namespace polarsim::engine::executor
