#include "engine/cluster/distributed_copy.h"

#include <fmt/format.h>

#include <utility>

#include "engine/copy/binary.h"
#include "engine/copy/options.h"
#include "engine/copy/writer.h"
#include "engine/distribution/reference_locks.h"
#include "engine/types/binary_form.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

namespace {

// How much is kept here before it is sent.
constexpr std::size_t kept_bytes = std::size_t{4} << 20;

// Texts of another session's settings would mean something else on a node.
const CallContext plain_settings;

// Numbers of tables and the like are each node's own, their names are not; rows cannot be read from bytes.
bool has_common_bytes(TypeId type) {
  const TypeInfo& info = type_info(type);
  if (info.element != TypeId::none && info.element != type) return has_common_bytes(info.element);
  return type != TypeId::record && type != TypeId::char_byte && !std::string_view(info.name).starts_with("reg");
}

bool is_about_a_row(const SqlError& error) {
  return error.sqlstate().starts_with("22") || error.sqlstate().starts_with("23");
}

}  // namespace

DistributedCopy::DistributedCopy(const ExecutionPlace& place, std::shared_ptr<const Metadata> metadata,
                                 query::RelationPtr relation, distribution::TableDistributionPtr distribution)
    : metadata_(std::move(metadata)),
      place_(place),
      relation_(std::move(relation)),
      distribution_(std::move(distribution)),
      rows_(distribution_->shards.size()) {
  for (std::size_t i = 0; i < relation_->columns.size(); ++i) {
    const query::RelationColumn& column = relation_->columns[i];
    if (column.dropped || column.generated != nullptr) continue;
    columns_.push_back({i, column.type.id});
    binary_ = binary_ && has_common_bytes(column.type.id);
  }
  if (binary_) {
    writer_ = std::make_unique<copy::BinaryWriter>(columns_.size());
  } else {
    writer_ = std::make_unique<copy::Writer>(copy::read_options({}, false), std::vector<bool>(columns_.size(), false));
  }
}

std::size_t DistributedCopy::shard_of(executor::RowView row) const {
  if (distribution_->method != distribution::Method::hash) return 0;
  const Value& key = row[static_cast<std::size_t>(distribution_->column) - 1];
  if (key.is_null()) {
    throw SqlError(sqlstate::null_value_not_allowed,
                   fmt::format("the partition column of table {}.{} cannot be NULL",
                               quote_identifier(relation_->schema), quote_identifier(relation_->name)));
  }
  const std::optional<std::size_t> position = distribution::shard_position(*distribution_, key);
  if (!position) throw SqlError(sqlstate::internal_error, "could not find shard for partition column value");
  return *position;
}

void DistributedCopy::add(executor::RowView row) {
  std::string& bytes = rows_[shard_of(row)];
  const std::size_t before = bytes.size();
  if (before == 0) writer_->header(bytes, {});
  append(bytes, row);
  bytes_ += bytes.size() - before;
}

void DistributedCopy::append(std::string& bytes, executor::RowView row) {
  for (const CopiedColumn& column : columns_) {
    const Value& value = row[column.column];
    if (value.is_null()) {
      writer_->null(bytes);
      continue;
    }
    field_.clear();
    if (binary_) {
      append_binary(field_, value, column.type);
    } else {
      append_output(field_, value, column.type, plain_settings);
    }
    writer_->field(bytes, field_);
  }
  writer_->end_row(bytes);
}

void DistributedCopy::hand_on() {
  if (bytes_ >= kept_bytes) send();
}

std::string DistributedCopy::statement(const distribution::Shard& shard) const {
  std::string text = fmt::format("COPY {}.{}", quote_identifier(relation_->schema),
                                 quote_identifier(distribution::shard_name(relation_->name, shard.id)));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    text += i == 0 ? " (" : ", ";
    text += quote_identifier(relation_->columns[columns_[i].column].name);
  }
  if (!columns_.empty()) text += ")";
  return text + (binary_ ? " FROM STDIN (FORMAT binary)" : " FROM STDIN");
}

void DistributedCopy::send() {
  for (std::string& rows : rows_) {
    if (!rows.empty()) writer_->trailer(rows);
  }
  try {
    // Copies of a row have one order for all coordinators (distribution/reference_locks.h).
    send_copies(true);
    send_copies(false);
  } catch (const SqlError& error) {
    if (!is_about_a_row(error)) throw;
    throw SqlError(sqlstate::internal_error, error.fields().message, error.fields().detail);
  }
  for (std::string& rows : rows_) rows.clear();
  bytes_ = 0;
}

void DistributedCopy::send_copies(bool first) {
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].empty()) continue;
    const distribution::Shard& shard = distribution_->shards[i];
    const std::string text = statement(shard);
    const int first_group = distribution::first_copy(shard.groups);
    for (const int group : shard.groups) {
      if ((group == first_group) != first) continue;
      if (group == place_.coordinator.group_id()) {
        place_.local.copy_in_here(StatementRequest{place_.coordinator.statements().parse(text).at(0), text}, rows_[i]);
      } else {
        tasks.push_back({.group_id = group, .sql = text, .modifies = true, .rows = rows_[i]});
      }
    }
  }
  if (!tasks.empty()) place_.executor.run(*metadata_, tasks, true, place_.begin());
}

}  // namespace polarsim::engine::cluster
