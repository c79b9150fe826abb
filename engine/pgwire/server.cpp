#include "engine/pgwire/server.h"

#include "engine/pgwire/backend.h"

namespace polarsim::engine::pgwire {

namespace {

constexpr std::uint32_t process_ids_per_boot = 1'000'000;

// Counts a connection for as long as its task lives.
struct Slot {
  int& used;
  explicit Slot(int& counter) : used(counter) { ++used; }
  ~Slot() { --used; }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
};

}  // namespace

void serve(sim::Host& host, const NodeConfig& config, std::uint16_t port, const SessionFactory& factory,
           syntax::StatementCache& cache) {
  auto listener = host.listen(port);
  if (!listener)
    throw SqlError(sqlstate::io_error,
                   "could not bind port " + std::to_string(port) + ": " + to_string(listener.error()));
  std::uint32_t connections = 0;
  const auto used = std::make_shared<int>(0);
  const auto keys = std::make_shared<CancelKeys>();
  while (true) {
    auto accepted = listener->accept();
    if (!accepted) return;
    ++connections;
    const auto process_id = static_cast<std::uint32_t>(host.incarnation()) * process_ids_per_boot + connections;
    // std::function must be copyable and a connection is not.
    auto connection = std::make_shared<sim::Connection>(std::move(*accepted));
    host.spawn("backend " + std::to_string(process_id),
               [&host, &config, &factory, &cache, used, keys, connection, process_id] {
                 const Slot slot(*used);
                 Backend backend(host, std::move(*connection), process_id, cache, *keys);
                 if (!backend.start(factory, *used > config.max_connections)) return;
                 backend.run();
               });
  }
}

}  // namespace polarsim::engine::pgwire
