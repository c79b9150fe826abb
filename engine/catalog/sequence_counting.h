// What a sequence is and how it counts (PostgreSQL's init_params() and nextval_internal() in
// src/backend/commands/sequence.c). Pure functions; where a sequence is kept is the business of the catalog.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/types/type.h"

namespace polarsim::engine::catalog {

struct SequenceParameters {
  std::int64_t start = 1;
  std::int64_t increment = 1;
  std::int64_t minimum = 1;
  std::int64_t maximum = 1;
  bool cycle = false;
  friend bool operator==(const SequenceParameters&, const SequenceParameters&) = default;
};

struct SequenceState {
  std::int64_t last_value = 1;
  bool is_called = false;  // last_value has been given out
  friend bool operator==(const SequenceState&, const SequenceState&) = default;
};

// What is asked of a sequence; what is not follows from its direction and type.
struct SequenceRequest {
  TypeId type = TypeId::int8;  // or int2, int4
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> increment;
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  bool cycle = false;
};
// Throws SqlError 22023 with PostgreSQL's texts for bounds that make no sense.
SequenceParameters sequence_parameters(const SequenceRequest& request);
inline SequenceState initial_state(const SequenceParameters& parameters) { return {parameters.start, false}; }

// nextval(): the state's last_value is then what it gives out. Throws 2200H at the end of a sequence that does not
// cycle.
SequenceState next_state(const SequenceParameters& parameters, const SequenceState& state, std::string_view name);
// setval(). Throws 22003 for a value out of bounds.
SequenceState set_state(const SequenceParameters& parameters, std::int64_t value, bool is_called,
                        std::string_view name);

}  // namespace polarsim::engine::catalog
