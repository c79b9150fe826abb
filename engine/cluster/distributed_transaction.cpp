#include "engine/cluster/distributed_transaction.h"

#include <utility>

#include "engine/types/quote.h"

namespace polarsim::engine::cluster {

namespace {

constexpr const char* transaction_rollback = "40000";
constexpr const char* resolution_unknown = "08007";

SqlError lost_before_decision(const NodeInfo& node, const ErrorFields& cause) {
  SqlError error = remote_error(node, cause);
  return SqlError(transaction_rollback, error.fields().message, error.fields().detail, error.fields().hint);
}

SqlError locks_lost(const NodeInfo& node, const pgwire::ClientResult& answer) {
  if (!answer) return lost_before_decision(node, answer.error());
  return SqlError(transaction_rollback, "the row locks held on " + node.address().text() + " were lost");
}

ErrorFields failed_to_commit(const NodeInfo& node, const ErrorFields& cause) {
  return ErrorFields{"01000", "failed to commit transaction on " + node.address().text(), cause.message, "", "", 0};
}

void require_success(const std::vector<RemoteConnection*>& connections,
                     const std::vector<pgwire::ClientResult>& answers) {
  for (std::size_t i = 0; i < connections.size(); ++i) {
    if (!answers[i]) throw remote_error(connections[i]->node, answers[i].error());
  }
}

}  // namespace

bool outcome_unknown(const std::string& state) {
  // Class 58 and XX: the node has failed while it committed, and cannot say how far it came.
  return state.starts_with("08") || state.starts_with("57P0") || state.starts_with("58") || state.starts_with("XX");
}

void DistributedTransaction::run_local(const std::string& sql, std::span<const Value> parameters) {
  run_sql(local_, coordinator_.statements(), sql, parameters);
}

void DistributedTransaction::enter_local_block(const std::string& begin) {
  if (local_open_) return;
  run_local(begin);
  local_open_ = true;
}

void DistributedTransaction::tell_all(const std::string& text) {
  const Connections connections = executor_.in_block();
  const auto answers = ask(connections, std::vector<std::string>(connections.size(), text));
  for (RemoteConnection* connection : connections) connection->forget_time_zone();
  if (local_open_) run_local(text);
  require_success(connections, answers);
}

void DistributedTransaction::tell_nodes(const std::string& text) {
  const Connections connections = executor_.in_block();
  require_success(connections, ask(connections, std::vector<std::string>(connections.size(), text)));
}

void DistributedTransaction::check_fault_point(const char* name) {
  if (coordinator_.host().fault_point(name) == sim::FaultOutcome::fail) {
    throw SqlError(transaction_rollback, std::string("the transaction was failed at ") + name);
  }
}

void DistributedTransaction::forget_block(RemoteConnection& connection) {
  connection.in_block = false;
  connection.wrote = false;
  connection.locked = false;
  connection.forget_time_zone();
  if (!connection.client.usable()) executor_.drop(connection);
}

void DistributedTransaction::release(Participant& participant) {
  if (participant.connection != nullptr) forget_block(*participant.connection);
  participant.connection = nullptr;
}

std::vector<pgwire::ClientResult> DistributedTransaction::ask(const Connections& connections,
                                                              const std::vector<std::string>& texts) {
  std::vector<tl::expected<void, ErrorFields>> sent;
  for (std::size_t i = 0; i < connections.size(); ++i) sent.push_back(connections[i]->client.send_query(texts[i]));
  std::vector<pgwire::ClientResult> answers;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    if (sent[i]) {
      answers.push_back(connections[i]->client.receive_result());
    } else {
      answers.push_back(tl::unexpected(sent[i].error()));
    }
  }
  return answers;
}

// --- the end of a transaction ---

std::vector<ErrorFields> DistributedTransaction::commit() {
  Connections writers;
  Connections readers;
  for (RemoteConnection* connection : executor_.in_block())
    (connection->wrote ? writers : readers).push_back(connection);
  std::vector<ErrorFields> warnings;
  const bool local_wrote = local_open_ && local_.has_written();
  try {
    if (writers.size() + (local_wrote ? 1 : 0) > 1) {
      warnings = commit_two_phase(writers, readers);
    } else {
      if (writers.empty() && !local_wrote) {
        commit_readers(readers);
        if (local_open_) commit_locally();
      } else {
        verify_locks(readers);
        if (writers.empty()) {
          commit_locally();
        } else {
          commit_one_phase(*writers.front());
          finish_local_block();
        }
        finish_readers(readers);
      }
    }
  } catch (const SqlError&) {
    rollback();
    throw;
  }
  local_open_ = false;
  return warnings;
}

void DistributedTransaction::rollback() {
  const Connections connections = executor_.in_block();
  ask(connections, std::vector<std::string>(connections.size(), "ROLLBACK"));
  for (RemoteConnection* connection : connections) forget_block(*connection);
  if (local_open_ && local_.status() != TransactionStatus::idle) run_local("ROLLBACK");
  local_open_ = false;
}

void DistributedTransaction::verify_locks(const Connections& readers) {
  Connections holders;
  for (RemoteConnection* connection : readers) {
    if (connection->locked) holders.push_back(connection);
  }
  const auto answers = ask(holders, std::vector<std::string>(holders.size(), "SELECT 1"));
  for (std::size_t i = 0; i < holders.size(); ++i) {
    if (answers[i] && holders[i]->client.status() == TransactionStatus::in_transaction) continue;
    coordinator_.host().reached("commit/locks-lost");
    throw locks_lost(holders[i]->node, answers[i]);
  }
}

void DistributedTransaction::commit_readers(const Connections& readers) {
  const auto answers = ask(readers, std::vector<std::string>(readers.size(), "COMMIT"));
  std::optional<SqlError> failure;
  for (std::size_t i = 0; i < readers.size(); ++i) {
    // A reader without locks has nothing to lose: its failure is not the transaction's.
    if (readers[i]->locked && !failure && !(answers[i] && answers[i]->tag == "COMMIT")) {
      coordinator_.host().reached("commit/locks-lost");
      failure = locks_lost(readers[i]->node, answers[i]);
    }
    forget_block(*readers[i]);
  }
  if (failure) throw SqlError(*failure);
}

void DistributedTransaction::finish_local_block() {
  if (!local_open_) return;
  // The local block has only been read from, but settings made in it are to stay. Its end must not turn a success into
  // an error.
  try {
    run_local("COMMIT");
  } catch (const SqlError& error) {
    coordinator_.host().log("the end of a local block after its decision: " + error.fields().message);
    if (local_.status() != TransactionStatus::idle) run_local("ROLLBACK");
  }
}

void DistributedTransaction::finish_readers(const Connections& readers) {
  ask(readers, std::vector<std::string>(readers.size(), "COMMIT"));
  for (RemoteConnection* connection : readers) forget_block(*connection);
}

void DistributedTransaction::commit_one_phase(RemoteConnection& writer) {
  check_fault_point("1pc/before-commit");
  if (!writer.client.peer_is_there()) {
    throw lost_before_decision(writer.node,
                               ErrorFields{sqlstate::connection_failure, "the node has left", "", "", "", 0});
  }
  const auto answer = writer.client.simple_query("COMMIT");
  const NodeInfo node = writer.node;
  if (!answer) {
    const ErrorFields fields = answer.error();
    forget_block(writer);
    if (!outcome_unknown(fields.sqlstate)) throw remote_error(node, fields);
    coordinator_.host().reached("1pc/outcome-unknown");
    throw SqlError(resolution_unknown, "the outcome of the transaction on " + node.address().text() + " is unknown",
                   connection_failure_text(node, fields.message));
  }
  forget_block(writer);
  if (answer->tag != "COMMIT")
    throw SqlError(transaction_rollback, "could not commit transaction on " + node.address().text());
  coordinator_.host().reached("1pc/committed");
}

void DistributedTransaction::commit_locally() {
  try {
    const QueryResult result = run_sql(local_, coordinator_.statements(), "COMMIT");
    if (result.tag == "COMMIT") return;
  } catch (const SqlError& error) {
    if (!outcome_unknown(error.sqlstate())) throw;
    coordinator_.host().reached("commit/local-outcome-unknown");
    throw SqlError(resolution_unknown, "the outcome of the transaction is unknown", error.fields().message);
  }
  throw SqlError(transaction_rollback, "could not commit transaction on " + coordinator_.host().name());
}

// --- two-phase commit ---

namespace {

struct KeptLocks {
  LocalSession& session;
  explicit KeptLocks(LocalSession& of) : session(of) { session.keep_relation_locks(); }
  ~KeptLocks() { session.release_kept_locks(); }
  KeptLocks(const KeptLocks&) = delete;
  KeptLocks& operator=(const KeptLocks&) = delete;
};

}  // namespace

void DistributedTransaction::write_commit_records(const std::vector<Participant>& participants) {
  enter_local_block();
  std::string sql = "INSERT INTO pg_catalog.pg_dist_transaction (groupid, gid) VALUES ";
  std::vector<Value> parameters;
  for (const Participant& participant : participants) {
    if (!parameters.empty()) sql += ", ";
    sql += "($" + std::to_string(parameters.size() + 1) + ", $" + std::to_string(parameters.size() + 2) + ")";
    parameters.push_back(Value::text(std::to_string(participant.connection->node.group_id)));
    parameters.push_back(Value::text(participant.gid));
  }
  struct Trust {
    LocalSession& session;
    explicit Trust(LocalSession& to) : session(to) { session.set_trusted(true); }
    ~Trust() { session.set_trusted(false); }
  };
  const Trust trust(local_);
  run_local(sql, parameters);
}

std::optional<SqlError> DistributedTransaction::prepare(std::vector<Participant>& participants) {
  Connections connections;
  std::vector<std::string> texts;
  for (const Participant& participant : participants) {
    connections.push_back(participant.connection);
    texts.push_back("PREPARE TRANSACTION " + quote_literal(participant.gid));
  }
  const auto answers = ask(connections, texts);
  std::optional<SqlError> failure;
  for (std::size_t i = 0; i < participants.size(); ++i) {
    const NodeInfo& node = participants[i].connection->node;
    if (answers[i] && answers[i]->tag == "PREPARE TRANSACTION") {
      participants[i].prepared = true;
      participants[i].connection->in_block = false;
    } else if (failure) {
      continue;
    } else if (answers[i]) {
      failure = SqlError(transaction_rollback, "could not prepare transaction on " + node.address().text());
    } else if (outcome_unknown(answers[i].error().sqlstate)) {
      // The node may have prepared or not; without a commit record recovery rolls it back in either case.
      coordinator_.host().reached("2pc/prepare-answer-lost");
      failure = lost_before_decision(node, answers[i].error());
    } else {
      failure = remote_error(node, answers[i].error());
    }
  }
  return failure;
}

void DistributedTransaction::rollback_prepared(std::vector<Participant>& participants) {
  Connections connections;
  std::vector<std::string> texts;
  for (const Participant& participant : participants) {
    if (!participant.prepared || participant.connection == nullptr) continue;
    connections.push_back(participant.connection);
    texts.push_back("ROLLBACK PREPARED " + quote_literal(participant.gid));
  }
  ask(connections, texts);
  // Answers do not matter: what is left behind is for recovery to roll back.
  for (Participant& participant : participants) {
    if (participant.prepared) release(participant);
  }
}

std::vector<ErrorFields> DistributedTransaction::commit_prepared(std::vector<Participant>& participants) {
  std::vector<Participant*> data_nodes;
  std::vector<Participant*> coordinators;
  for (Participant& participant : participants)
    (participant.connection->node.holds_shards ? data_nodes : coordinators).push_back(&participant);
  std::vector<ErrorFields> warnings;
  // Shards first, then what leads to them.
  bool first = true;
  for (const std::vector<Participant*>& some : {data_nodes, coordinators}) {
    std::vector<tl::expected<void, ErrorFields>> sent;
    for (const Participant* participant : some)
      sent.push_back(participant->connection->client.send_query("COMMIT PREPARED " + quote_literal(participant->gid)));
    for (std::size_t i = 0; i < some.size(); ++i) {
      RemoteConnection& connection = *some[i]->connection;
      pgwire::ClientResult answer = sent[i] ? connection.client.receive_result() : tl::unexpected(sent[i].error());
      if (!answer) {
        coordinator_.host().reached("2pc/commit-prepared-failed");
        warnings.push_back(failed_to_commit(connection.node, answer.error()));
      }
      release(*some[i]);
      if (std::exchange(first, false)) coordinator_.host().fault_point("2pc/after-first-commit-prepared");
    }
  }
  return warnings;
}

std::vector<ErrorFields> DistributedTransaction::commit_two_phase(const Connections& writers,
                                                                  const Connections& readers) {
  sim::Host& host = coordinator_.host();
  const ActiveTransaction active(coordinator_, process_id_);
  std::vector<Participant> participants;
  for (RemoteConnection* writer : writers) {
    participants.push_back(Participant{writer, Gid{coordinator_.group_id(), active.id(), writer->number}.text()});
  }
  check_fault_point("2pc/before-prepare");
  write_commit_records(participants);
  try {
    if (const auto failure = prepare(participants)) throw SqlError(*failure);
    host.reached("2pc/prepared");
    check_fault_point("2pc/after-prepare");
    check_fault_point("2pc/before-commit-record");
    verify_locks(readers);
  } catch (const SqlError&) {
    host.reached("2pc/aborted-after-prepare");
    rollback_prepared(participants);
    throw;
  }
  // Who waits for a definition here goes on to the nodes' shards: they have to be there, or gone, by then.
  const KeptLocks kept(local_);
  std::vector<ErrorFields> warnings;
  const bool premature = coordinator_.config().node.planted.on(PlantedBug::two_pc_commit_prepared_before_local_commit);
  if (premature) warnings = commit_prepared(participants);
  try {
    commit_locally();
  } catch (const SqlError& error) {
    // If the record may be durable, only recovery, which reads what is there, may decide now.
    if (outcome_unknown(error.sqlstate())) {
      for (Participant& participant : participants) release(participant);
    } else {
      rollback_prepared(participants);
    }
    throw;
  }
  // From here on the transaction is committed, whatever happens.
  local_open_ = false;
  if (host.fault_point("2pc/after-commit-record") == sim::FaultOutcome::fail) {
    for (Participant& participant : participants) {
      if (participant.connection == nullptr) continue;  // it has had its decision, too early
      warnings.push_back(
          failed_to_commit(participant.connection->node, ErrorFields{"", "the decision was not sent", "", "", "", 0}));
      release(participant);
    }
  } else if (!premature) {
    warnings = commit_prepared(participants);
  }
  finish_readers(readers);
  host.fault_point("2pc/after-commit-prepared");
  host.reached("2pc/committed");
  return warnings;
}

}  // namespace polarsim::engine::cluster
