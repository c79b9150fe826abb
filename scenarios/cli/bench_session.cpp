#include "scenarios/cli/bench_session.h"

#include <stdexcept>
#include <utility>

#include "engine/cluster/cluster.h"
#include "engine/node/statement_cache.h"
#include "engine/types/text_form.h"
#include "scenarios/cli/bench_store.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::cli {

namespace {

class OneSource final : public engine::CopyStream {
 public:
  explicit OneSource(engine::CopySource& source) : source_(source) {}
  engine::CopySource& start_in(std::size_t /*columns*/, bool /*binary*/) override { return source_; }
  engine::CopySink& start_out(std::size_t /*columns*/, bool /*binary*/) override {
    throw std::logic_error("bench: nobody reads what COPY writes");
  }

 private:
  engine::CopySource& source_;
};

}  // namespace

BenchSession::BenchSession(sim::Host& host, engine::Instance& instance)
    : cache_(engine::make_statement_cache(host.scheduler(), 100)), session_(instance.connect()) {}

engine::QueryResult BenchSession::execute(const std::string& text, const std::vector<engine::Value>& parameters) {
  engine::QueryResult result;
  for (const engine::syntax::StatementPtr& statement : cache_.parse(text))
    result = session_->execute({statement, text, parameters});
  return result;
}

std::string BenchSession::value(const std::string& text) {
  const engine::QueryResult result = execute(text);
  return engine::output_value(result.rows.at(0).at(0), result.columns.at(0).type.id, {});
}

void BenchSession::copy_in(const std::string& text, engine::CopySource& source) {
  OneSource stream(source);
  session_->set_copy_stream(&stream);
  execute(text);
  session_->set_copy_stream(nullptr);
}

void with_bench_node(const std::function<void(sim::Host&, engine::Instance&)>& body, std::uint32_t shared_buffers) {
  BenchMachine().run([&](sim::Host& host) {
    engine::NodeConfig config;
    config.shared_buffers = shared_buffers;
    const std::unique_ptr<engine::Instance> instance = engine::Instance::open(host, config);
    body(host, *instance);
  });
}

void with_bench_cluster(const std::function<void(engine::pgwire::Client&)>& body) {
  sim::Simulation simulation(sim::SimulationOptions{});
  engine::ClusterConfig config;
  engine::Cluster cluster(simulation, config);
  sim::Host& host = simulation.add_host("client");
  host.set_program([&](sim::Host& client_host) {
    if (!cluster.wait_until_ready(client_host, simulation.now() + sim::Duration(60'000'000'000)))
      throw std::logic_error("bench: the cluster does not come up");
    auto client = engine::pgwire::Client::connect(client_host, {"cn1", engine::default_port});
    if (!client) throw engine::SqlError(std::move(client.error()));
    body(*client);
    simulation.scheduler().stop();
  });
  cluster.boot_all();
  host.boot();
  simulation.run();
}

}  // namespace polarsim::scenarios::cli
