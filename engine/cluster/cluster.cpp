#include "engine/cluster/cluster.h"

#include <map>
#include <optional>
#include <utility>

#include "engine/cluster/coordinator.h"
#include "engine/cluster/coordinator_session.h"
#include "engine/cluster/deadlocks.h"
#include "engine/cluster/observer.h"
#include "engine/cluster/recovery.h"
#include "engine/node/database.h"
#include "engine/node/instance.h"
#include "engine/node/session_services.h"
#include "engine/node/statement_cache.h"
#include "engine/pgwire/client.h"
#include "engine/pgwire/connection_options.h"
#include "engine/pgwire/server.h"
#include "engine/txn/observer.h"

namespace polarsim::engine {

namespace {

constexpr std::size_t cached_statements = 4096;
constexpr std::size_t cached_first_statements = 100;
constexpr sim::Duration readiness_poll{20'000'000};

}  // namespace

// Shared with the hosts' programs, which may outlive the Cluster object.
struct Cluster::Implementation {
  // What runs on a node while it is up; pointers into its program's stack.
  struct Live {
    Instance* instance = nullptr;
    cluster::Coordinator* coordinator = nullptr;
  };
  class Presence;

  sim::Simulation& simulation;
  ClusterConfig config;
  std::vector<std::string> coordinators;
  std::vector<std::string> data_nodes;
  std::map<std::string, Live> live;
  ClusterObserver* observer = nullptr;
  // initdb says the same on every node: parsed once.
  syntax::StatementCache first_statements;

  Implementation(sim::Simulation& in, const ClusterConfig& with)
      : simulation(in), config(with), first_statements(make_statement_cache(in.scheduler(), cached_first_statements)) {
    for (const cluster::NodeInfo& node : cluster::initial_nodes(config)) {
      (node.holds_shards ? data_nodes : coordinators).push_back(node.name);
    }
  }
  std::vector<std::string> node_names() const {
    std::vector<std::string> names = coordinators;
    names.insert(names.end(), data_nodes.begin(), data_nodes.end());
    return names;
  }
  void run_node(sim::Host& host, bool is_coordinator);
  void serve_data_node(sim::Host& host, Instance& instance, syntax::StatementCache& statements);
  void serve_coordinator(sim::Host& host, Instance& instance, syntax::StatementCache& statements);
};

// Enters a node into the books for as long as its program runs.
class Cluster::Implementation::Presence {
 public:
  Presence(Implementation& cluster, const std::string& node, Live live) : cluster_(cluster), node_(node) {
    cluster_.live[node_] = live;
  }
  ~Presence() { cluster_.live.erase(node_); }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  Implementation& cluster_;
  std::string node_;
};

namespace {

// Tells the cluster's observer what one node tells, for as long as the node runs.
class NodeObserver final : public txn::TransactionObserver {
 public:
  NodeObserver(ClusterObserver& observer, const std::string& node) : observer_(observer), node_(node) {}
  void snapshot_taken(std::uint32_t process_id) override { observer_.snapshot_taken(node_, process_id); }
  void identified(storage::Xid xid, std::uint32_t process_id) override {
    observer_.branch_begun(node_, xid, process_id);
  }
  void prepared(storage::Xid xid, const std::string& gid) override { observer_.branch_prepared(node_, xid, gid); }
  void ended(storage::Xid xid, bool committed) override { observer_.branch_ended(node_, xid, committed); }

 private:
  ClusterObserver& observer_;
  std::string node_;
};

// initdb: the system tables, all or none of them.
void bootstrap(Instance& instance, syntax::StatementCache& statements, const ClusterConfig& config) {
  if (instance.database().catalog().find_table(nullptr, "pg_catalog", "pg_dist_node") != nullptr) return;
  const std::unique_ptr<Session> session = instance.connect();
  cluster::run_sql(*session, statements, "SET allow_system_table_mods = on");
  cluster::run_sql(*session, statements, "BEGIN");
  for (const std::string& statement : cluster::bootstrap_statements(config))
    cluster::run_sql(*session, statements, statement);
  cluster::run_sql(*session, statements, "COMMIT");
  session->close();
}

// There is one role and one database. As in PostgreSQL, a database that is not named has the user's name.
void check_request(const pgwire::SessionRequest& request) {
  if (request.user != role_name) throw SqlError("28000", "role \"" + request.user + "\" does not exist");
  const std::string& database = request.database.empty() ? request.user : request.database;
  if (database != database_name) throw SqlError("3D000", "database \"" + database + "\" does not exist");
}

bool is_from_coordinator(const pgwire::SessionRequest& request) {
  return request.application_name == cluster::Executor::application_name;
}

std::unique_ptr<LocalSession> connect_locally(Instance& instance, const pgwire::SessionRequest& request) {
  std::unique_ptr<LocalSession> session = instance.connect();
  session->set_trusted(is_from_coordinator(request));
  return session;
}

}  // namespace

void Cluster::Implementation::run_node(sim::Host& host, bool is_coordinator) {
  std::optional<NodeObserver> told;  // it outlives what it is told by
  std::unique_ptr<Instance> instance;
  std::string damage;
  try {
    instance = Instance::open(host, config.node);
  } catch (const SqlError& error) {
    damage = error.what();
  }
  if (instance == nullptr) simulation.violate("storage-damaged", host.name() + ": " + damage);
  if (observer != nullptr) {
    txn::TransactionManager& transactions = instance->database().transactions();
    observer->node_opened(host.name(), [&transactions](storage::Xid xid) { return transactions.status(xid); });
    transactions.set_observer(&told.emplace(*observer, host.name()));
  }
  syntax::StatementCache statements = make_statement_cache(host.scheduler(), cached_statements);
  bootstrap(*instance, first_statements, config);
  if (is_coordinator) {
    serve_coordinator(host, *instance, statements);
  } else {
    serve_data_node(host, *instance, statements);
  }
}

void Cluster::Implementation::serve_data_node(sim::Host& host, Instance& instance, syntax::StatementCache& statements) {
  const Presence presence(*this, host.name(), Live{&instance, nullptr});
  const auto factory = [&instance](const pgwire::SessionRequest& request) {
    check_request(request);
    return connect_locally(instance, request);
  };
  pgwire::serve(host, config.node, default_port, factory, statements);
}

void Cluster::Implementation::serve_coordinator(sim::Host& host, Instance& instance,
                                                syntax::StatementCache& statements) {
  cluster::Coordinator coordinator(host, instance, config, statements);
  coordinator.set_observer(observer);
  const Presence presence(*this, host.name(), Live{&instance, &coordinator});
  host.spawn(host.name() + "/deadlock-detection", [&coordinator] { cluster::run_deadlock_daemon(coordinator); });
  host.spawn(host.name() + "/2pc-recovery", [&coordinator] { cluster::run_recovery_daemon(coordinator); });
  const auto factory = [&coordinator](const pgwire::SessionRequest& request) -> std::unique_ptr<Session> {
    check_request(request);
    // What another coordinator sends concerns this node's own tables.
    if (is_from_coordinator(request)) return connect_locally(coordinator.instance(), request);
    return std::make_unique<cluster::CoordinatorSession>(coordinator, request.process_id);
  };
  pgwire::serve(host, config.node, default_port, factory, statements);
}

Cluster::Cluster(sim::Simulation& simulation, const ClusterConfig& config)
    : impl_(std::make_shared<Implementation>(simulation, config)) {
  const auto add = [this](const std::string& name, bool is_coordinator) {
    impl_->simulation.add_host(name).set_program(
        [implementation = impl_, is_coordinator](sim::Host& host) { implementation->run_node(host, is_coordinator); });
  };
  for (const std::string& name : impl_->coordinators) add(name, true);
  for (const std::string& name : impl_->data_nodes) add(name, false);
}

Cluster::~Cluster() = default;

const ClusterConfig& Cluster::config() const { return impl_->config; }
std::vector<std::string> Cluster::coordinator_names() const { return impl_->coordinators; }
std::vector<std::string> Cluster::data_node_names() const { return impl_->data_nodes; }
std::vector<std::string> Cluster::node_names() const { return impl_->node_names(); }

void Cluster::boot_all() {
  for (const std::string& name : node_names()) impl_->simulation.host(name).boot();
}

bool Cluster::wait_until_ready(sim::Host& from, sim::Time deadline) {
  sim::Simulation& simulation = impl_->simulation;
  pgwire::ClientOptions options;
  options.connection = pgwire::connection_options(impl_->config.node);
  for (const std::string& name : node_names()) {
    while (true) {
      if (simulation.now() >= deadline) return false;
      auto client = pgwire::Client::connect(from, sim::Address{name, default_port}, options);
      if (client && client->simple_query("SELECT 1", deadline)) {
        client->close();
        break;
      }
      simulation.scheduler().sleep_for(readiness_poll);
    }
  }
  return true;
}

std::vector<PreparedTransactionInfo> Cluster::prepared_transactions() const {
  std::vector<PreparedTransactionInfo> result;
  for (const std::string& name : node_names()) {
    const auto found = impl_->live.find(name);
    if (found == impl_->live.end()) continue;
    for (std::string& gid : found->second.instance->prepared_gids())
      result.push_back(PreparedTransactionInfo{name, std::move(gid)});
  }
  return result;
}

std::string Cluster::inspect(const std::string& node, const InspectRequest& request) const {
  const auto found = impl_->live.find(node);
  if (found == impl_->live.end()) return inspect_disk(impl_->simulation.host(node), request);
  return engine::inspect(found->second.instance->database(), request);
}

void Cluster::observe(ClusterObserver* observer) { impl_->observer = observer; }

bool Cluster::has_open_distributed_transactions() const {
  for (const std::string& name : node_names()) {
    const auto found = impl_->live.find(name);
    if (found == impl_->live.end()) return true;  // it may have prepared transactions on its disk
    const Implementation::Live& node = found->second;
    if (node.coordinator != nullptr && !node.coordinator->active_transactions().empty()) return true;
    for (const std::string& gid : node.instance->prepared_gids()) {
      if (cluster::Gid::parse(gid)) return true;
    }
  }
  return false;
}

}  // namespace polarsim::engine
