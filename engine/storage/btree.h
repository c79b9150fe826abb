// A B-tree of byte strings: sorted by memcmp, equal keys by Tid, as PostgreSQL's nbtree sorts since version 12.
//
// Keys are opaque here; key_encoding.h makes them from values so that memcmp is the order of the values. A key is at
// most key_bytes_max long. An entry is a key with the Tid of a row version; the same pair is in the tree once.
//
// Structure: a meta page (block 0) names the root; pages of one level are linked to the right and bounded by a high key
// (Lehman and Yao 1981), so that a search that arrives after a split goes right. A page that became empty is taken out
// and its block used again.
//
// Concurrency. One task at a time changes a tree (`writer_`, held across page reads, never across a wait for a lock of
// the database). Searches take no lock: they go down page by page and hold no pin while they wait for one, go right
// where a high key says so, and start again if a page was taken out meanwhile (`removals_` counts that).
//
// WAL: an entry put into or taken from a leaf is one small record; whatever changes the structure (split, new root,
// removal of pages) is one record with images of all pages it touches, so that no crash leaves half of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/storage/redo.h"
#include "engine/storage/wal_record.h"
#include "sim/sync.h"

namespace polarsim::engine::storage {

class BTree {
 public:
  // An eighth of a page is always free for structure; as PostgreSQL, a third of the rest fits a key.
  static constexpr std::size_t key_bytes_max = 2600;

  BTree(sim::Host& host, WalLog& log, BufferPool& pool, DataFiles& files, RelationId relation);
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
    Scan(BTree& tree, Range range) : tree_(&tree), range_(std::move(range)) {}
    // False at the end. Blocks. The entries replace what `into` held.
    bool next(std::vector<Entry>& into);

   private:
    BTree* tree_;
    Range range_;
    std::optional<Entry> last_;
    bool done_ = false;
  };
  Scan scan(Range range) { return Scan(*this, std::move(range)); }
  // The entries whose key is exactly `key`. Blocks.
  std::vector<Tid> find(std::string_view key);

  // Throws SqlError 54000 if the key is too long ("index row size ... exceeds btree maximum ..."). Blocks.
  void insert(std::string_view key, Tid tid);
  // Inserts if `may_insert` allows it. `may_insert` gets the Tids that have the key now; it may block; nobody else puts
  // an entry into this tree from the moment these Tids were found until the entry is in. Returns what `may_insert` did.
  bool insert_if(std::string_view key, Tid tid, const std::function<bool(const std::vector<Tid>& equal)>& may_insert);
  // False if there is no such entry. A page that becomes empty is taken out. Blocks.
  bool remove(std::string_view key, Tid tid);

  RelationId relation() const { return relation_; }
  // For tests and `inspect`: every invariant of the structure, from the meta page down; the first violation as text.
  // Nobody may change the tree meanwhile. Blocks.
  std::optional<std::string> check();

 private:
  friend class Scan;
  sim::Host& host_;
  WalLog& log_;
  BufferPool& pool_;
  DataFiles& files_;
  RelationId relation_;
  sim::Mutex writer_;
  std::uint64_t removals_ = 0;
};

// Redo of RecordKind::btree_*.
void register_btree_redo(RedoTable& table);

}  // namespace polarsim::engine::storage
