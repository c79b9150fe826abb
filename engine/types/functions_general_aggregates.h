// The parts of the family of general aggregates. Private to it.
#pragma once

#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_collecting_aggregates(Entries& to);    // array_agg, string_agg
void add_ordered_set_aggregates(Entries& to);   // percentile_cont, percentile_disc, mode
void add_hypothetical_aggregates(Entries& to);  // rank, dense_rank, percent_rank, cume_dist within a group

inline FunctionEntry aggregate_function(const char* name, std::vector<TypeId> arguments, TypeId result, bool strict,
                                        AggregateFunction function) {
  return {.name = name,
          .arguments = std::move(arguments),
          .result = result,
          .kind = FunctionKind::aggregate,
          .strict = strict,
          .aggregate = function};
}

template <typename State>
std::unique_ptr<AggregateState> make_aggregate_state(std::span<const Type> types, Type result) {
  if constexpr (std::is_constructible_v<State, std::span<const Type>, Type>) {
    return std::make_unique<State>(types, result);
  } else {
    return std::make_unique<State>();
  }
}

}  // namespace polarsim::engine::families
