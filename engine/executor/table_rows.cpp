#include "engine/executor/table_rows.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/query/system_columns.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

Value value_of(Tid tid) {
  char text[24];
  const auto end = fmt::format_to_n(text, sizeof text, "({},{})", tid.block, tid.item);
  return Value::text({text, end.size});
}

Tid tid_of(const Value& ctid) {
  const std::string_view text = ctid.as_text();
  const char* const end = text.data() + text.size();
  Tid tid;
  auto read = std::from_chars(text.data() + 1, end, tid.block);
  if (read.ec == std::errc() && read.ptr != end) read = std::from_chars(read.ptr + 1, end, tid.item);
  if (read.ec != std::errc()) throw SqlError(sqlstate::internal_error, "ctid is not the place of a row");
  return tid;
}

void TableRows::complete(Tid tid, Row& row) {
  table_.widen(row);
  for (const int number : system_columns_) row.push_back(system_column(number, tid));
}

Value TableRows::system_column(int number, Tid tid) {
  if (number == query::system_column_ctid) return value_of(tid);
  if (number == query::system_column_tableoid) return Value::integer(table_.relation->id);
  const std::optional<storage::TupleHeader> header = state_.database().heap().header(table_.heap(), tid);
  if (!header) return Value::null();
  switch (number) {
    case query::system_column_xmin:
      return Value::integer(header->xmin);
    case query::system_column_cmin:
      return Value::integer(header->cmin);
    case query::system_column_xmax:
      return Value::integer(header->xmax);
    default:
      return Value::integer(header->cmax);
  }
}

std::optional<Row> TableRows::fetch(Tid tid, const storage::WantedColumns* wanted) {
  return state_.database().heap().fetch(table_.heap(), tid, state_.transaction(), state_.snapshot, wanted);
}

}  // namespace polarsim::engine::executor
