#include "engine/node/instance.h"

#include <utility>

#include "engine/node/database.h"
#include "engine/node/local_session.h"

namespace polarsim::engine {

namespace {

class LocalInstance : public Instance {
 public:
  LocalInstance(sim::Host& host, const NodeConfig& config)
      : config_(config), database_(host, config_), common_(database_) {}

  std::unique_ptr<LocalSession> connect() override { return std::make_unique<LocalSession>(database_, common_); }
  void set_default(std::string_view name, std::string_view value) override {
    auto changed = std::make_shared<Settings>(*common_.settings);
    changed->set_default(name, value);
    common_.settings = std::move(changed);
  }

  std::uint64_t table_version(std::string_view schema, std::string_view name) const override {
    return database_.catalog().version(schema, name);
  }

  std::vector<std::string> prepared_gids() const override {
    std::vector<std::string> gids;
    for (txn::PreparedInfo& info : database_.transactions().prepared()) gids.push_back(std::move(info.gid));
    return gids;
  }

  Database& database() override { return database_; }
  sim::Host& host() const override { return database_.host(); }
  const NodeConfig& config() const override { return config_; }

 private:
  const NodeConfig config_;
  Database database_;
  CommonCaches common_;
};

}  // namespace

std::unique_ptr<Instance> Instance::open(sim::Host& host, const NodeConfig& config) {
  return std::make_unique<LocalInstance>(host, config);
}

}  // namespace polarsim::engine
