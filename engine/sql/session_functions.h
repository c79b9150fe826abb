// Functions that need the session which runs the statement: they may block, have effects, and answer differently each
// time. Analysis knows their names and types (functions.h); what they do is the session's business.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/sql/value.h"

namespace polarsim::engine::sql {

enum class SessionFunction : std::uint8_t {
  none,                        // a function of its arguments alone
  backend_pid,                 // pg_backend_pid() integer
  current_transaction,         // txid_current(), pg_current_xact_id(): bigint
  current_transaction_if_any,  // txid_current_if_assigned(), pg_current_xact_id_if_assigned()
  advisory_lock,               // each with one bigint or two integers; the unconditional ones are void
  advisory_lock_shared,
  advisory_xact_lock,
  advisory_xact_lock_shared,
  try_advisory_lock,  // these boolean
  try_advisory_lock_shared,
  try_advisory_xact_lock,
  try_advisory_xact_lock_shared,
  advisory_unlock,
  advisory_unlock_shared,
  advisory_unlock_all,  // void
  cancel_backend,       // pg_cancel_backend(integer) boolean
  terminate_backend,
  next_value,       // nextval(text) bigint
  current_value,    // currval(text)
  set_value,        // setval(text, bigint [, boolean])
  last_value,       // lastval()
  sleep,            // pg_sleep(integer, bigint, or text with a decimal number): seconds; void
  current_setting,  // current_setting(text [, boolean]) text
};

// What a statement's session offers. Void results are the empty text.
class SessionFunctions {
 public:
  // The arguments are as in the comments above, and none is NULL (all these functions are strict). May block. Throws
  // SqlError.
  virtual Value call(SessionFunction function, std::span<const Value* const> arguments) = 0;

 protected:
  ~SessionFunctions() = default;
};

bool is_session_function(std::string_view name);

}  // namespace polarsim::engine::sql
