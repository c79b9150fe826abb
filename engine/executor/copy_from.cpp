// COPY FROM (PostgreSQL's src/backend/commands/copyfrom.c).
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "engine/copy/binary.h"
#include "engine/copy/reader.h"
#include "engine/executor/copy_file.h"
#include "engine/executor/copy_parts.h"
#include "engine/executor/foreign_keys.h"
#include "engine/executor/table_writer.h"
#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/types/binary_form.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor {

namespace {

// As PostgreSQL's MAX_BUFFERED_TUPLES and MAX_BUFFERED_BYTES.
constexpr std::size_t batch_rows_max = 1000;
constexpr std::size_t batch_bytes_max = 65535;

// Rethrows the SqlError that is being handled, with one more line of context. The end of the session stays what it is.
[[noreturn]] void rethrow_in_context(const std::string& context) {
  try {
    throw;
  } catch (const SessionTerminated&) {
    throw;
  } catch (const SqlError& error) {
    copy::throw_in_context(error, context);
  }
}

// An INSERT of NULLs for the columns that are copied: its plan has what a new row needs besides, the others' defaults,
// generated columns and checks.
plan::PlannedStatementPtr plan_insert(const syntax::TableName& table, const query::Relation& relation,
                                      const std::vector<std::size_t>& columns, const CopyInputs& inputs,
                                      const query::AnalysisContext& analysis) {
  syntax::Insert insert;
  insert.table = table;
  if (!columns.empty()) {
    insert.overriding = syntax::Overriding::system_value;
    syntax::Select source;
    std::vector<syntax::ExpressionPtr>& row = source.values.emplace_back();
    for (const std::size_t column : columns) {
      insert.columns.push_back({relation.columns[column].name, {}});
      row.push_back(std::make_shared<syntax::Expression>());
    }
    insert.source = std::make_shared<syntax::Select>(std::move(source));
  }
  return plan::plan_query(query::analyse(insert, analysis), {inputs.call, inputs.planner, {}});
}

// Volatile, and not just the next number of a sequence (contain_volatile_functions_not_nextval()).
bool needs_order(const ExpressionPtr& expression) {
  return query::contains(expression, [](const query::Expression& node) {
    const auto* call = node.as<query::Call>();
    if (call != nullptr && std::string_view(call->function->name) == "nextval") return false;
    return query::volatility_of(node) == Volatility::volatile_function;
  });
}

class CopyIntoTable {
 public:
  // `destination`: null for the node's own table.
  CopyIntoTable(const plan::PlannedStatement& planned, const ExecutionInputs& inputs, const copy::Options& options,
                const query::Relation& relation, const std::vector<std::size_t>& columns, const ExpressionPtr& where,
                copy::Reader::Origin origin, CopyDestination* destination)
      : state_(planned, inputs, *inputs.snapshot),
        destination_(destination),
        relation_(relation),
        binary_(options.format == copy::Format::binary),
        reader_(make_reader(relation_, columns, options, origin)),
        drains_(origin == copy::Reader::Origin::client) {
    for (const std::size_t column : columns) columns_.push_back({column, relation_.columns[column].type});
    const std::vector<plan::PlanTarget>& values = planned.plan->children.at(0)->targets;
    for (std::size_t i = 0; i < relation_.columns.size(); ++i) {
      if (std::find(columns.begin(), columns.end(), i) != columns.end()) continue;
      const ExpressionPtr& value = values.at(i).expression;
      if (const auto* constant = value->as<query::Constant>(); constant != nullptr && constant->value.is_null())
        continue;
      defaults_.push_back({i, Evaluator(value)});
      single_ = single_ || needs_order(value);
    }
    if (where != nullptr) {
      where_.emplace(where);
      single_ = single_ || query::contains_volatility(where, Volatility::volatile_function);
    }
    if (destination != nullptr) return;
    writer_.emplace(state_, *planned.plan->as<plan::ModifyTable>());
    foreign_keys_ = ForeignKeyEvents::make(state_, writer_->table());
  }

  std::uint64_t run(CopySource& source) {
    if (destination_ != nullptr) return run_elsewhere(source);
    while (read(source)) {
      Row& row = next_row();
      convert(row);
      bool wanted = false;
      try {
        state_.check_interrupts();
        wanted = complete(row);
        if (wanted) writer_->complete(row);
        if (wanted && single_) insert(row);
      } catch (const SqlError&) {
        rethrow_in_context(reader_->context());
      }
      if (!wanted) continue;
      ++copied_;
      if (!single_) keep();
    }
    flush();
    state_.fire_foreign_keys();
    return copied_;
  }

 private:
  std::uint64_t run_elsewhere(CopySource& source) {
    while (read(source)) {
      Row& row = next_row();
      convert(row);
      try {
        state_.check_interrupts();
        if (!complete(row)) continue;
        destination_->add(row);
      } catch (const SqlError&) {
        rethrow_in_context(reader_->context());
      }
      ++copied_;
      destination_->hand_on();
    }
    destination_->finish();
    return copied_;
  }

  struct CopiedColumn {
    std::size_t column;
    Type type;
  };
  struct Default {
    std::size_t column;
    Evaluator value;
  };
  // Rows whose text has been found right, to be put in together.
  struct Pending {
    Row row;
    std::uint64_t line = 0;
  };

  static std::vector<copy::ColumnInput> inputs_of(const query::Relation& relation,
                                                  const std::vector<std::size_t>& columns,
                                                  const copy::Options& options) {
    const std::vector<bool> not_null = forced_columns(relation, columns, options.force_not_null, "FORCE_NOT_NULL");
    const std::vector<bool> null = forced_columns(relation, columns, options.force_null, "FORCE_NULL");
    std::vector<copy::ColumnInput> inputs;
    for (std::size_t i = 0; i < columns.size(); ++i)
      inputs.push_back({relation.columns[columns[i]].name, not_null[i], null[i]});
    return inputs;
  }

  static std::unique_ptr<copy::RowReader> make_reader(const query::Relation& relation,
                                                      const std::vector<std::size_t>& columns,
                                                      const copy::Options& options, copy::Reader::Origin origin) {
    std::vector<copy::ColumnInput> inputs = inputs_of(relation, columns, options);
    if (options.format != copy::Format::binary)
      return std::make_unique<copy::Reader>(options, relation.name, std::move(inputs), origin);
    std::vector<std::string> names;
    for (copy::ColumnInput& input : inputs) names.push_back(std::move(input.name));
    return std::make_unique<copy::BinaryReader>(relation.name, std::move(names));
  }

  // The reader has a row; false at the end.
  bool read(CopySource& source) {
    while (true) {
      const copy::RowReader::Outcome outcome = reader_->next();
      if (outcome == copy::RowReader::Outcome::row) return true;
      if (outcome == copy::RowReader::Outcome::end) break;
      if (more(source)) {
        reader_->feed(chunk_);
      } else {
        reader_->finish();
      }
    }
    // What a client sends behind \. is not looked at.
    while (drains_ && more(source)) {
    }
    return false;
  }
  bool more(CopySource& source) {
    try {
      return source.read(chunk_);
    } catch (const SqlError&) {
      rethrow_in_context(reader_->context());
    }
  }

  Row& next_row() {
    if (batch_size_ == batch_.size()) batch_.emplace_back();
    Row& row = batch_[batch_size_].row;
    row.assign(relation_.columns.size(), Value::null());
    return row;
  }

  // The texts' values.
  void convert(Row& row) {
    const std::span<const copy::Field> fields = reader_->fields();
    std::size_t i = 0;
    try {
      for (; i < columns_.size(); ++i) {
        if (i == fields.size()) break;
        if (fields[i].is_null) continue;
        row[columns_[i].column] = binary_ ? read_binary(fields[i].text, columns_[i].type, state_.call())
                                          : input_value(fields[i].text, columns_[i].type, state_.call());
      }
    } catch (const SqlError&) {
      rethrow_in_context(reader_->context_of_field(i));
    }
    if (i < columns_.size()) reader_->throw_missing(i);
  }

  // Defaults; false if WHERE does not want the row.
  bool complete(Row& row) {
    for (Default& value : defaults_) row[value.column] = value.value.value(state_);
    return !where_ || where_->holds(state_, row);
  }

  void insert(const Row& row) {
    const Tid tid = writer_->insert(row);
    if (foreign_keys_ != nullptr) foreign_keys_->inserted(row, tid);
  }
  void keep() {
    batch_[batch_size_++].line = reader_->line();
    batch_bytes_ += reader_->line_bytes();
    if (batch_size_ >= batch_rows_max || batch_bytes_ >= batch_bytes_max) flush();
  }
  void flush() {
    for (std::size_t i = 0; i < batch_size_; ++i) {
      try {
        insert(batch_[i].row);
      } catch (const SqlError&) {
        rethrow_in_context(reader_->context_of_line(batch_[i].line));
      }
    }
    batch_size_ = 0;
    batch_bytes_ = 0;
  }

  ExecutorState state_;
  CopyDestination* const destination_;
  // Of the node's own table.
  std::optional<TableWriter> writer_;
  std::unique_ptr<ForeignKeyEvents> foreign_keys_;  // null: no foreign key has to do with the table
  const query::Relation& relation_;
  const bool binary_;
  std::unique_ptr<copy::RowReader> reader_;
  const bool drains_;
  std::vector<CopiedColumn> columns_;
  std::vector<Default> defaults_;
  std::optional<Evaluator> where_;
  // A default or WHERE might look at the table: each row is put in before the next one is read.
  bool single_ = false;
  std::string chunk_;
  std::vector<Pending> batch_;
  std::size_t batch_size_ = 0;
  std::size_t batch_bytes_ = 0;
  std::uint64_t copied_ = 0;
};

// They are not computed yet when WHERE is looked at.
void refuse_generated_columns(const ExpressionPtr& where, const query::Relation& relation) {
  query::walk(where, [&](const query::Expression& node, int) {
    const auto* column = node.as<query::Column>();
    if (column == nullptr || column->column <= 0) return true;
    const query::RelationColumn& definition = relation.columns[static_cast<std::size_t>(column->column) - 1];
    if (definition.generated == nullptr) return true;
    throw SqlError(sqlstate::invalid_column_reference,
                   "generated columns are not supported in COPY FROM WHERE conditions",
                   fmt::format("Column \"{}\" is a generated column.", definition.name));
  });
}

// COPY ... FREEZE shows its rows to everybody at once, so nobody may have seen the table without them.
void check_freeze(const query::Relation& relation, const CopyInputs& inputs) {
  const catalog::TablePtr before = inputs.database.catalog().find_table(nullptr, relation.id);
  const catalog::TablePtr now = inputs.database.catalog().find_table(&inputs.transaction, relation.id);
  if (before == nullptr || now == nullptr || before->heap.relation != now->heap.relation) return;
  throw SqlError(sqlstate::object_not_in_prerequisite_state,
                 "cannot perform COPY FREEZE because the table was not created or truncated in the current "
                 "subtransaction");
}

}  // namespace

std::uint64_t copy_from(const syntax::Copy& statement, const CopyInputs& inputs) {
  const query::AnalysisContext analysis{inputs.relations, inputs.call};
  const query::RelationPtr relation = open_copied(statement, inputs);
  const std::unique_ptr<CopyDestination> destination = inputs.destination ? inputs.destination(relation) : nullptr;
  ExpressionPtr where;
  if (statement.where != nullptr) {
    where = query::analyse_over_relation(statement.where, *relation, TypeId::boolean, "COPY FROM WHERE conditions",
                                         analysis);
    refuse_generated_columns(where, *relation);
    where = query::with_rows_made(where, *relation);
  }
  const std::vector<std::size_t> columns = copied_columns(*relation, statement.columns);
  if (inputs.read_only) {
    throw SqlError(sqlstate::read_only_sql_transaction, "cannot execute COPY FROM in a read-only transaction");
  }
  const copy::Options options = copy::read_options(statement.options, true);
  const plan::PlannedStatementPtr planned = plan_insert(statement.table, *relation, columns, inputs, analysis);
  if (options.freeze && destination == nullptr) check_freeze(*relation, inputs);
  std::optional<CopyFileSource> file;
  if (!statement.file.empty()) file.emplace(inputs.database.host(), statement.file);
  const ExecutionInputs execution_inputs{.database = inputs.database,
                                         .transaction = inputs.transaction,
                                         .call = inputs.call,
                                         .snapshot = &inputs.snapshot.take(),
                                         .work_memory_bytes = inputs.work_memory_bytes};
  const auto origin = file ? copy::Reader::Origin::file : copy::Reader::Origin::client;
  CopyIntoTable copying(*planned, execution_inputs, options, *relation, columns, where, origin, destination.get());
  return copying.run(file ? *file : inputs.stream->start_in(columns.size(), options.format == copy::Format::binary));
}

}  // namespace polarsim::engine::executor
