#include "engine/node/session_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/catalog/catalog.h"
#include "engine/types/error.h"

namespace polarsim::engine {

void refuse_catalog_change(const query::Relation& relation) {
  if (relation.kind != query::Relation::Kind::table || relation.schema != catalog::system_schema) return;
  throw SqlError(sqlstate::insufficient_privilege,
                 fmt::format("permission denied: \"{}\" is a system catalog", relation.name));
}

void refuse_catalog_changes(const query::Query& query) {
  if (query.command != query::Command::select) {
    const query::RangeTableEntry& changed = query.entries.at(static_cast<std::size_t>(query.result_entry));
    if (const auto* table = std::get_if<query::TableSource>(&changed.source)) refuse_catalog_change(*table->relation);
  }
  // Changes in common tables stand at the top alone.
  for (const query::CommonTable& table : query.common_tables) refuse_catalog_changes(*table.query);
}

void refuse_other_columns(const std::vector<ResultColumn>& prepared, const std::vector<query::OutputName>& now) {
  const auto same = [](const ResultColumn& a, const query::OutputName& b) {
    return a.name == b.name && a.type == b.type;
  };
  if (!std::ranges::equal(prepared, now, same))
    throw SqlError(sqlstate::feature_not_supported, "cached plan must not change result type");
}

}  // namespace polarsim::engine
