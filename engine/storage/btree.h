// A B-tree of byte strings: sorted by memcmp, equal keys by Tid, as PostgreSQL's nbtree sorts since version 12.
//
// Keys are opaque here; key_encoding.h makes them from values so that memcmp is the order of the values. A key is at
// most key_bytes_max long. An entry is a key with the Tid of a row version; the same pair is in the tree once.
//
// Structure (btree_page.h): a meta page (block 0) names the root; pages of one level are linked to the right and
// bounded by a high key (Lehman and Yao 1981), so that a search that arrives after a split goes right. There are no
// links to the left: scans backward search for each page from the root. A page that became empty is taken out together
// with its entry in its parent; its block is used again at once. A tree without entries shrinks to one leaf.
//
// Concurrency. One task at a time changes a tree (`writer_`, held across page reads, never across a wait for a lock of
// the database). Searches take no lock: they go down page by page and hold no pin while they wait for one, go right
// where a high key says so, and start again if a page was taken out while they waited (`removals_` counts that): only
// then can the block they wait for have become another page. One that has started again restarts_max times takes its
// turn among the writers for one descent, so that it ends. Between its steps a scan remembers a position of the order,
// no page. So there must be one BTree for a relation while anybody uses it.
//
// WAL: an entry put into or taken from a leaf is one small record. Whatever changes the structure is one record with
// images of all pages it touches, so that no crash leaves half of it: one page split with its new entry in the parent
// (or with the new root), or a leaf taken out together with its last entry and the ancestors that lose their last
// child. A full parent is split first, in a record of its own, from the top of the tree down; so no record touches more
// than pin_all_max pages.
//
// What stays behind: a leaf that is empty but the last child of a parent without neighbours nearer than five levels, or
// whose left neighbour has no room for its bound; it is filled again when entries for its range come. Nothing else: the
// file grows in memory first, its blocks are taken in order, and a page reaches the disk only after the records of all
// blocks before it. So a crash leaves no block that no record tells of.
//
// Probes: "btree/search-restarted", "btree/search-took-its-turn", "btree/search-moved-right", "btree/page-removed",
// "btree/page-reused", "btree/empty-leaf-kept".
//
// Errors, besides those of the pool: XX002 if a page is not what the tree says (a disk that lost a write hands out old
// pages with right checksums); nothing has been changed then.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/storage/btree_page.h"
#include "engine/storage/redo.h"
#include "engine/storage/wal_record.h"
#include "sim/sync.h"

namespace polarsim::engine::storage {

class BTree {
 public:
  // A page takes three keys, as PostgreSQL's.
  static constexpr std::size_t key_bytes_max = BTreeItem::key_bytes_max;
  static constexpr unsigned restarts_max = 4;

  // `name` is the index's, for messages.
  BTree(sim::Host& host, WalLog& log, BufferPool& pool, DataFiles& files, RelationId relation, std::string name = {});
  // The first pages of a new tree; its file exists. Blocks.
  void create();

  struct Entry {
    std::string key;
    Tid tid;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };
  // Bounds of a scan: keys k with lower <= k < upper (prefixes of keys work, as memcmp sorts them first). An empty
  // `upper` is no bound.
  struct Range {
    std::string lower;
    std::string upper;
  };
  // Hands out the entries of a range in order, a page at a time. It may be held across anything that blocks: entries
  // that come or go meanwhile may or may not be seen, all others are seen exactly once.
  class Scan {
   public:
    Scan(BTree& tree, Range range)
        : tree_(&tree), position_{std::move(range.lower), least_tid}, upper_(std::move(range.upper)) {}
    // False at the end. Blocks. The entries replace what `into` held.
    bool next(std::vector<Entry>& into);

   private:
    BTree* tree_;
    Entry position_;  // what is less was handed out
    std::string upper_;
    bool done_ = false;
  };
  Scan scan(Range range) { return Scan(*this, std::move(range)); }
  // The same in descending order. There are no links to the left: each page is searched for from the root.
  class BackwardScan {
   public:
    BackwardScan(BTree& tree, Range range) : tree_(&tree), lower_(std::move(range.lower)) {
      if (range.upper.empty()) return;
      before_.emplace(Entry{std::move(range.upper), least_tid});
    }
    // False at the end. Blocks. The entries, the greatest first, replace what `into` held.
    bool next(std::vector<Entry>& into);

   private:
    BTree* tree_;
    std::string lower_;
    std::optional<Entry> before_;  // what is not less was handed out; nothing: no bound
    bool done_ = false;
  };
  BackwardScan scan_backward(Range range) { return BackwardScan(*this, std::move(range)); }
  // The entries whose key is exactly `key`. Blocks.
  std::vector<Tid> find(std::string_view key);

  // Throws SqlError 54000 if the key is too long ("index row size ... exceeds btree version 4 maximum ..."). Blocks.
  void insert(std::string_view key, Tid tid);
  // Inserts if `may_insert` allows it. `may_insert` gets the Tids that have the key now; nobody else changes this tree
  // from the moment these Tids were found until the entry is in. Returns what `may_insert` did. `may_insert` may block
  // on pages and the log, but everybody who wants to change the tree waits for it meanwhile: it must not wait for locks
  // or for other transactions (return false, wait, and try again), nor change this tree itself.
  bool insert_if(std::string_view key, Tid tid, const std::function<bool(const std::vector<Tid>& equal)>& may_insert);
  // The same, and then takes out the entries of the key that `may_insert` found to be obsolete.
  using MayInsert = std::function<bool(const std::vector<Tid>& equal, std::vector<Tid>& obsolete)>;
  bool insert_if(std::string_view key, Tid tid, const MayInsert& may_insert);
  // False if there is no such entry. A page that becomes empty is taken out. Blocks.
  bool remove(std::string_view key, Tid tid);

  RelationId relation() const { return relation_; }
  const std::string& name() const { return name_; }
  void rename(const std::string& name) { name_ = name; }
  // For tests and `inspect`: every invariant of the structure, from the meta page down; the first violation as text.
  // Nobody may change the tree meanwhile. Blocks.
  std::optional<std::string> check();

 private:
  friend class Scan;
  friend class BackwardScan;
  // A page has two entries at least before it is split, so no tree of 2^32 pages is higher.
  static constexpr unsigned levels_max = 33;
  static constexpr BlockNumber meta_block = 0;
  // The pages that a descent went through, by level.
  struct Path {
    std::array<BlockNumber, levels_max> blocks;
    unsigned root_level = 0;
  };
  // Blocks for pages that are to come, and what the list of removed pages starts with when they are taken.
  struct NewBlocks {
    std::array<BlockNumber, 2> blocks;
    BlockNumber first_removed_after = invalid_block;
    bool from_list = false;
  };
  struct Chain;

  void check_length(std::string_view key) const;

  // --- btree_search.cpp ---
  PageId page_id(BlockNumber block) const { return {relation_, Fork::main, block}; }
  PageRef pin(BlockNumber block) { return pool_.pin(page_id(block)); }
  void load_meta();
  // The leaf that holds, or would hold, the position. The caller may look at it until it blocks.
  PageRef descend(const Position& position, Path* path = nullptr);
  // The same; empty if a page was taken out meanwhile.
  PageRef try_to_descend(const Position& position, Path* path);
  // The leaf that holds, or would hold, the greatest entry less than `before` (none: of all). `least` becomes the least
  // that the leaf may hold; nothing if that is unbounded.
  PageRef descend_before(const std::optional<Entry>& before, std::optional<Entry>& least);
  PageRef try_to_descend_before(const std::optional<Entry>& before, std::optional<Entry>& least);
  [[noreturn]] void corrupt(BlockNumber block, std::string_view problem) const;

  // --- btree_insert.cpp; the caller holds writer_ ---
  void put(const Position& entry);
  void make_room(const Path& path, const Position& entry);
  void split(const Path& path, unsigned level, std::uint16_t at);
  NewBlocks take_blocks(std::size_t count);
  void forget_spare(BlockNumber block);

  // --- btree_remove.cpp; the caller holds writer_ ---
  bool take_out(const Position& entry);
  bool take_out_leaf(const Path& path);
  bool find_neighbours(const Path& path, Chain& chain);
  void unlink(const Path& path, const Chain& chain);
  void shrink_to_leaf(const Path& path);

  sim::Host& host_;
  WalLog& log_;
  BufferPool& pool_;
  DataFiles& files_;
  RelationId relation_;
  std::string name_;
  sim::Mutex writer_;
  // Grows when pages are taken out.
  std::uint64_t removals_ = 0;
  // What the meta page says; invalid_block: not read yet.
  BlockNumber root_ = invalid_block;
  unsigned root_level_ = 0;
  BlockNumber first_removed_ = invalid_block;
  // Blocks that the file was extended by and that no page has taken.
  std::vector<BlockNumber> spare_;
};

// Redo of RecordKind::btree_*.
void register_btree_redo(RedoTable& table);

}  // namespace polarsim::engine::storage
