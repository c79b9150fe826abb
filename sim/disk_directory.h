// The tree of names and its journal; private to the disk's own sources.
//
// Names are changed in the cached tree at once; each change is recorded with what undoes and redoes it. What a power
// loss leaves is the tree without some of the recorded changes (disk.h says which sets may be missing).
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/disk_inode.h"

namespace polarsim::sim::detail {

// One change of the tree.
struct NameChange {
  enum class Kind : std::uint8_t { create, remove, rename } kind = Kind::create;
  std::shared_ptr<Inode> directory;  // where it is created or removed, or what it is renamed from
  std::string name;
  std::shared_ptr<Inode> target_directory;  // of a rename
  std::string target;
  std::shared_ptr<Inode> inode;      // that had or got the name
  std::shared_ptr<Inode> displaced;  // that a rename took `target` from; may be null
  std::uint64_t number = 0;

  bool touches(std::uint64_t directory_id) const;
  // The rename of a directory comes after every earlier change, whatever that was: else a tree could lose a directory
  // in a circle of its own descendants.
  bool after_all_earlier() const { return kind == Kind::rename && inode->is_directory; }
};

// Where a path leads.
struct Place {
  enum class Last : std::uint8_t { name, dot, dot_dot, root } last = Last::name;
  std::shared_ptr<Inode> directory;  // that holds, or would hold, the name
  std::string name;
  std::shared_ptr<Inode> inode;    // null if there is none
  bool must_be_directory = false;  // a trailing slash
  bool too_long = false;           // the name; only walk() leaves it to the caller to say so
};

// What a power loss leaves of the changes: one flag each.
using Survivors = std::vector<bool>;

class NameTree {
 public:
  NameTree();

  const std::shared_ptr<Inode>& root() const { return root_; }
  std::shared_ptr<Inode> add_inode(bool is_directory);
  // Errors: those of walking there; a missing or overlong last name is none.
  tl::expected<Place, DiskError> walk(std::string_view path) const;
  // As walk(), but an overlong name is an error.
  tl::expected<Place, DiskError> find(std::string_view path) const;
  // The file or directory itself.
  tl::expected<std::shared_ptr<Inode>, DiskError> get(std::string_view path) const;

  // These trust that the caller has checked the rules.
  void create(const Place& place, const std::shared_ptr<Inode>& inode);
  void remove(const Place& place);
  void rename(const Place& from, const Place& to);
  // Every inode that has a name, by id; files and directories, without the root.
  std::vector<std::shared_ptr<Inode>> all() const;

  const std::deque<NameChange>& changes() const { return changes_; }
  // The number that the next change will get.
  std::uint64_t next_change() const { return next_change_; }
  // Makes durable what a sync of the directory that began at change `end` does.
  void make_durable(std::uint64_t directory_id, std::uint64_t end, bool unordered);
  void make_all_durable() { changes_.clear(); }
  // An empty tree; numbers go on.
  void clear();
  // Draws what survives a power loss, and takes back the rest.
  void lose_power(bool unordered, RandomStream& choices);
  // Every set of changes that may survive, in an order of their own, from none on; stops after `limit`.
  std::vector<Survivors> all_survivors(bool unordered, std::size_t limit) const;
  // The entries of a directory with the survivors only. `root` is the id to begin with.
  using View = std::map<std::uint64_t, Entries>;
  View view(const Survivors& survivors) const;
  // The entries of the directory in the view.
  static const Entries& entries(const View& view, const Inode& directory);
  // As the view of no survivors: what is durable.
  View durable_view() const { return view(Survivors(changes_.size(), false)); }
  // As find() in a view, for a plain path of names; null if there is none.
  std::shared_ptr<Inode> find_in(const View& view, std::string_view path) const;

 private:
  // Whether change `later` can only survive if `earlier` does, directly.
  static bool depends(const NameChange& later, const NameChange& earlier);
  bool allowed(const Survivors& survivors, std::size_t change, bool unordered) const;
  Survivors choose(bool unordered, RandomStream& choices) const;
  Survivors choose_by_directory(RandomStream& choices) const;
  void record(NameChange change);
  // Gives every inode of the tree its place, after entries were changed from outside.
  void relink(const std::shared_ptr<Inode>& directory);

  std::shared_ptr<Inode> root_;
  std::deque<NameChange> changes_;  // not durable yet, oldest first
  std::uint64_t next_change_ = 0;
  std::uint64_t next_inode_ = 1;
};

}  // namespace polarsim::sim::detail
