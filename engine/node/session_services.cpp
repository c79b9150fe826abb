#include "engine/node/session_services.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "engine/types/array.h"
#include "engine/types/interval.h"

namespace polarsim::engine {

namespace {

constexpr double microseconds_per_second = 1e6;

Value nothing() { return Value::text(""); }

// PostgreSQL's SET_LOCKTAG_INT64 and SET_LOCKTAG_INT32: the two kinds of keys do not meet.
txn::LockTag advisory_tag(const FunctionCall& call) {
  const auto first = static_cast<std::uint64_t>(call[0].as_integer());
  if (call.size() == 1) return {txn::LockTag::Kind::advisory, first, 1};
  const auto second = static_cast<std::uint32_t>(call[1].as_integer());
  return {txn::LockTag::Kind::advisory, (first << 32) | second, 2};
}

}  // namespace

LocalServices::LocalServices(Database& database, txn::Backend& backend, catalog::SequenceMemory& sequences,
                             Session session)
    : database_(database), backend_(backend), sequences_(sequences), session_(std::move(session)) {}

LocalServices::Handler LocalServices::find_handler(std::string_view name) {
  struct Entry {
    std::string_view name;
    Handler handler;
  };
  // By name.
  static constexpr Entry handlers[] = {
      {"col_description", &LocalServices::column_description},
      {"current_database", &LocalServices::current_database},
      {"current_query", &LocalServices::current_query},
      {"current_schema", &LocalServices::current_schema},
      {"current_schemas", &LocalServices::current_schemas},
      {"current_setting", &LocalServices::current_setting},
      {"current_user", &LocalServices::current_user},
      {"currval", &LocalServices::currval},
      {"getdatabaseencoding", &LocalServices::encoding},
      {"has_any_column_privilege", &LocalServices::has_privilege},
      {"has_column_privilege", &LocalServices::has_privilege},
      {"has_database_privilege", &LocalServices::has_privilege},
      {"has_function_privilege", &LocalServices::has_privilege},
      {"has_schema_privilege", &LocalServices::has_privilege},
      {"has_sequence_privilege", &LocalServices::has_privilege},
      {"has_table_privilege", &LocalServices::has_privilege},
      {"has_tablespace_privilege", &LocalServices::has_privilege},
      {"has_type_privilege", &LocalServices::has_privilege},
      {"last_measured_plan", &LocalServices::last_measured_plan},
      {"lastval", &LocalServices::lastval},
      {"measure_next_query", &LocalServices::measure_next_query},
      {"nextval", &LocalServices::nextval},
      {"obj_description", &LocalServices::object_description},
      {"pg_advisory_lock", &LocalServices::advisory},
      {"pg_advisory_lock_shared", &LocalServices::advisory},
      {"pg_advisory_unlock", &LocalServices::advisory},
      {"pg_advisory_unlock_all", &LocalServices::advisory_unlock_all},
      {"pg_advisory_unlock_shared", &LocalServices::advisory},
      {"pg_advisory_xact_lock", &LocalServices::advisory},
      {"pg_advisory_xact_lock_shared", &LocalServices::advisory},
      {"pg_backend_pid", &LocalServices::backend_pid},
      {"pg_blocking_pids", &LocalServices::blocking_pids},
      {"pg_cancel_backend", &LocalServices::cancel_backend},
      {"pg_client_encoding", &LocalServices::encoding},
      {"pg_current_xact_id", &LocalServices::current_xid},
      {"pg_current_xact_id_if_assigned", &LocalServices::current_xid_if_assigned},
      {"pg_database_size", &LocalServices::database_size},
      {"pg_get_constraintdef", &LocalServices::constraint_definition},
      {"pg_get_expr", &LocalServices::expression_definition},
      {"pg_get_indexdef", &LocalServices::index_definition},
      {"pg_get_serial_sequence", &LocalServices::serial_sequence},
      {"pg_get_userbyid", &LocalServices::user_by_id},
      {"pg_get_viewdef", &LocalServices::view_definition},
      {"pg_has_role", &LocalServices::has_privilege},
      {"pg_indexes_size", &LocalServices::relation_size},
      {"pg_is_in_recovery", &LocalServices::is_in_recovery},
      {"pg_relation_filenode", &LocalServices::relation_filenode},
      {"pg_relation_is_publishable", &LocalServices::is_publishable},
      {"pg_relation_size", &LocalServices::relation_size},
      {"pg_sequence_last_value", &LocalServices::sequence_last_value},
      {"pg_sleep", &LocalServices::sleep},
      {"pg_sleep_for", &LocalServices::sleep_for},
      {"pg_sleep_until", &LocalServices::sleep_until},
      {"pg_table_is_visible", &LocalServices::table_is_visible},
      {"pg_table_size", &LocalServices::relation_size},
      {"pg_tablespace_size", &LocalServices::database_size},
      {"pg_terminate_backend", &LocalServices::terminate_backend},
      {"pg_total_relation_size", &LocalServices::relation_size},
      {"pg_try_advisory_lock", &LocalServices::advisory},
      {"pg_try_advisory_lock_shared", &LocalServices::advisory},
      {"pg_try_advisory_xact_lock", &LocalServices::advisory},
      {"pg_try_advisory_xact_lock_shared", &LocalServices::advisory},
      {"pg_xact_status", &LocalServices::transaction_status},
      {"run_in_parts", &LocalServices::run_in_parts},
      {"session_user", &LocalServices::current_user},
      {"set_config", &LocalServices::set_config},
      {"setval", &LocalServices::setval},
      {"shobj_description", &LocalServices::no_description},
      {"store_intermediate_result", &LocalServices::store_intermediate_result},
      {"to_regclass", &LocalServices::to_object},
      {"to_regnamespace", &LocalServices::to_object},
      {"to_regproc", &LocalServices::to_object},
      {"txid_current", &LocalServices::current_xid},
      {"txid_current_if_assigned", &LocalServices::current_xid_if_assigned},
      {"txid_status", &LocalServices::transaction_status},
      {"version", &LocalServices::version},
  };
  const auto found = std::lower_bound(std::begin(handlers), std::end(handlers), name,
                                      [](const Entry& entry, std::string_view wanted) { return entry.name < wanted; });
  return found != std::end(handlers) && found->name == name ? found->handler : nullptr;
}

Value LocalServices::call(const FunctionEntry& function, const FunctionCall& call) {
  const Handler handler = find_handler(function.name);
  if (handler == nullptr)
    throw SqlError(sqlstate::feature_not_supported, fmt::format("{}() is not supported", function.name));
  return (this->*handler)(call);
}

std::unique_ptr<FunctionRows> LocalServices::rows(const FunctionEntry& function, const FunctionCall& call) {
  if (std::string_view(function.name) != "read_intermediate_result" || session_.results == nullptr)
    throw SqlError(sqlstate::feature_not_supported, fmt::format("{}() is not supported", function.name));
  return session_.results->read(call[0].as_text(), call.columns, call.context);
}

Value LocalServices::store_intermediate_result(const FunctionCall& call) {
  if (session_.results == nullptr)
    throw SqlError(sqlstate::feature_not_supported, "store_intermediate_result() is not supported");
  session_.results->store(call[0].as_text(), call[1].as_integer(), call[2].as_array(), call[3].as_boolean());
  return nothing();
}

Value LocalServices::measure_next_query(const FunctionCall& call) {
  session_.measure_next_query({.analyze = true,
                               .verbose = call[0].as_boolean(),
                               .costs = call[1].as_boolean(),
                               .timing = call[2].as_boolean(),
                               .summary = call[3].as_boolean()});
  return nothing();
}

Value LocalServices::run_in_parts(const FunctionCall& call) {
  session_.run_in_parts(call[0].as_boolean());
  return nothing();
}

Value LocalServices::last_measured_plan(const FunctionCall&) { return Value::text(session_.last_measured_plan()); }

// A session's own sequence, so that it does not depend on what others draw.
RandomSequence& LocalServices::random_sequence() {
  if (random_ == nullptr) random_ = std::make_unique<RandomSequence>(random_bits());
  return *random_;
}

std::uint64_t LocalServices::random_bits() { return database_.host().random("sql/random").next(); }

// --- advisory locks ---

Value LocalServices::advisory(const FunctionCall& call) {
  const std::string_view name = call.function->name;
  const txn::LockTag tag = advisory_tag(call);
  const bool shared = name.ends_with("_shared");
  const txn::LockMode mode = shared ? txn::LockMode::share : txn::LockMode::exclusive;
  if (name.find("unlock") != std::string_view::npos) {
    const bool held = database_.locks().release(backend_, backend_.session_locks, tag, mode);
    if (!held) session_.warn(sqlstate::warning, fmt::format("you don't own a lock of type {}", txn::to_string(mode)));
    return Value::boolean(held);
  }
  const bool of_transaction = name.find("xact") != std::string_view::npos;
  const bool wait = name.find("try") == std::string_view::npos;
  txn::LockOwner& owner = of_transaction ? transaction().level().locks : backend_.session_locks;
  const txn::LockResult result = database_.locks().acquire(backend_, owner, tag, mode, wait);
  return wait ? nothing() : Value::boolean(result != txn::LockResult::not_available);
}

Value LocalServices::advisory_unlock_all(const FunctionCall&) {
  database_.locks().release_all(backend_, backend_.session_locks);
  return nothing();
}

// --- transactions ---

Value LocalServices::full_xid(bool assign) {
  txn::TransactionManager& transactions = database_.transactions();
  txn::Transaction& transaction = *session_.transaction();
  if (assign) transactions.assign_xid(transaction);
  const txn::Xid xid = transaction.top_xid();
  if (xid == storage::invalid_xid) return Value::null();
  // Less than one wraparound ago.
  const txn::FullXid next = transactions.next_xid();
  txn::FullXid full = (next & ~txn::FullXid{0xFFFFFFFF}) | xid;
  if (full > next) full -= txn::FullXid{1} << 32;
  return Value::integer(static_cast<std::int64_t>(full));
}

Value LocalServices::current_xid(const FunctionCall&) { return full_xid(true); }
Value LocalServices::current_xid_if_assigned(const FunctionCall&) { return full_xid(false); }

Value LocalServices::transaction_status(const FunctionCall& call) {
  const auto asked = static_cast<std::uint64_t>(call[0].as_integer());
  if (asked >= database_.transactions().next_xid()) {
    throw SqlError(sqlstate::invalid_parameter_value, fmt::format("transaction ID {} is in the future", asked));
  }
  switch (database_.transactions().status(static_cast<txn::Xid>(asked))) {
    case txn::XidStatus::in_progress:
      return Value::text("in progress");
    case txn::XidStatus::committed:
      return Value::text("committed");
    case txn::XidStatus::aborted:
      break;
  }
  return Value::text("aborted");
}

// --- time ---

Value LocalServices::sleep_microseconds(double microseconds) {
  constexpr double longest = 9e15;  // about as many microseconds as fit
  if (!(microseconds > 0)) return nothing();
  const auto duration = sim::Duration(std::llround(std::min(microseconds, longest) * 1e3));
  backend_.sleep_until(microseconds >= longest ? sim::never : database_.host().deadline_in(duration));
  return nothing();
}

Value LocalServices::sleep(const FunctionCall& call) {
  return sleep_microseconds(call[0].as_floating() * microseconds_per_second);
}

Value LocalServices::sleep_for(const FunctionCall& call) {
  constexpr double microseconds_per_day = 86400 * microseconds_per_second;
  const Interval& interval = call[0].as_interval();
  const double days = static_cast<double>(interval.days) + 30.0 * static_cast<double>(interval.months);
  return sleep_microseconds(static_cast<double>(interval.microseconds) + days * microseconds_per_day);
}

Value LocalServices::sleep_until(const FunctionCall& call) {
  // A timestamptz counts from 2000, the host's clock from 1970.
  constexpr std::int64_t epoch_2000_us = 946'684'800'000'000;
  const std::int64_t now = database_.host().realtime_us() - epoch_2000_us;
  return sleep_microseconds(static_cast<double>(call[0].as_integer() - now));
}

// --- other sessions ---

Value LocalServices::backend_pid(const FunctionCall&) { return Value::integer(backend_.process_id()); }

Value LocalServices::signal(std::int64_t process_id, bool terminate) {
  txn::Backend* const target =
      process_id > 0 ? database_.find_backend(static_cast<std::uint32_t>(process_id)) : nullptr;
  if (target == nullptr) {
    session_.warn(sqlstate::warning, fmt::format("PID {} is not a PostgreSQL backend process", process_id));
    return Value::boolean(false);
  }
  if (terminate) {
    target->request_termination();
  } else {
    target->request_cancel();
  }
  backend_.check_interrupts();  // it may have meant itself
  return Value::boolean(true);
}

Value LocalServices::cancel_backend(const FunctionCall& call) { return signal(call[0].as_integer(), false); }
Value LocalServices::terminate_backend(const FunctionCall& call) { return signal(call[0].as_integer(), true); }

Value LocalServices::blocking_pids(const FunctionCall& call) {
  std::vector<Value> pids;
  const std::int64_t asked = call[0].as_integer();
  const txn::Backend* const backend = asked > 0 ? database_.find_backend(static_cast<std::uint32_t>(asked)) : nullptr;
  if (backend != nullptr) {
    for (const std::uint32_t pid : database_.locks().blockers(*backend)) pids.push_back(Value::integer(pid));
  }
  return Value::array(Array(TypeId::int4, std::move(pids)));
}

Value LocalServices::is_in_recovery(const FunctionCall&) { return Value::boolean(false); }

}  // namespace polarsim::engine
