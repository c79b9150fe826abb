// A node with one session, and a cluster with one client, for the benchmarks of statements.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/node/instance.h"
#include "engine/pgwire/client.h"
#include "engine/syntax/statement_cache.h"
#include "sim/host.h"

namespace polarsim::scenarios::cli {

// A session of a node, whose texts are parsed once, as a connection's are.
class BenchSession {
 public:
  BenchSession(sim::Host& host, engine::Instance& instance);
  engine::QueryResult execute(const std::string& text, const std::vector<engine::Value>& parameters = {});
  // The only value of the only row, as text.
  std::string value(const std::string& text);
  // The whole of a COPY ... FROM STDIN.
  void copy_in(const std::string& text, engine::CopySource& source);
  engine::LocalSession& session() { return *session_; }

 private:
  engine::syntax::StatementCache cache_;
  std::unique_ptr<engine::LocalSession> session_;
};

// Boots a node on a simulated machine and gives it to `body`. What `body` throws comes out.
// `shared_buffers` counts pages of 8 KiB; the default is PostgreSQL's 128 MiB, into which the tables here fit.
constexpr std::uint32_t postgres_buffers = 16384;
void with_bench_node(const std::function<void(sim::Host&, engine::Instance&)>& body,
                     std::uint32_t shared_buffers = postgres_buffers);
// The same with a coordinator and two data nodes, and a connection to the former.
void with_bench_cluster(const std::function<void(engine::pgwire::Client&)>& body);

}  // namespace polarsim::scenarios::cli
