// The disk against a plain model: after any operations and a power loss, the disk holds something the model allows.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

enum class Kind { write, truncate, sync, create, remove, rename, sync_directory, crash };

struct Operation {
  Kind kind;
  int file, target;
  std::uint64_t offset, length;
};

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  static constexpr const char* names[] = {"write",  "truncate", "sync",           "create",
                                          "remove", "rename",   "sync_directory", "crash"};
  return out << names[static_cast<int>(operation.kind)] << " " << operation.file << " " << operation.target << " "
             << operation.offset << "+" << operation.length;
}

rc::Gen<std::vector<Operation>> operations() {
  const auto kind = rc::gen::weightedElement<Kind>({{12, Kind::write},
                                                    {3, Kind::truncate},
                                                    {3, Kind::sync},
                                                    {3, Kind::create},
                                                    {1, Kind::remove},
                                                    {2, Kind::rename},
                                                    {2, Kind::sync_directory},
                                                    {2, Kind::crash}});
  return rc::gen::container<std::vector<Operation>>(
      rc::gen::map(rc::gen::tuple(kind, rc::gen::inRange(0, 3), rc::gen::inRange(0, 3),
                                  rc::gen::inRange<std::uint64_t>(0, 2500), rc::gen::inRange<std::uint64_t>(1, 1800)),
                   [](const std::tuple<Kind, int, int, std::uint64_t, std::uint64_t>& t) {
                     return Operation{std::get<0>(t), std::get<1>(t), std::get<2>(t), std::get<3>(t), std::get<4>(t)};
                   }));
}

// Every state a file has had since its last sync, in full; the first is the synced one.
struct ModelFile {
  struct State {
    std::string contents;
    bool cut = false;
    std::uint64_t from = 0, to = 0;  // bytes written by the step that led here
  };
  std::vector<State> states{State{}};

  const std::string& cached() const { return states.back().contents; }
  static std::string sector_of(std::string contents, std::uint64_t sector) {
    contents.resize(std::max<std::size_t>(contents.size(), (sector + 1) * sector_bytes), '\0');
    return contents.substr(sector * sector_bytes, sector_bytes);
  }
  bool touches(std::size_t state, std::uint64_t sector) const {
    const State& s = states[state];
    return s.from < (sector + 1) * sector_bytes && s.to > sector * sector_bytes;
  }
  // Whether `found` is what `version` of the sector looks like when the size changes up to state `last` have survived.
  bool matches(const std::string& contents, std::uint64_t sector, std::size_t version, std::size_t last) const {
    std::string expected = sector_of(states[version].contents, sector);
    for (std::size_t i = version + 1; i <= last; ++i) {
      if (!states[i].cut) continue;
      const std::uint64_t start = sector * sector_bytes;
      const std::uint64_t end_of_file = states[i].contents.size();
      for (std::uint64_t at = std::max(start, end_of_file); at < start + sector_bytes; ++at)
        expected[at - start] = '\0';
    }
    const std::string found = contents.substr(sector * sector_bytes, sector_bytes);
    return expected.substr(0, found.size()) == found;
  }
  bool allowed_with(const std::string& contents, std::size_t last) const {
    if (contents.size() != states[last].contents.size()) return false;
    for (std::uint64_t sector = 0; sector * sector_bytes < contents.size(); ++sector) {
      bool found = matches(contents, sector, 0, last);
      for (std::size_t version = 1; !found && version < states.size(); ++version) {
        found = touches(version, sector) && matches(contents, sector, version, last);
      }
      if (!found) return false;
    }
    return true;
  }
  bool allowed(const std::string& contents) const {
    for (std::size_t last = 0; last < states.size(); ++last) {
      if (allowed_with(contents, last)) return true;
    }
    return false;
  }
};

using ModelDirectory = std::map<std::string, std::shared_ptr<ModelFile>>;

class Comparison {
 public:
  explicit Comparison(std::uint64_t seed) : world_({"h"}, seed) {
    DiskParameters parameters;
    parameters.read_latency = parameters.write_latency = parameters.sync_latency =
        DurationDistribution::constant(Duration(0));
    parameters.bandwidth_bytes_per_s = 0;
    disk().set_parameters(parameters);
    create("a");
    create("b");
  }

  void apply(const Operation& operation) {
    const std::string name(1, static_cast<char>('a' + operation.file));
    const std::string target(1, static_cast<char>('a' + operation.target));
    switch (operation.kind) {
      case Kind::create:
        return create(name);
      case Kind::sync_directory:
        RC_ASSERT(disk().sync_directory().has_value());
        directories_.erase(directories_.begin(), directories_.end() - 1);
        return;
      case Kind::crash:
        return crash();
      default:
        break;
    }
    if (!current().contains(name)) {
      RC_ASSERT(disk().open(name, OpenMode::existing).error() == DiskError::not_found);
      return;
    }
    if (operation.kind == Kind::remove) {
      RC_ASSERT(disk().remove(name).has_value());
      change([&](ModelDirectory& directory) { directory.erase(name); });
    } else if (operation.kind == Kind::rename) {
      RC_ASSERT(disk().rename(name, target).has_value());
      if (name == target) return;
      change([&](ModelDirectory& directory) {
        directory[target] = directory[name];
        directory.erase(name);
      });
    } else {
      change_file(operation, name);
    }
    check_cache();
  }

  void crash() {
    world_.host("h").crash();
    world_.host("h").boot();
    ModelDirectory found;
    for (const std::string& name : disk().list()) {
      found[name] = std::make_shared<ModelFile>();
      found[name]->states[0].contents = read(name);
      RC_ASSERT(disk().durable_contents(name) == found[name]->cached());
    }
    RC_ASSERT(std::any_of(directories_.begin(), directories_.end(),
                          [&](const ModelDirectory& directory) { return allowed(directory, found); }));
    directories_ = {found};
  }

  std::string digest() { return world_.simulation.digest().value().hex(); }

 private:
  Disk& disk() { return world_.host("h").disk(); }
  ModelDirectory& current() { return directories_.back(); }

  template <typename Change>
  void change(Change&& apply_change) {
    directories_.push_back(current());
    apply_change(current());
  }

  void create(const std::string& name) {
    RC_ASSERT(disk().open(name, OpenMode::create).has_value());
    if (current().contains(name)) return;
    change([&](ModelDirectory& directory) { directory[name] = std::make_shared<ModelFile>(); });
  }

  void change_file(const Operation& operation, const std::string& name) {
    File file = *disk().open(name, OpenMode::existing);
    ModelFile& model = *current()[name];
    ModelFile::State next{model.cached()};
    if (operation.kind == Kind::sync) {
      RC_ASSERT(file.sync().has_value());
      model.states = {next};
    } else if (operation.kind == Kind::truncate) {
      RC_ASSERT(file.truncate(operation.offset).has_value());
      next.cut = operation.offset < next.contents.size();
      next.contents.resize(operation.offset, '\0');
      model.states.push_back(next);
    } else {
      const std::string bytes(operation.length, static_cast<char>(++fill_));
      RC_ASSERT(file.write(operation.offset, bytes).has_value());
      next.from = operation.offset;
      next.to = operation.offset + operation.length;
      if (next.contents.size() < next.to) next.contents.resize(next.to, '\0');
      next.contents.replace(next.from, operation.length, bytes);
      model.states.push_back(next);
    }
  }

  std::string read(const std::string& name) {
    const File file = *disk().open(name, OpenMode::existing);
    std::string out;
    RC_ASSERT(file.read(0, file.size() + 1, out).has_value());
    return out;
  }

  void check_cache() {
    RC_ASSERT(disk().list().size() == current().size());
    for (const auto& [name, file] : current()) RC_ASSERT(read(name) == file->cached());
    for (const auto& [name, file] : directories_.front()) {
      RC_ASSERT(disk().durable_contents(name) == file->states.front().contents);
    }
  }

  static bool allowed(const ModelDirectory& directory, const ModelDirectory& found) {
    if (directory.size() != found.size()) return false;
    for (const auto& [name, file] : found) {
      const auto expected = directory.find(name);
      if (expected == directory.end() || !expected->second->allowed(file->cached())) return false;
    }
    return true;
  }

  TestWorld world_;
  std::vector<ModelDirectory> directories_{
      ModelDirectory{}};  // since the last sync of the directory, the synced one first
  unsigned char fill_ = 0;
};

RC_GTEST_PROP(DiskProperty, APowerLossLeavesWhatTheModelAllows, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  Comparison comparison(seed);
  for (const Operation& operation : *operations()) comparison.apply(operation);
  comparison.crash();
}

RC_GTEST_PROP(DiskProperty, TheSameSeedGivesTheSameDigest, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  const std::vector<Operation> steps = *operations();
  const auto digest = [&] {
    Comparison comparison(seed);
    for (const Operation& operation : steps) comparison.apply(operation);
    comparison.crash();
    return comparison.digest();
  };
  const std::string first = digest();
  RC_ASSERT(digest() == first);
}

}  // namespace
}  // namespace polarsim::sim
