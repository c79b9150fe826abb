// What a sample tells of a column (PostgreSQL's src/backend/commands/analyze.c, compute_scalar_stats() and
// analyze_mcv_list(); the number of distinct values by Haas and Stokes, IBM Research Report RJ 10025).
#pragma once

#include <span>

#include "engine/catalog/definition.h"
#include "engine/types/value.h"

namespace polarsim::engine::commands {

// PostgreSQL's default_statistics_target: how many most common values, and how many groups of the histogram.
inline constexpr std::size_t statistics_target = 100;

// `values`: of the sample's rows in order of their places, NULLs included. `table_rows`: how many rows the table has,
// as far as is known. Of a type without an order only NULLs and widths are told, `distinct` is then unknown (0);
// PostgreSQL finds most common values also if there is but an equality. The sample has at
// least one row.
catalog::ColumnStatistics compute_statistics(std::span<const Value> values, Type type, double table_rows);

}  // namespace polarsim::engine::commands
