// The catalog in memory: relations with all versions of their rows that are not aborted.
//
// Nothing here blocks or writes; catalog.cpp keeps it in step with the system tables.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/catalog/catalog.h"

namespace polarsim::engine::catalog {

struct RelationVersion {
  RelationId file = 0;
  RelationId toast = 0;
  DefinitionPtr description;
  Tid tid;  // of the row in polar_relation; none while that is still to be written
  Xid created_by = storage::frozen_xid;
  Xid dropped_by = storage::invalid_xid;
};

struct CachedRelation {
  RelationId id = 0;
  RelationKind kind = RelationKind::table;
  std::vector<RelationId> indexes;        // of a table, in order of creation
  RelationId indexed = 0;                 // of an index: its table
  std::vector<RelationVersion> versions;  // oldest first
  mutable TablePtr settled;               // of a table about which everybody agrees: what to hand out
};

class Cache {
 public:
  explicit Cache(const txn::TransactionManager& transactions) : transactions_(transactions) {}

  // --- lookup ---
  CachedRelation* find(RelationId id);
  const CachedRelation* find(RelationId id) const;
  // Everything that has the name in some version, whoever may see that, in order of creation.
  const std::vector<RelationId>& named(std::string_view schema, std::string_view name) const;
  // Tables that have a foreign key to it in some version, whoever may see that: once for each such version, in order.
  const std::vector<RelationId>& referencing(RelationId id) const;
  // The version that the reader sees (null: the committed one); null if there is none.
  const RelationVersion* visible(const CachedRelation& relation, const Transaction* reader) const;
  RelationVersion* visible(CachedRelation& relation, const Transaction* reader);
  const CachedRelation* find_visible(const Transaction* reader, std::string_view schema, std::string_view name) const;
  TablePtr make_table(const CachedRelation& relation, const Transaction* reader) const;
  // A running transaction other than `reader` that creates or drops something of this name; 0 if there is none.
  Xid undecided(const Transaction& reader, std::string_view schema, std::string_view name) const;
  const std::map<RelationId, CachedRelation>& relations() const { return relations_; }

  // --- changes ---
  CachedRelation& add(CachedRelation relation);  // with its first version
  // Both count as undecided until the transaction `xid` ends.
  RelationVersion& add_version(CachedRelation& relation, RelationVersion version);
  void drop_version(CachedRelation& relation, RelationVersion& version, Xid xid);
  // What was undecided because of the transaction is settled; or because of its levels from `first_level` on, which
  // have been rolled back.
  void transaction_ended(const Transaction& transaction, bool committed);
  void levels_rolled_back(const Transaction& transaction, std::size_t first_level);

  // --- counting ---
  std::uint64_t version(std::string_view schema, std::string_view name) const;
  std::uint64_t definitions_version() const { return definitions_version_; }
  bool definitions_settled() const { return undecided_.empty(); }
  void touch(const CachedRelation& relation);
  // Grows with either.
  std::uint64_t changes() const { return last_touch_ + definitions_version_; }

 private:
  using Name = std::pair<std::string_view, std::string_view>;
  struct NameLess {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Name(a.first, a.second) < Name(b.first, b.second);
    }
  };
  using OwnedName = std::pair<std::string, std::string>;

  // In names_ and referencing_.
  void list(const CachedRelation& relation, const RelationVersion& version);
  void unlist(const CachedRelation& relation, const RelationVersion& version);
  bool seen(Xid xid, const Transaction* reader) const;
  void forget_settled(const CachedRelation& relation);
  void settle(const txn::TransactionLevel& level, bool committed);
  void settle(Xid xid, bool committed);
  void settle(RelationId id, Xid xid, bool committed);
  void remove(RelationId id);

  const txn::TransactionManager& transactions_;
  std::map<RelationId, CachedRelation> relations_;
  std::map<OwnedName, std::vector<RelationId>, NameLess> names_;
  std::map<RelationId, std::vector<RelationId>> referencing_;
  std::map<OwnedName, std::uint64_t, NameLess> touched_;
  std::uint64_t last_touch_ = 0;
  std::uint64_t definitions_version_ = 0;
  std::map<Xid, std::vector<RelationId>> undecided_;
};

}  // namespace polarsim::engine::catalog
