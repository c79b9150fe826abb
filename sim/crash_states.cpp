#include "sim/crash_states.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "sim/digest.h"
#include "sim/disk_state.h"

namespace polarsim::sim {

namespace {

using detail::Inode;
using detail::NameTree;
using detail::SectorState;

struct StateHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend auto operator<=>(const StateHash&, const StateHash&) = default;
};

StateHash hash_of(std::string_view bytes) { return {stable_hash(bytes, 1), stable_hash(bytes, 2)}; }

std::string raw(std::uint64_t number) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

// One state of one file: what differs from its cached contents.
struct FileState {
  std::uint64_t size = 0;
  std::map<std::uint64_t, SectorState> sectors;
  StateHash hash;

  DiskImage::Entry entry(const Inode& inode) const {
    DiskImage::Entry result;
    result.contents = inode.contents.read_padded(0, std::min(size, inode.contents.size()));
    result.contents.resize(size, '\0');
    for (const auto& [sector, state] : sectors) {
      const std::uint64_t start = sector * sector_bytes;
      if (start >= size) break;
      const bool unreadable = state.damaged && state.medium.empty();
      if (unreadable) result.unreadable.push_back(sector);
      const std::string& image = state.damaged && !unreadable ? state.medium : state.clean;
      const std::uint64_t length = std::min(sector_bytes, size - start);
      result.contents.replace(start, length, image, 0, length);
    }
    return result;
  }
};

StateHash hash_of(const DiskImage::Entry& entry) {
  std::string bytes = raw(entry.contents.size()) + entry.contents;
  for (const std::uint64_t sector : entry.unreadable) bytes += raw(sector);
  return hash_of(bytes);
}

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b ? std::numeric_limits<std::uint64_t>::max()
                                                                     : a * b;
}

// The states of one file.
class FileStates {
 public:
  explicit FileStates(const Inode& inode) : inode_(inode), touched_(detail::touched_sectors(inode)) {
    combinations_ = inode.journal.size() + 1;
    for (const auto& [sector, records] : touched_) {
      versions_[sector] = detail::sector_versions(inode, sector, records);
      combinations_ = saturating_product(combinations_, versions_[sector].size());
    }
  }

  // Before equal ones are taken together.
  std::uint64_t combinations() const { return combinations_; }
  const Inode& inode() const { return inode_; }

  const std::vector<FileState>& all() {
    if (!states_.empty()) return states_;
    std::set<StateHash> seen;
    for (std::uint64_t surviving = inode_.journal_start; surviving <= inode_.journal_end(); ++surviving) {
      std::map<std::uint64_t, std::size_t> choice;
      for (const auto& [sector, records] : touched_) choice[sector] = 0;
      do {
        FileState state = make(surviving, choice);
        if (seen.insert(state.hash).second) states_.push_back(std::move(state));
      } while (advance(choice));
    }
    return states_;
  }

  FileState durable() const {
    std::map<std::uint64_t, std::size_t> choice;
    for (const auto& [sector, records] : touched_) choice[sector] = 0;
    return make(inode_.journal_start, choice);
  }

 private:
  FileState make(std::uint64_t surviving, const std::map<std::uint64_t, std::size_t>& choice) const {
    FileState state{inode_.size_at(surviving), {}, {}};
    for (const auto& [sector, records] : touched_) {
      const std::uint64_t version = versions_.at(sector)[choice.at(sector)];
      state.sectors.emplace(sector, detail::sector_state(inode_, sector, records, version, surviving));
    }
    state.hash = hash_of(state.entry(inode_));
    return state;
  }

  // The next combination of versions; false after the last.
  bool advance(std::map<std::uint64_t, std::size_t>& choice) const {
    for (auto& [sector, version] : choice) {
      if (++version < versions_.at(sector).size()) return true;
      version = 0;
    }
    return false;
  }

  const Inode& inode_;
  detail::TouchedSectors touched_;
  std::map<std::uint64_t, std::vector<std::uint64_t>> versions_;
  std::uint64_t combinations_ = 1;
  std::vector<FileState> states_;
};

// The names of one state, by path.
using Layout = std::map<std::string, std::shared_ptr<Inode>>;

Layout layout_of(const NameTree& names, const NameTree::View& view) {
  Layout layout;
  std::vector<std::pair<std::string, std::shared_ptr<Inode>>> directories{{"", names.root()}};
  while (!directories.empty()) {
    const auto [prefix, directory] = std::move(directories.back());
    directories.pop_back();
    for (const auto& [name, inode] : NameTree::entries(view, *directory)) {
      layout.emplace(prefix + name, inode);
      if (inode->is_directory) directories.emplace_back(prefix + name + "/", inode);
    }
  }
  return layout;
}

class Enumeration {
 public:
  Enumeration(const Disk& disk, const CrashStateLimits& limits)
      : names_(disk.implementation().names),
        unordered_(disk.implementation().parameters.unordered_names),
        limits_(limits) {}

  tl::expected<std::uint64_t, std::string> run(const std::function<void(const DiskImage&)>& visit) {
    if (const std::string error = prepare(); !error.empty()) return tl::unexpected(error);
    for (const Layout& layout : layouts_) {
      DiskImage image;
      for (const auto& [path, inode] : layout) image.entries[path].is_directory = inode->is_directory;
      visit_files(layout, layout.begin(), std::string(), image, visit);
    }
    return seen_.size();
  }

 private:
  // Finds the layouts and the states of their files; returns what is too much, if anything is.
  std::string prepare() {
    const std::size_t name_changes = names_.changes().size();
    if (name_changes > limits_.changes_max) return too_many_changes(name_changes);
    const auto survivors = names_.all_survivors(unordered_, limits_.combinations_max);
    if (survivors.size() > limits_.combinations_max) return too_many_combinations(survivors.size());
    std::set<std::string> seen;
    for (const detail::Survivors& set : survivors) {
      Layout layout = layout_of(names_, names_.view(set));
      std::string key;
      for (const auto& [path, inode] : layout) key += path + '\0' + raw(inode->id);
      if (seen.insert(key).second) layouts_.push_back(std::move(layout));
    }
    std::size_t changes = name_changes;
    for (const Layout& layout : layouts_) {
      for (const auto& [path, inode] : layout) {
        if (inode->is_directory || files_.contains(inode->id)) continue;
        changes += inode->journal.size();
        if (changes > limits_.changes_max) return too_many_changes(changes);
        const FileStates& states = files_.try_emplace(inode->id, *inode).first->second;
        if (states.combinations() > limits_.combinations_max) return too_many_combinations(states.combinations());
      }
    }
    std::uint64_t total = 0;
    for (const Layout& layout : layouts_) {
      std::uint64_t product = 1;
      for (const auto& [path, inode] : layout) {
        if (!inode->is_directory) product = saturating_product(product, files_.at(inode->id).all().size());
      }
      total = total + product < total ? std::numeric_limits<std::uint64_t>::max() : total + product;
    }
    return total > limits_.combinations_max ? too_many_combinations(total) : std::string();
  }

  std::string too_many_changes(std::size_t found) const {
    return fmt::format("at least {} changes are not durable, and the limit is {}", found, limits_.changes_max);
  }
  std::string too_many_combinations(std::uint64_t found) const {
    return fmt::format("at least {} combinations of changes may survive, and the limit is {}", found,
                       limits_.combinations_max);
  }

  // `key` says what has been chosen for the paths before `at`.
  void visit_files(const Layout& layout, Layout::const_iterator at, const std::string& key, DiskImage& image,
                   const std::function<void(const DiskImage&)>& visit) {
    if (at == layout.end()) {
      if (seen_.insert(hash_of(key)).second) visit(image);
      return;
    }
    const auto& [path, inode] = *at;
    const std::string name = key + (inode->is_directory ? 'd' : 'f') + path + '\0';
    if (inode->is_directory) return visit_files(layout, std::next(at), name, image, visit);
    for (const FileState& state : files_.at(inode->id).all()) {
      image.entries[path] = state.entry(*inode);
      visit_files(layout, std::next(at), name + raw(state.hash.low) + raw(state.hash.high), image, visit);
    }
  }

  const NameTree& names_;
  bool unordered_;
  CrashStateLimits limits_;
  std::vector<Layout> layouts_;
  std::map<std::uint64_t, FileStates> files_;
  std::set<StateHash> seen_;
};

}  // namespace

tl::expected<std::uint64_t, std::string> visit_crash_states(const Disk& disk,
                                                            const std::function<void(const DiskImage&)>& visit,
                                                            const CrashStateLimits& limits) {
  return Enumeration(disk, limits).run(visit);
}

DiskImage durable_image(const Disk& disk) {
  const NameTree& names = disk.implementation().names;
  DiskImage image;
  for (const auto& [path, inode] : layout_of(names, names.durable_view())) {
    DiskImage::Entry entry;
    if (!inode->is_directory) entry = FileStates(*inode).durable().entry(*inode);
    entry.is_directory = inode->is_directory;
    image.entries.emplace(path, std::move(entry));
  }
  return image;
}

}  // namespace polarsim::sim
