// What functions ask of the local session that runs their statement (types/function.h): sequences, advisory locks,
// transactions, settings, names and definitions of objects, chance.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/sequence.h"
#include "engine/node/database.h"
#include "engine/node/intermediate_results.h"
#include "engine/plan/explain.h"
#include "engine/types/function.h"
#include "engine/types/random.h"

namespace polarsim::engine {

// The only role and database there are.
inline constexpr const char* role_name = "polar";
inline constexpr const char* database_name = "postgres";

class LocalServices final : public SessionServices {
 public:
  // What the session itself knows.
  struct Session {
    std::function<txn::Transaction*()> transaction;             // the open one; null if none is
    std::function<std::vector<std::string>()> search_path;      // schemas that exist
    std::function<std::string(std::string_view name)> setting;  // throws 42704
    std::function<void(std::string_view name, std::string_view value, bool local)> set;
    std::function<void(const char* what)> refuse_if_read_only;
    std::function<void(const char* sqlstate, std::string message)> warn;
    std::function<std::string()> query;  // current_query()
    std::function<bool(std::uint32_t relation)> is_shard;
    IntermediateResults* results = nullptr;
    std::function<void(const plan::ExplainOptions& options)> measure_next_query;
    std::function<void(bool begin)> run_in_parts;     // the parts of one statement begin, or end
    std::function<std::string()> last_measured_plan;  // its lines
  };
  LocalServices(Database& database, txn::Backend& backend, catalog::SequenceMemory& sequences, Session session);

  Value call(const FunctionEntry& function, const FunctionCall& call) override;
  std::unique_ptr<FunctionRows> rows(const FunctionEntry& function, const FunctionCall& call) override;
  RandomSequence& random_sequence() override;
  std::uint64_t random_bits() override;
  std::string object_name(TypeId type, std::uint32_t oid) override;
  std::uint32_t object_number(TypeId type, std::string_view name) override;

 private:
  using Handler = Value (LocalServices::*)(const FunctionCall& call);
  static Handler find_handler(std::string_view name);

  Value store_intermediate_result(const FunctionCall& call);
  Value measure_next_query(const FunctionCall& call);
  Value last_measured_plan(const FunctionCall& call);
  Value run_in_parts(const FunctionCall& call);

  // Sequences (session_services_sequences.cpp).
  Value nextval(const FunctionCall& call);
  Value currval(const FunctionCall& call);
  Value setval(const FunctionCall& call);
  Value lastval(const FunctionCall& call);
  Value sequence_last_value(const FunctionCall& call);
  Value serial_sequence(const FunctionCall& call);

  // Advisory locks, transactions, other sessions (session_services.cpp).
  Value advisory(const FunctionCall& call);
  Value advisory_unlock_all(const FunctionCall& call);
  Value current_xid(const FunctionCall& call);
  Value current_xid_if_assigned(const FunctionCall& call);
  Value transaction_status(const FunctionCall& call);
  Value sleep(const FunctionCall& call);
  Value sleep_for(const FunctionCall& call);
  Value sleep_until(const FunctionCall& call);
  Value backend_pid(const FunctionCall& call);
  Value cancel_backend(const FunctionCall& call);
  Value terminate_backend(const FunctionCall& call);
  Value blocking_pids(const FunctionCall& call);
  Value is_in_recovery(const FunctionCall& call);
  Value full_xid(bool assign);
  Value signal(std::int64_t process_id, bool terminate);
  Value sleep_microseconds(double microseconds);

  // Settings, and what is the same for all (session_services_catalog.cpp).
  Value current_setting(const FunctionCall& call);
  Value set_config(const FunctionCall& call);
  Value version(const FunctionCall& call);
  Value current_database(const FunctionCall& call);
  Value current_query(const FunctionCall& call);
  Value encoding(const FunctionCall& call);
  Value current_schema(const FunctionCall& call);
  Value current_schemas(const FunctionCall& call);
  Value current_user(const FunctionCall& call);

  // The catalog (session_services_catalog.cpp).
  Value to_object(const FunctionCall& call);
  Value relation_size(const FunctionCall& call);
  Value relation_filenode(const FunctionCall& call);
  Value database_size(const FunctionCall& call);
  Value is_publishable(const FunctionCall& call);
  Value table_is_visible(const FunctionCall& call);
  Value user_by_id(const FunctionCall& call);
  Value index_definition(const FunctionCall& call);
  Value constraint_definition(const FunctionCall& call);
  Value view_definition(const FunctionCall& call);
  Value expression_definition(const FunctionCall& call);
  Value object_description(const FunctionCall& call);
  Value column_description(const FunctionCall& call);
  Value no_description(const FunctionCall& call);
  Value has_privilege(const FunctionCall& call);
  // While a statement runs there is always one; afterwards, when its rows are written out, there may be none.
  txn::Transaction& transaction() const { return *session_.transaction(); }
  std::optional<catalog::Relation> find_relation(std::int64_t id) const;
  std::optional<catalog::Relation> find_by_name(std::string_view written) const;
  std::string relation_name(std::uint32_t id) const;
  std::uint32_t relation_number(std::string_view name) const;  // throws 42P01, 3F000
  std::uint32_t schema_number(std::string_view name) const;    // 0: there is none
  bool is_visible(const catalog::Relation& relation) const;

  Database& database_;
  txn::Backend& backend_;
  catalog::SequenceMemory& sequences_;
  Session session_;
  std::unique_ptr<RandomSequence> random_;
};

}  // namespace polarsim::engine
