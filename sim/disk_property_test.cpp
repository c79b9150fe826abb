// The disk against a plain model: after any operations and a power loss, the disk holds something the model allows.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sim/crash_states.h"
#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

enum class Kind {
  write,
  direct_write,
  truncate,
  sync,
  forgetful_sync,
  create,
  make_directory,
  remove,
  rename,
  sync_directory,
  crash
};

struct Operation {
  Kind kind;
  int path, target;
  std::uint64_t offset, length;
};

constexpr const char* paths[] = {"a", "b", "d", "e", "d/a", "d/b", "e/a", "d/e", "e/d", "e/d/a"};
constexpr int path_count = 10;

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  static constexpr const char* names[] = {"write",          "direct write",   "truncate",       "sync",
                                          "forgetful sync", "create",         "make directory", "remove",
                                          "rename",         "sync directory", "crash"};
  return out << names[static_cast<int>(operation.kind)] << " " << paths[operation.path] << " "
             << paths[operation.target] << " " << operation.offset << "+" << operation.length;
}

rc::Gen<std::vector<Operation>> operations() {
  const auto kind = rc::gen::weightedElement<Kind>({{14, Kind::write},
                                                    {4, Kind::direct_write},
                                                    {3, Kind::truncate},
                                                    {3, Kind::sync},
                                                    {1, Kind::forgetful_sync},
                                                    {6, Kind::create},
                                                    {5, Kind::make_directory},
                                                    {2, Kind::remove},
                                                    {6, Kind::rename},
                                                    {2, Kind::sync_directory},
                                                    {2, Kind::crash}});
  const auto path = rc::gen::inRange(0, path_count);
  const auto operation =
      rc::gen::map(rc::gen::tuple(kind, path, path, rc::gen::inRange<std::uint64_t>(0, 6000),
                                  rc::gen::inRange<std::uint64_t>(1, 2500)),
                   [](const std::tuple<Kind, int, int, std::uint64_t, std::uint64_t>& t) {
                     return Operation{std::get<0>(t), std::get<1>(t), std::get<2>(t), std::get<3>(t), std::get<4>(t)};
                   });
  return rc::gen::scale(2.0, rc::gen::container<std::vector<Operation>>(operation));
}

// Every state a file has had since its last sync, in full; the first is the synced one.
struct ModelFile {
  struct State {
    std::string contents;
    bool cut = false, direct = false;
    std::uint64_t from = 0, to = 0;  // bytes written by the step that led here
  };
  std::vector<State> states{State{}};
  // What a forgetful sync may have left on the medium instead of the first state, by sector.
  std::map<std::uint64_t, std::set<std::string>> instead;

  const std::string& cached() const { return states.back().contents; }
  static std::string sector_of(std::string contents, std::uint64_t sector) {
    contents.resize(std::max<std::size_t>(contents.size(), (sector + 1) * sector_bytes), '\0');
    return contents.substr(sector * sector_bytes, sector_bytes);
  }
  // Whether the step that led to this state writes the sector: a buffered write writes whole pages, which makes a
  // difference only where the medium does not hold what it should.
  bool writes(std::size_t state, std::uint64_t sector) const {
    const State& s = states[state];
    if (s.cut || s.from == s.to) return false;
    const std::uint64_t unit = instead.contains(sector) && !s.direct ? page_bytes : sector_bytes;
    const std::uint64_t start = sector * sector_bytes / unit * unit;
    return s.from < start + unit && s.to > start;
  }
  static void zero_from(std::string& image, std::uint64_t sector, std::uint64_t end_of_file) {
    const std::uint64_t start = sector * sector_bytes;
    for (std::uint64_t at = std::max(start, end_of_file); at < start + sector_bytes; ++at) image[at - start] = '\0';
  }
  // Whether `found` is what `version` of the sector looks like when the size changes up to state `last` have survived.
  bool matches(const std::string& contents, std::uint64_t sector, std::size_t version, std::size_t last) const {
    std::vector<std::string> images{sector_of(states[version].contents, sector)};
    const auto other = instead.find(sector);
    if (version == 0 && other != instead.end()) images.insert(images.end(), other->second.begin(), other->second.end());
    const std::string found = contents.substr(sector * sector_bytes, sector_bytes);
    return std::any_of(images.begin(), images.end(), [&](std::string image) {
      for (std::size_t i = version + 1; i <= last; ++i) {
        if (states[i].cut) zero_from(image, sector, states[i].contents.size());
      }
      return image.substr(0, found.size()) == found;
    });
  }
  bool allowed_with(const std::string& contents, std::size_t last) const {
    if (contents.size() != states[last].contents.size()) return false;
    for (std::uint64_t sector = 0; sector * sector_bytes < contents.size(); ++sector) {
      bool found = matches(contents, sector, 0, last);
      for (std::size_t version = 1; !found && version < states.size(); ++version) {
        found = writes(version, sector) && matches(contents, sector, version, last);
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

  void write(std::uint64_t offset, const std::string& bytes, bool direct) {
    State next{cached(), false, direct, offset, offset + bytes.size()};
    if (next.contents.size() < next.to) next.contents.resize(next.to, '\0');
    next.contents.replace(offset, bytes.size(), bytes);
    states.push_back(std::move(next));
  }
  void truncate(std::uint64_t size) {
    State next{cached(), size < cached().size()};
    next.contents.resize(size, '\0');
    states.push_back(std::move(next));
  }
  void sync() {
    std::map<std::uint64_t, std::set<std::string>> left;
    for (const auto& [sector, images] : instead) {
      const std::uint64_t start = sector * sector_bytes;
      bool rewritten = false;
      std::uint64_t end_of_file = start + sector_bytes;
      for (std::size_t i = 1; i < states.size(); ++i) {
        rewritten = rewritten || writes(i, sector) || (states[i].cut && states[i].contents.size() <= start);
        if (states[i].cut) end_of_file = std::min<std::uint64_t>(end_of_file, states[i].contents.size());
      }
      if (rewritten) continue;
      for (std::string image : images) {
        zero_from(image, sector, end_of_file);
        left[sector].insert(image);
      }
    }
    instead = std::move(left);
    states = {State{cached()}};
  }
  void forget() {
    const ModelFile before = *this;
    std::set<std::uint64_t> written;
    for (std::size_t i = 1; i < states.size(); ++i) {
      for (std::uint64_t at = states[i].from; at < states[i].to; ++at) written.insert(at / sector_bytes);
    }
    states = {State{cached()}};
    for (const std::uint64_t sector : written) {
      if (sector * sector_bytes >= cached().size()) continue;
      instead[sector].insert(sector_of(before.states[0].contents, sector));
    }
    for (auto entry = instead.begin(); entry != instead.end();) {
      std::set<std::string> images;
      for (std::string image : entry->second) {
        zero_from(image, entry->first, cached().size());
        images.insert(image);
      }
      entry->second = std::move(images);
      entry = entry->first * sector_bytes < cached().size() ? std::next(entry) : instead.erase(entry);
    }
  }
};

// A tree as what each directory holds; files and directories have numbers. Changes that are not durable are kept as
// assignments to names.
class ModelTree {
 public:
  using Tree = std::map<int, std::map<std::string, int>>;
  using Layout = std::map<std::string, int>;  // paths
  struct Assignment {
    int directory;
    std::string name;
    int node;  // 0: the name is gone
  };
  struct Change {
    std::vector<Assignment> assignments;
    bool of_directory = false;  // the rename of a directory
    bool touches(int directory) const {
      return std::any_of(assignments.begin(), assignments.end(),
                         [directory](const Assignment& a) { return a.directory == directory; });
    }
  };

  explicit ModelTree(bool unordered) : unordered_(unordered) {}

  Layout current() const { return layout(with(std::vector<bool>(changes_.size(), true))); }
  Layout durable() const { return layout(durable_); }
  std::size_t pending() const { return changes_.size(); }
  void change(Change change) { changes_.push_back(std::move(change)); }
  void reset(Tree tree) {
    durable_ = std::move(tree);
    changes_.clear();
  }

  void sync(int directory) {
    std::vector<bool> kept(changes_.size(), false);
    for (std::size_t i = changes_.size(); i-- > 0;) {
      kept[i] = changes_[i].touches(directory);
      for (std::size_t later = i + 1; later < changes_.size(); ++later) {
        if (kept[later] && needs(later, i)) kept[i] = true;
      }
    }
    durable_ = with(kept);
    std::vector<Change> left;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (!kept[i]) left.push_back(changes_[i]);
    }
    changes_ = std::move(left);
  }

  // Every tree that may survive.
  std::vector<Layout> survivors() const {
    std::vector<Layout> found;
    for (std::uint64_t set = 0; set < 1ULL << changes_.size(); ++set) {
      std::vector<bool> kept;
      for (std::size_t i = 0; i < changes_.size(); ++i) kept.push_back((set >> i & 1U) != 0);
      bool closed = true;
      for (std::size_t i = 0; i < changes_.size(); ++i) {
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
          if (kept[i] && !kept[earlier] && needs(i, earlier)) closed = false;
        }
      }
      if (closed) found.push_back(layout(with(kept)));
    }
    return found;
  }

 private:
  bool needs(std::size_t later, std::size_t earlier) const {
    if (!unordered_ || changes_[later].of_directory) return true;
    const auto& assignments = changes_[later].assignments;
    return std::any_of(assignments.begin(), assignments.end(),
                       [&](const Assignment& a) { return changes_[earlier].touches(a.directory); });
  }
  Tree with(const std::vector<bool>& kept) const {
    Tree tree = durable_;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (!kept[i]) continue;
      for (const Assignment& a : changes_[i].assignments) {
        if (a.node == 0) {
          tree[a.directory].erase(a.name);
        } else {
          tree[a.directory][a.name] = a.node;
        }
      }
    }
    return tree;
  }
  static Layout layout(const Tree& tree, int directory = 0, const std::string& prefix = "") {
    Layout found;
    const auto names = tree.find(directory);
    if (names == tree.end()) return found;
    for (const auto& [name, node] : names->second) {
      found[prefix + name] = node;
      found.merge(layout(tree, node, prefix + name + "/"));
    }
    return found;
  }

  bool unordered_;
  Tree durable_;
  std::vector<Change> changes_;
};

class Comparison {
 public:
  Comparison(std::uint64_t seed, bool unordered) : world_({"h"}, seed), tree_(unordered) {
    DiskParameters parameters;
    parameters.read_latency = parameters.write_latency = parameters.sync_latency =
        DurationDistribution::constant(Duration(0));
    parameters.bandwidth_bytes_per_s = 0;
    parameters.unordered_names = unordered;
    disk().set_parameters(parameters);
    // So that most operations find something.
    for (const char* path : {"d", "e"}) {
      if (disk().make_directory(path)) add(path, nullptr);
    }
    for (const char* path : {"a", "d/a", "e/a"}) {
      if (disk().open(path, OpenMode::create_new)) add(path, std::make_shared<ModelFile>());
    }
    for (const char* path : {"/", "d", "e"}) sync_directory(path);
  }

  void apply(const Operation& operation) {
    const std::string path = paths[operation.path];
    switch (operation.kind) {
      case Kind::crash:
        crash();
        break;
      case Kind::create:
        if (disk().open(path, OpenMode::create_new)) add(path, std::make_shared<ModelFile>());
        break;
      case Kind::make_directory:
        if (disk().make_directory(path)) add(path, nullptr);
        break;
      case Kind::remove:
        if (disk().remove(path) || disk().remove_directory(path)) tree_.change({{place(path, 0)}});
        break;
      case Kind::rename:
        rename(path, paths[operation.target]);
        break;
      case Kind::sync_directory:
        // Half of the time the root's: it is what the others hang on.
        sync_directory(operation.offset % 2 == 0 ? "/" : path);
        break;
      default:
        change_file(operation, path);
    }
    if (tree_.pending() > 9) sync_directory("/");
    check_cache();
  }

  void crash() {
    world_.host("h").crash();
    world_.host("h").boot();
    std::map<std::string, std::string> found;
    for (const std::string& path : all_paths()) found[path] = is_directory(path) ? "/" : read(path);
    for (const auto& [path, contents] : found) {
      if (contents != "/") RC_ASSERT(disk().durable_contents(path) == contents);
    }
    const std::vector<ModelTree::Layout> allowed = tree_.survivors();
    const auto survivor = std::find_if(allowed.begin(), allowed.end(),
                                       [&](const ModelTree::Layout& layout) { return explains(layout, found); });
    RC_ASSERT(survivor != allowed.end());
    // What was found is what is durable now.
    ModelTree::Tree tree;
    const ModelTree::Layout layout = *survivor;
    for (const auto& [path, node] : layout) {
      const ModelTree::Assignment where = place(layout, path, node);
      tree[where.directory][where.name] = node;
      if (!files_[node]) continue;
      *files_[node] = ModelFile{};
      files_[node]->states[0].contents = found[path];
    }
    tree_.reset(std::move(tree));
  }

  std::string digest() { return world_.simulation.digest().value().hex(); }

 private:
  Disk& disk() { return world_.host("h").disk(); }
  bool is_directory(const std::string& path) { return disk().status(path)->is_directory; }
  std::vector<std::string> all_paths() {
    std::vector<std::string> found, directories{""};
    while (!directories.empty()) {
      const std::string prefix = directories.back();
      directories.pop_back();
      const auto entries = disk().list_directory(prefix.empty() ? "/" : prefix);
      for (const DirectoryEntry& entry : *entries) {
        found.push_back(prefix + entry.name);
        if (entry.is_directory) directories.push_back(prefix + entry.name + "/");
      }
    }
    return found;
  }

  static ModelTree::Assignment place(const ModelTree::Layout& layout, const std::string& path, int node) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {0, path, node};
    return {layout.at(path.substr(0, slash)), path.substr(slash + 1), node};
  }
  ModelTree::Assignment place(const std::string& path, int node) const { return place(tree_.current(), path, node); }

  void add(const std::string& path, std::shared_ptr<ModelFile> file) {
    files_.push_back(std::move(file));
    tree_.change({{place(path, static_cast<int>(files_.size()) - 1)}});
  }

  void rename(const std::string& from, const std::string& to) {
    const bool existed = disk().exists(from);
    if (!disk().rename(from, to)) return;
    RC_ASSERT(existed);
    if (from == to) return;
    const int node = tree_.current().at(from);
    tree_.change({{place(from, 0), place(to, node)}, files_[node] == nullptr});
  }

  void sync_directory(const std::string& path) {
    const auto synced = disk().sync_directory(path);
    const ModelTree::Layout layout = tree_.current();
    const bool is_root = path == "/";
    const bool directory = is_root || (layout.contains(path) && !files_[layout.at(path)]);
    RC_ASSERT(synced.has_value() == directory);
    if (directory) tree_.sync(is_root ? 0 : layout.at(path));
    // The root's sync does not reach everything; this keeps the number of changes small.
    if (!is_root || tree_.pending() <= 9) return;
    for (const auto& [below, node] : layout) {
      if (files_[node]) continue;
      RC_ASSERT(disk().sync_directory(below).has_value());
      tree_.sync(node);
    }
  }

  void change_file(const Operation& operation, const std::string& path) {
    const bool direct = operation.kind == Kind::direct_write;
    auto opened = disk().open(path, OpenMode::existing, {.direct = direct});
    const ModelTree::Layout layout = tree_.current();
    const bool exists = layout.contains(path) && files_[layout.at(path)];
    RC_ASSERT(opened.has_value() == exists);
    if (!exists) return;
    ModelFile& model = *files_[layout.at(path)];
    if (operation.kind == Kind::sync) {
      RC_ASSERT(opened->sync().has_value());
      model.sync();
    } else if (operation.kind == Kind::forgetful_sync) {
      disk().fail_next_syncs(1, SyncFailure::forgets);
      RC_ASSERT(opened->sync().error() == DiskError::io_error);
      model.forget();
    } else if (operation.kind == Kind::truncate) {
      RC_ASSERT(opened->truncate(operation.offset).has_value());
      model.truncate(operation.offset);
    } else {
      const std::uint64_t unit = direct ? sector_bytes : 1;
      const std::uint64_t offset = operation.offset / unit * unit;
      const std::string bytes((operation.length + unit - 1) / unit * unit, static_cast<char>(++fill_));
      RC_ASSERT(*opened->write(offset, bytes) == bytes.size());
      model.write(offset, bytes, direct);
    }
  }

  std::string read(const std::string& path, bool direct = false) {
    const File file = *disk().open(path, OpenMode::existing, {.direct = direct});
    std::string out;
    RC_ASSERT(file.read(0, (file.size() / sector_bytes + 1) * sector_bytes, out).has_value());
    return out;
  }

  void check_cache() {
    const ModelTree::Layout current = tree_.current();
    RC_ASSERT(all_paths().size() == current.size());
    for (const auto& [path, node] : current) {
      RC_ASSERT(is_directory(path) == (files_[node] == nullptr));
      if (!files_[node]) continue;
      RC_ASSERT(read(path) == files_[node]->cached());
      if (files_[node]->instead.empty()) RC_ASSERT(read(path, true) == files_[node]->cached());
    }
    const ModelTree::Layout durable = tree_.durable();
    const DiskImage image = durable_image(disk());
    RC_ASSERT(image.entries.size() == durable.size());
    for (const auto& [path, node] : durable) {
      RC_ASSERT(image.entries.contains(path));
      if (!files_[node]) continue;
      ModelFile synced = *files_[node];
      synced.states.resize(1);
      RC_ASSERT(synced.allowed(disk().durable_contents(path)));
    }
  }

  bool explains(const ModelTree::Layout& layout, const std::map<std::string, std::string>& found) const {
    if (layout.size() != found.size()) return false;
    return std::all_of(found.begin(), found.end(), [&](const auto& entry) {
      const auto expected = layout.find(entry.first);
      if (expected == layout.end()) return false;
      const auto& file = files_[expected->second];
      return file ? entry.second != "/" && file->allowed(entry.second) : entry.second == "/";
    });
  }

  TestWorld world_;
  ModelTree tree_;
  std::vector<std::shared_ptr<ModelFile>> files_{nullptr};  // by node; null is a directory
  unsigned char fill_ = 0;
};

void check(bool unordered) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  Comparison comparison(seed, unordered);
  for (const Operation& operation : *operations()) comparison.apply(operation);
  comparison.crash();
}

RC_GTEST_PROP(DiskProperty, APowerLossLeavesWhatTheModelAllows, ()) { check(false); }

RC_GTEST_PROP(DiskProperty, APowerLossLeavesWhatTheModelAllowsWithoutOrderOfNames, ()) { check(true); }

RC_GTEST_PROP(DiskProperty, TheSameSeedGivesTheSameDigest, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  const std::vector<Operation> steps = *operations();
  const auto digest = [&] {
    Comparison comparison(seed, false);
    for (const Operation& operation : steps) comparison.apply(operation);
    comparison.crash();
    return comparison.digest();
  };
  const std::string first = digest();
  RC_ASSERT(digest() == first);
}

}  // namespace
}  // namespace polarsim::sim
