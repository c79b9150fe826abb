// The functions of a session (sql/session_functions.h): a part of LocalSession.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "engine/node/local_session.h"
#include "engine/sql/error.h"

namespace polarsim::engine {

namespace {

using sql::SessionFunction;

// PostgreSQL's SET_LOCKTAG_INT64 and SET_LOCKTAG_INT32: the two kinds of keys do not meet.
txn::LockTag advisory_tag(std::span<const Value* const> arguments) {
  const auto first = static_cast<std::uint64_t>(arguments[0]->as_integer());
  if (arguments.size() == 1) return {txn::LockTag::Kind::advisory, first, 1};
  const auto second = static_cast<std::uint32_t>(arguments[1]->as_integer());
  return {txn::LockTag::Kind::advisory, (first << 32) | second, 2};
}

double parse_seconds(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw SqlError(sqlstate::invalid_text_representation,
                   fmt::format("invalid input syntax for type double precision: \"{}\"", text));
  }
  return seconds;
}

Value nothing() { return Value::text(""); }

}  // namespace

void LocalSession::warn(const char* sqlstate, std::string message) {
  ErrorFields fields;
  fields.sqlstate = sqlstate;
  fields.message = std::move(message);
  notices_.push_back(std::move(fields));
}

void LocalSession::refuse_if_read_only(const char* what) const {
  if (!settled_.read_only) return;
  throw SqlError(sqlstate::read_only_sql_transaction,
                 fmt::format("cannot execute {} in a read-only transaction", what));
}

Value LocalSession::call(SessionFunction function, std::span<const Value* const> arguments) {
  switch (function) {
    case SessionFunction::backend_pid:
      return Value::integer(process_id_);
    case SessionFunction::current_transaction:
      return current_transaction(true);
    case SessionFunction::current_transaction_if_any:
      return current_transaction(false);
    case SessionFunction::cancel_backend:
      return signal_backend(arguments[0]->as_integer(), false);
    case SessionFunction::terminate_backend:
      return signal_backend(arguments[0]->as_integer(), true);
    case SessionFunction::next_value:
      refuse_if_read_only("nextval()");
      return Value::integer(catalog::nextval(database_, *transaction_, sequences_, arguments[0]->as_text()));
    case SessionFunction::current_value:
      return Value::integer(catalog::currval(database_, *transaction_, sequences_, arguments[0]->as_text()));
    case SessionFunction::set_value: {
      refuse_if_read_only("setval()");
      const bool is_called = arguments.size() < 3 || arguments[2]->as_boolean();
      return Value::integer(catalog::setval(database_, *transaction_, sequences_, arguments[0]->as_text(),
                                            arguments[1]->as_integer(), is_called));
    }
    case SessionFunction::last_value:
      return Value::integer(catalog::lastval(database_, *transaction_, sequences_));
    case SessionFunction::sleep:
      return sleep(*arguments[0]);
    case SessionFunction::current_setting:
      return current_setting(arguments);
    default:
      return call_advisory(function, arguments);
  }
}

Value LocalSession::current_transaction(bool assign) {
  txn::TransactionManager& transactions = database_.transactions();
  if (assign) transactions.assign_xid(*transaction_);
  const txn::Xid xid = transaction_->top_xid();
  if (xid == storage::invalid_xid) return Value::null();
  // Less than one wraparound ago.
  const txn::FullXid next = transactions.next_xid();
  txn::FullXid full = (next & ~txn::FullXid{0xFFFFFFFF}) | xid;
  if (full > next) full -= txn::FullXid{1} << 32;
  return Value::integer(static_cast<std::int64_t>(full));
}

// --- advisory locks ---

Value LocalSession::call_advisory(SessionFunction function, std::span<const Value* const> arguments) {
  using txn::LockMode;
  switch (function) {
    case SessionFunction::advisory_lock:
      return lock_advisory(advisory_tag(arguments), LockMode::exclusive, false, true);
    case SessionFunction::advisory_lock_shared:
      return lock_advisory(advisory_tag(arguments), LockMode::share, false, true);
    case SessionFunction::advisory_xact_lock:
      return lock_advisory(advisory_tag(arguments), LockMode::exclusive, true, true);
    case SessionFunction::advisory_xact_lock_shared:
      return lock_advisory(advisory_tag(arguments), LockMode::share, true, true);
    case SessionFunction::try_advisory_lock:
      return lock_advisory(advisory_tag(arguments), LockMode::exclusive, false, false);
    case SessionFunction::try_advisory_lock_shared:
      return lock_advisory(advisory_tag(arguments), LockMode::share, false, false);
    case SessionFunction::try_advisory_xact_lock:
      return lock_advisory(advisory_tag(arguments), LockMode::exclusive, true, false);
    case SessionFunction::try_advisory_xact_lock_shared:
      return lock_advisory(advisory_tag(arguments), LockMode::share, true, false);
    case SessionFunction::advisory_unlock:
      return unlock_advisory(advisory_tag(arguments), LockMode::exclusive);
    case SessionFunction::advisory_unlock_shared:
      return unlock_advisory(advisory_tag(arguments), LockMode::share);
    case SessionFunction::advisory_unlock_all:
      database_.locks().release_all(*backend_, backend_->session_locks);
      return nothing();
    default:
      throw SqlError(sqlstate::internal_error, "unknown function of the session");
  }
}

Value LocalSession::lock_advisory(const txn::LockTag& tag, txn::LockMode mode, bool of_transaction, bool wait) {
  txn::LockOwner& owner = of_transaction ? transaction_->level().locks : backend_->session_locks;
  const txn::LockResult result = database_.locks().acquire(*backend_, owner, tag, mode, wait);
  if (wait) return nothing();
  return Value::boolean(result != txn::LockResult::not_available);
}

Value LocalSession::unlock_advisory(const txn::LockTag& tag, txn::LockMode mode) {
  const bool held = database_.locks().release(*backend_, backend_->session_locks, tag, mode);
  if (!held) warn(sqlstate::warning, fmt::format("you don't own a lock of type {}", txn::to_string(mode)));
  return Value::boolean(held);
}

// --- others ---

Value LocalSession::signal_backend(std::int64_t process_id, bool terminate) {
  txn::Backend* const target =
      process_id > 0 ? database_.find_backend(static_cast<std::uint32_t>(process_id)) : nullptr;
  if (target == nullptr) {
    warn(sqlstate::warning, fmt::format("PID {} is not a PostgreSQL backend process", process_id));
    return Value::boolean(false);
  }
  if (terminate) {
    target->request_termination();
  } else {
    target->request_cancel();
  }
  backend_->check_interrupts();  // it may have meant itself
  return Value::boolean(true);
}

Value LocalSession::sleep(const Value& seconds) {
  if (seconds.is_boolean()) {
    throw SqlError(sqlstate::undefined_function, "function pg_sleep(boolean) does not exist", "",
                   "No function matches the given name and argument types. You might need to add explicit type casts.");
  }
  const double wanted =
      seconds.is_integer() ? static_cast<double>(seconds.as_integer()) : parse_seconds(seconds.as_text());
  constexpr double longest = 9e9;  // about as many seconds as fit
  if (!(wanted > 0)) return nothing();
  backend_->sleep_until(wanted >= longest ? sim::never
                                          : database_.host().deadline_in(sim::Duration(std::llround(wanted * 1e9))));
  return nothing();
}

Value LocalSession::current_setting(std::span<const Value* const> arguments) const {
  try {
    return Value::text(setting_text(arguments[0]->as_text()));
  } catch (const SqlError& error) {
    const bool missing_ok = arguments.size() > 1 && arguments[1]->as_boolean();
    if (missing_ok && error.sqlstate() == sqlstate::undefined_object) return Value::null();
    throw;
  }
}

}  // namespace polarsim::engine
