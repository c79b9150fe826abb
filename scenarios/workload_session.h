// One client's connection to the cluster, and how the end of an operation is told.
//
// What an operation's end means (the contract between workloads and checkers):
//  - ok: every statement succeeded and, in an explicit transaction, COMMIT was answered with COMMIT.
//  - fail: it surely has no effect. So is any operation that writes nothing; any explicit transaction that ended before
//  its COMMIT
//    was sent, for whatever reason (the server rolls back what loses its client); and a COMMIT or an autocommitted
//    statement whose error says that the transaction was rolled back (see is_definite_failure).
//  - info: everything else, above all a connection lost or a deadline passed while a COMMIT or an autocommitted write
//  was under way.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenarios/workload.h"

namespace polarsim::scenarios {

// True if a server that answers a COMMIT or an autocommitted statement with this SQLSTATE has surely rolled it back.
bool is_definite_failure(std::string_view sqlstate);

// Thrown by execute() and abandon(); run() turns it into an outcome.
struct OperationFailed {
  engine::ErrorFields error;
};

class WorkloadSession {
 public:
  enum class Mode : std::uint8_t {
    autocommit,   // the body issues exactly one statement
    transaction,  // BEGIN, the body, COMMIT
  };
  struct Outcome {
    checkers::EventType type = checkers::EventType::ok;
    engine::ErrorFields error;  // of fail and info
  };

  // `name` is the client's, e.g. "client/3": the first part of its streams' names.
  WorkloadSession(const WorkloadContext& context, sim::Host& host, std::string name);

  // Makes sure of a usable connection, to a coordinator drawn at random, trying again with growing pauses. False if
  // `stop` said so first.
  bool connect(const std::function<bool()>& stop);
  // To this coordinator, at once; for set-up and final reads. Throws SqlError.
  void connect_to(const std::string& coordinator);
  void disconnect() { client_.reset(); }

  // Runs one operation. It ends within the parameter "operation_deadline_s" plus the few seconds that a rollback may
  // take.
  Outcome run(Mode mode, bool writes, const std::function<void()>& body);
  // For the body. Parameters go as text.
  engine::QueryResult execute(std::string_view sql, std::initializer_list<engine::Value> parameters = {});
  // For the body: gives up the transaction for a reason of the workload's own.
  [[noreturn]] static void abandon(std::string reason);

  // Sends one statement outside of any operation; throws SqlError. For set-up.
  engine::QueryResult command(std::string_view sql, std::initializer_list<engine::Value> parameters = {});

  const std::string& coordinator() const { return coordinator_; }
  // Extra fields for the history: the coordinator, and the error of an operation that is not ok.
  std::vector<std::pair<std::string, std::string>> fields() const;
  std::vector<std::pair<std::string, std::string>> fields(const Outcome& outcome) const;
  sim::RandomStream& random(std::string_view purpose);
  // Null unless a checker asks for what happens in the nodes. What this connection is called there; only when
  // connected.
  TransactionWatch* watch() const { return watch_; }
  std::size_t watched_as() const { return watched_as_; }

 private:
  std::optional<engine::ErrorFields> try_connect(const std::string& coordinator);
  Outcome commit(bool writes);
  void roll_back();

  sim::Simulation& simulation_;
  sim::Host& host_;
  std::string name_;
  std::vector<std::string> coordinators_;
  sim::Duration operation_deadline_;
  std::string coordinator_;
  std::optional<engine::pgwire::Client> client_;
  sim::Time deadline_ = sim::never;
  TransactionWatch* watch_;
  std::size_t watched_as_ = 0;
};

// Parameters that every workload has: clients, pause_ms, operation_deadline_s.
std::vector<ParameterInfo> common_parameters();
// Shorthands for declaring parameters.
ParameterInfo integer_parameter(std::string name, std::int64_t otherwise, std::int64_t minimum, std::int64_t maximum,
                                std::string summary);
ParameterInfo real_parameter(std::string name, double otherwise, std::int64_t minimum, std::int64_t maximum,
                             std::string summary);
ParameterInfo boolean_parameter(std::string name, bool otherwise, std::string summary);
ParameterInfo text_parameter(std::string name, std::string otherwise, std::vector<std::string> choices,
                             std::string summary);

// Sleeps for an exponential pause with the mean of parameter "pause_ms".
void think(const WorkloadContext& context, WorkloadSession& session);

// Runs a read-only operation until it is ok, for final reads; throws SqlError when it has failed too often. Each
// attempt connects anew to `coordinator` if need be: the first statement after faults may meet connections between
// nodes that died unnoticed.
void read_until_ok(WorkloadSession& session, sim::Simulation& simulation, const std::string& coordinator,
                   const std::function<WorkloadSession::Outcome()>& attempt);

}  // namespace polarsim::scenarios
