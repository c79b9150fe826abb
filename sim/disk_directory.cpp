#include "sim/disk_directory.h"

#include <algorithm>
#include <set>
#include <utility>

namespace polarsim::sim::detail {

namespace {

// Changes that are kept undoable at most; older ones become durable, as a journal commit would make them.
constexpr std::size_t changes_max = 10'000;

// `entries` returns the entries of a directory, in the tree or in a view of it.
template <typename EntriesOf>
void undo(const NameChange& change, EntriesOf&& entries) {
  switch (change.kind) {
    case NameChange::Kind::create:
      entries(*change.directory).erase(change.name);
      return;
    case NameChange::Kind::remove:
      entries(*change.directory)[change.name] = change.inode;
      return;
    case NameChange::Kind::rename:
      entries(*change.target_directory).erase(change.target);
      entries(*change.directory)[change.name] = change.inode;
      if (change.displaced) entries(*change.target_directory)[change.target] = change.displaced;
      return;
  }
}

template <typename EntriesOf>
void redo(const NameChange& change, EntriesOf&& entries) {
  switch (change.kind) {
    case NameChange::Kind::create:
      entries(*change.directory)[change.name] = change.inode;
      return;
    case NameChange::Kind::remove:
      entries(*change.directory).erase(change.name);
      return;
    case NameChange::Kind::rename:
      entries(*change.directory).erase(change.name);
      entries(*change.target_directory)[change.target] = change.inode;
      return;
  }
}

// The next part of a path, which is taken off; slashes before and after it are skipped.
std::string_view take_part(std::string_view& path, bool& slash_follows) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::size_t length = std::min(path.find('/'), path.size());
  const std::string_view part = path.substr(0, length);
  slash_follows = length < path.size();
  path.remove_prefix(std::min(path.find_first_not_of('/', length), path.size()));
  return part;
}

}  // namespace

bool NameChange::touches(std::uint64_t directory_id) const {
  return directory->id == directory_id || (target_directory && target_directory->id == directory_id);
}

NameTree::NameTree() : root_(std::make_shared<Inode>()) { root_->is_directory = true; }

void NameTree::clear() {
  changes_.clear();
  root_ = std::make_shared<Inode>();
  root_->is_directory = true;
}

std::shared_ptr<Inode> NameTree::add_inode(bool is_directory) {
  auto inode = std::make_shared<Inode>();
  inode->id = next_inode_++;
  inode->is_directory = is_directory;
  return inode;
}

tl::expected<Place, DiskError> NameTree::walk(std::string_view path) const {
  if (path.empty()) return tl::unexpected(DiskError::not_found);
  if (path.size() > path_bytes_max) return tl::unexpected(DiskError::name_too_long);
  Place place{Place::Last::root, root_, {}, root_, true, false};
  bool slash_follows = false;
  for (std::string_view part = take_part(path, slash_follows); !part.empty(); part = take_part(path, slash_follows)) {
    if (!place.inode) return tl::unexpected(DiskError::not_found);
    if (!place.inode->is_directory) return tl::unexpected(DiskError::not_a_directory);
    place.too_long = part.size() > name_bytes_max;
    if (place.too_long && !path.empty()) return tl::unexpected(DiskError::name_too_long);
    place.must_be_directory = slash_follows;
    if (part == ".") {
      place.last = Place::Last::dot;
      continue;
    }
    if (part == "..") {
      const std::shared_ptr<Inode> above = place.inode->parent.lock();
      if (above) place.inode = above;
      place.last = Place::Last::dot_dot;
      continue;
    }
    place.last = Place::Last::name;
    place.directory = std::move(place.inode);
    place.name = part;
    const auto found = place.directory->entries.find(part);
    place.inode = found == place.directory->entries.end() ? nullptr : found->second;
  }
  return place;
}

tl::expected<Place, DiskError> NameTree::find(std::string_view path) const {
  auto place = walk(path);
  if (place && place->too_long) return tl::unexpected(DiskError::name_too_long);
  return place;
}

tl::expected<std::shared_ptr<Inode>, DiskError> NameTree::get(std::string_view path) const {
  auto place = find(path);
  if (!place) return tl::unexpected(place.error());
  if (!place->inode) return tl::unexpected(DiskError::not_found);
  if (place->must_be_directory && !place->inode->is_directory) return tl::unexpected(DiskError::not_a_directory);
  return std::move(place->inode);
}

void NameTree::record(NameChange change) {
  change.number = next_change_++;
  changes_.push_back(std::move(change));
  if (changes_.size() > changes_max) changes_.pop_front();
}

void NameTree::create(const Place& place, const std::shared_ptr<Inode>& inode) {
  inode->parent = place.directory;
  inode->name = place.name;
  place.directory->entries.emplace(place.name, inode);
  record({NameChange::Kind::create, place.directory, place.name, nullptr, {}, inode, nullptr});
}

void NameTree::remove(const Place& place) {
  place.inode->linked = false;
  place.directory->entries.erase(place.name);
  record({NameChange::Kind::remove, place.directory, place.name, nullptr, {}, place.inode, nullptr});
}

void NameTree::rename(const Place& from, const Place& to) {
  if (to.inode) to.inode->linked = false;
  from.directory->entries.erase(from.name);
  to.directory->entries[to.name] = from.inode;
  from.inode->parent = to.directory;
  from.inode->name = to.name;
  record({NameChange::Kind::rename, from.directory, from.name, to.directory, to.name, from.inode, to.inode});
}

std::vector<std::shared_ptr<Inode>> NameTree::all() const {
  std::map<std::uint64_t, std::shared_ptr<Inode>> by_id;
  std::vector<const Inode*> directories{root_.get()};
  while (!directories.empty()) {
    const Inode& directory = *directories.back();
    directories.pop_back();
    for (const auto& [name, inode] : directory.entries) {
      by_id.emplace(inode->id, inode);
      if (inode->is_directory) directories.push_back(inode.get());
    }
  }
  std::vector<std::shared_ptr<Inode>> inodes;
  inodes.reserve(by_id.size());
  for (const auto& [id, inode] : by_id) inodes.push_back(inode);
  return inodes;
}

bool NameTree::depends(const NameChange& later, const NameChange& earlier) {
  if (later.after_all_earlier()) return true;
  return earlier.touches(later.directory->id) ||
         (later.target_directory && earlier.touches(later.target_directory->id));
}

void NameTree::make_durable(std::uint64_t directory_id, std::uint64_t end, bool unordered) {
  Survivors durable(changes_.size(), false);
  for (std::size_t i = changes_.size(); i-- > 0;) {
    if (changes_[i].number < end && changes_[i].touches(directory_id)) durable[i] = true;
    for (std::size_t later = i + 1; unordered && !durable[i] && later < changes_.size(); ++later) {
      durable[i] = durable[later] && depends(changes_[later], changes_[i]);
    }
    if (!durable[i] || unordered) continue;
    // In order, everything before it is durable too.
    changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (durable[i]) continue;
    if (kept != i) changes_[kept] = std::move(changes_[i]);
    ++kept;
  }
  changes_.erase(changes_.begin() + static_cast<std::ptrdiff_t>(kept), changes_.end());
}

Survivors NameTree::choose(bool unordered, RandomStream& choices) const {
  const std::size_t count = changes_.size();
  const std::uint64_t extent = choices.below(4);
  if (extent == 0) return Survivors(count, false);
  if (extent == 1) return Survivors(count, true);
  if (extent == 3 && unordered) return choose_by_directory(choices);
  const std::uint64_t surviving = choices.below(count + 1);
  Survivors survivors(count, false);
  std::fill(survivors.begin(), survivors.begin() + static_cast<std::ptrdiff_t>(surviving), true);
  return survivors;
}

// Of each directory, the first changes up to a drawn number, as far as the order between directories allows. Every
// allowed set is the outcome of some draw: the one that draws for each directory the number the set has of it.
Survivors NameTree::choose_by_directory(RandomStream& choices) const {
  std::map<std::uint64_t, std::uint64_t> room;  // by directory
  for (const NameChange& change : changes_) {
    ++room[change.directory->id];
    if (change.target_directory && change.target_directory != change.directory) ++room[change.target_directory->id];
  }
  for (auto& [directory, count] : room) count = choices.below(count + 1);
  Survivors survivors(changes_.size(), false);
  bool all_earlier = true;
  // A directory that has lost one change keeps none of the later.
  const auto take = [&room](std::uint64_t directory) {
    std::uint64_t& left = room[directory];
    const bool taken = left > 0;
    if (taken) --left;
    return taken;
  };
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    const NameChange& change = changes_[i];
    const bool two = change.target_directory && change.target_directory != change.directory;
    bool survives = take(change.directory->id);
    if (two && !take(change.target_directory->id)) survives = false;
    if (change.after_all_earlier() && !all_earlier) survives = false;
    survivors[i] = survives;
    if (survives) continue;
    all_earlier = false;
    room[change.directory->id] = 0;
    if (two) room[change.target_directory->id] = 0;
  }
  return survivors;
}

void NameTree::lose_power(bool unordered, RandomStream& choices) {
  if (changes_.empty()) return;
  const Survivors survivors = choose(unordered, choices);
  const auto live = [](Inode& directory) -> Entries& { return directory.entries; };
  for (const auto& change : changes_) {
    change.inode->linked = false;
    if (change.displaced) change.displaced->linked = false;
  }
  for (std::size_t i = changes_.size(); i-- > 0;) undo(changes_[i], live);
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (survivors[i]) redo(changes_[i], live);
  }
  changes_.clear();
  relink(root_);
}

void NameTree::relink(const std::shared_ptr<Inode>& directory) {
  std::vector<std::shared_ptr<Inode>> directories{directory};
  while (!directories.empty()) {
    const std::shared_ptr<Inode> above = std::move(directories.back());
    directories.pop_back();
    for (const auto& [name, inode] : above->entries) {
      inode->parent = above;
      inode->name = name;
      inode->linked = true;
      if (inode->is_directory) directories.push_back(inode);
    }
  }
}

bool NameTree::allowed(const Survivors& survivors, std::size_t change, bool unordered) const {
  for (std::size_t earlier = 0; earlier < change; ++earlier) {
    if (!survivors[earlier] && (!unordered || depends(changes_[change], changes_[earlier]))) return false;
  }
  return true;
}

std::vector<Survivors> NameTree::all_survivors(bool unordered, std::size_t limit) const {
  // Extends the sets by one change after the other: without it, and with it where its predecessors survive.
  std::vector<Survivors> sets{Survivors(changes_.size(), false)};
  for (std::size_t change = 0; change < changes_.size(); ++change) {
    const std::size_t count = sets.size();
    for (std::size_t i = 0; i < count && sets.size() <= limit; ++i) {
      if (!allowed(sets[i], change, unordered)) continue;
      sets.push_back(sets[i]);
      sets.back()[change] = true;
    }
  }
  return sets;
}

NameTree::View NameTree::view(const Survivors& survivors) const {
  View view;
  const auto changed = [&view](Inode& directory) -> Entries& {
    return view.try_emplace(directory.id, directory.entries).first->second;
  };
  for (std::size_t i = changes_.size(); i-- > 0;) undo(changes_[i], changed);
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (survivors[i]) redo(changes_[i], changed);
  }
  return view;
}

const Entries& NameTree::entries(const View& view, const Inode& directory) {
  const auto changed = view.find(directory.id);
  return changed == view.end() ? directory.entries : changed->second;
}

std::shared_ptr<Inode> NameTree::find_in(const View& view, std::string_view path) const {
  std::shared_ptr<Inode> at = root_;
  bool slash_follows = false;
  for (std::string_view part = take_part(path, slash_follows); !part.empty(); part = take_part(path, slash_follows)) {
    const Entries& names = entries(view, *at);
    const auto found = names.find(part);
    if (found == names.end()) return nullptr;
    at = found->second;
  }
  return at;
}

}  // namespace polarsim::sim::detail
