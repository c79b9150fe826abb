#include "engine/node/instance.h"

#include <utility>

#include "engine/legacy/exec/system_views.h"
#include "engine/node/local_instance.h"
#include "engine/legacy/node/local_session.h"
#include "engine/legacy/txn/database.h"

namespace polarsim::engine {

namespace {

class LocalInstance : public Instance {
 public:
  LocalInstance(sim::Host& host, const NodeConfig& config, const storage::WalOptions& wal_options)
      : config_(config), database_(host, config_, wal_options) {}

  std::unique_ptr<Session> connect() override { return std::make_unique<legacy::LocalSession>(database_, ++last_process_id_); }

  const TableDefinition* find_table(std::string_view schema, std::string_view name) const override {
    if (const legacy::exec::SystemView* view = legacy::exec::find_system_view(schema, name)) return &view->definition;
    const legacy::TableEntry* entry = database_.find_table(nullptr, schema, name);
    return entry == nullptr ? nullptr : &entry->definition;
  }

  std::uint64_t table_version(std::string_view schema, std::string_view name) const override {
    return database_.catalog().version(schema, name);
  }

  std::vector<std::string> prepared_gids() const override {
    std::vector<std::string> gids;
    for (legacy::PreparedInfo& info : database_.prepared()) gids.push_back(std::move(info.gid));
    return gids;
  }

  sim::Host& host() const override { return database_.host(); }
  const NodeConfig& config() const override { return config_; }

 private:
  const NodeConfig config_;
  legacy::Database database_;
  std::uint32_t last_process_id_ = 0;
};

}  // namespace

std::unique_ptr<Instance> Instance::open(sim::Host& host, const NodeConfig& config) {
  return open_local_instance(host, config, storage::WalOptions{});
}

std::unique_ptr<Instance> open_local_instance(sim::Host& host, const NodeConfig& config,
                                              const storage::WalOptions& wal_options) {
  return std::make_unique<LocalInstance>(host, config, wal_options);
}

}  // namespace polarsim::engine
